"""Walks the README from text to answers and prints one table: `make quickstart`.

It runs the README's own commands, one process each, and nothing else: data.fetch, trainer.main, serving.release
publish, serving.server, serving.client. A second run finds the fetched files and the trained workdir again.
"""

import json
import pathlib
import platform
import sys

from absl import app, flags

from benchmarks.stages import StageFailed, Walk
from serving.server.commands import docker_command
from serving.server.options import Options
from trainer.modes.tables import console, two_columns

FLAGS = flags.FLAGS
flags.DEFINE_string("runs", "runs", "Folder of the workdir and of the published model.")
flags.DEFINE_string("flagfile_of_run", "trainer/flagfiles/quickstart.flags", "Flagfile of the training run.")
flags.DEFINE_list("run_flags", [], "More flags for trainer.main, as in --run_flags=--epochs=1,--seed=2.")
flags.DEFINE_bool("json", False, "Print one JSON object instead of the table.")

MODEL = "reviews"
QUESTIONS = (
    "a gripping, beautifully acted film that stays with you for days",
    "two hours of noise without a single idea",
    "the plot is thin but the performances make it worth your while",
)


def walk():
    """The whole road; returns what the table shows."""
    stages = Walk()
    workdir, base_path = pathlib.Path(FLAGS.runs) / "quickstart", pathlib.Path(FLAGS.runs) / "models" / MODEL
    stages.command("fetch", "data.fetch")
    run = stages.command(
        "train", "trainer.main", f"--flagfile={FLAGS.flagfile_of_run}", f"--workdir={workdir}", *FLAGS.run_flags
    )
    publish = ("publish", f"--source={workdir}", f"--model_base_path={base_path}")
    published = stages.command("publish", "serving.release", *publish)
    with stages.server(base_path) as address:
        asked = ("--target", address, "--model", MODEL, *QUESTIONS)
        answers = stages.command("ask", "serving.client", *asked)
    return {
        "machine": f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}",
        "run": run,
        "published": published,
        "base_path": str(base_path),
        "answers": answers,
        "seconds": stages.seconds,
    }


def rows(result):
    """The lines of the table: pairs of texts."""
    run = result["run"]
    train, test, export = run["train"], run["test"], run["export"]
    yield "test accuracy", f"{test['accuracy']:.4f}"
    yield "test macro F1", f"{test['macro_f1']:.4f}"
    yield (
        "training",
        f"{train['seconds']:.0f} s, {train['examples_per_second']:.0f} examples/s, "
        f"{train['tokens_per_second']:,.0f} tokens/s",
    )
    yield "seconds per stage", ", ".join(f"{name} {seconds}" for name, seconds in result["seconds"].items())
    yield "size of the version", f"{export['bytes'] / 2**20:.1f} MB"
    yield "proof", export["proof"].removeprefix("proof: ")
    for answer in result["answers"]["results"]:
        yield f"“{answer['text']}”", f"{answer['label']} ({answer['score']:.3f})"


def next_steps(result):
    """Commands to go on with, ready to be pasted."""
    base_path = pathlib.Path(result["base_path"]).resolve()
    yield "workdir", result["run"]["workdir"]
    yield "TensorBoard", f"{sys.executable} -m tensorboard.main --logdir {result['run']['workdir']}/tensorboard"
    yield "serve it here", f"{sys.executable} -m serving.server --model_base_path={base_path}"
    yield "stock TF Serving", " ".join(docker_command(Options(model_base_path=str(base_path), model_name=MODEL)))
    question = json.dumps({"instances": [QUESTIONS[0]]})
    yield "its REST port", f"curl -d '{question}' http://localhost:8501/v1/models/{MODEL}:predict"


def main(arguments):
    """Prints the table, or JSON; exits with the code of the stage that failed."""
    try:
        result = walk()
    except StageFailed as failed:
        return failed.exit_code
    if FLAGS.json:
        print(json.dumps(result, ensure_ascii=False))
        return 0
    console().print(two_columns("quickstart: from text to answers", rows(result)))
    for name, command in next_steps(result):  # outside of a table: a wrapped command cannot be pasted
        print(f"{name}:\n  {command}")
    return 0


if __name__ == "__main__":
    app.run(main)
