"""Every command that the documentation shows is run as it stands, on a tiny encoder and tiny text in the cache.

Only the ports are others: two test runs on one machine must not meet.
"""

import contextlib
import json
import random
import socket
import subprocess

import pytest

from tests import documented, task_walks, tiny_reviews

ROOT = documented.ROOT
FLAGFILES = sorted((ROOT / "trainer/flagfiles").glob("*.flags"))
DATA = {  # columns of the data set that a flagfile is for, and what makes rows like its own
    "sst2": (("sentence", "label"), tiny_reviews.rows),
    "banking77": (("text", "category"), tiny_reviews.rows),
    "few_shot": (("text", "label"), tiny_reviews.rows),
    "zero_shot": (("text", "label"), tiny_reviews.rows),
    "mrpc": (("#1 String", "#2 String", "Quality"), tiny_reviews.pairs),
    "stsb": (("sentence1", "sentence2", "score"), task_walks.scored_pairs),
    "nlupp": (("text", "intents"), task_walks.label_sets),
    "covid_faq": (("question_2", "question_1"), task_walks.belonging),
    "mlm": (("text",), task_walks.echoes),
    "conll": (("text", "label"), task_walks.tagged),
    "squad": (("question", "context", "answers"), task_walks.questioned),
    "clinc150": (("text", "intent"), tiny_reviews.rows),
    "snips": (("tokens", "intent", "slots", "score", "answer"), task_walks.of_every_head),
}
DESCRIBED = [("positive", "a good , great or bright film"), ("negative", "a bad , dull or awful film")]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def test_readme_from_its_first_command_to_its_last(sandbox):
    script = documented.script(ROOT / "README.md")
    for port, other in zip(("8500", "8501", "8600", "8601"), _free_ports(), strict=False):
        script = script.replace(port, str(other))
    done = _run(script, *sandbox)
    assert done.returncode == 0, done.stdout + done.stderr
    folder = sandbox[0]
    answers = [json.loads(line) for line in (folder / "answers.jsonl").read_text().splitlines()]
    assert len(answers) == 40 and {a["label"] for a in answers} <= {"delivery", "refund"}
    assert "not found" not in done.stderr and "Traceback" not in done.stderr


def test_build_shows_nothing_but_install_and_make():
    assert documented.script(ROOT / "BUILD.md").strip() == ""


@pytest.mark.parametrize("name", ["README.md", "BUILD.md"])
def test_make_targets_exist(name):
    for command in documented.outside(ROOT / name):
        if command.startswith("make "):
            done = subprocess.run([*command.split(), "--dry-run"], cwd=ROOT, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("flagfile", FLAGFILES, ids=lambda path: path.stem)
def test_flagfile_header(flagfile, sandbox):
    command = documented.header_command(flagfile)
    if flagfile.stem == "base":
        assert command is None
        return
    folder, environment = sandbox
    command = command.replace("=FOLDER", f"={_folder_for(flagfile.stem, folder)}")
    command = command.replace("--data=FILE", f"--data={tiny_reviews.write(folder / 'file.csv', tiny_reviews.rows(60))}")
    told = tiny_reviews.write(folder / "labels.csv", DESCRIBED, ("label", "description"))
    command = command.replace("--label_descriptions=FILE", f"--label_descriptions={told}")
    epochs = int(flagfile.stem != "zero_shot")  # which trains nothing
    done = _run(f"{command} --epochs={epochs} --json", folder, environment)
    assert done.returncode == 0, done.stdout + done.stderr
    made = json.loads(done.stdout.splitlines()[-1])["export"]
    if "encoder_dir" in made:
        assert (folder / made["encoder_dir"] / "model.safetensors").is_file()
        return
    assert made["max_difference"] < 1e-4
    assert (folder / made["version_dir"] / "proof.json").is_file()


def test_quickstart_walks_the_whole_road_and_a_second_time_faster(sandbox):
    folder, environment = sandbox
    first = _quickstart(folder, environment)
    assert list(first["seconds"]) == ["fetch", "train", "publish", "server start", "ask"]
    assert first["published"]["version"] == 1 and len(first["answers"]["results"]) == 3
    assert 0 <= first["run"]["test"]["macro_f1"] <= 1
    again = _quickstart(folder, environment)
    assert again["published"]["already"] and again["answers"]["results"] == first["answers"]["results"]
    assert again["run"]["train"]["seconds"] == first["run"]["train"]["seconds"], "the second run must not train again"


def _quickstart(folder, environment):
    done = _run("python -m benchmarks.quickstart --json", folder, environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def _run(script, folder, environment):
    """Runs a bash script; what it left running in the background is ended with it."""
    text = "set -euo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT\n" + script
    return subprocess.run(["bash", "-c", text], cwd=folder, env=environment, capture_output=True, text=True)


def _folder_for(name, folder):
    """A data folder with the columns that the data set of a flagfile has."""
    if name in DATA:
        columns, make = DATA[name]
        for split, count in (("train", 64), ("test", 16)):
            tiny_reviews.write(folder / "rows" / f"{split}.jsonl", make(count, seed=count), columns)
    if name == "clinc150":
        for split, word in (("val", "plot"), ("test", "life")):
            rows = [(f"{word} " * count, "oos") for count in range(2, 12)]
            tiny_reviews.write(folder / "rows" / f"oos_{split}.tsv.gz", rows, ("text", "intent"))
    return folder / "rows"


def _free_ports():
    """Ports that are free, below those that the system gives out: no server with --port=0 takes one meanwhile."""
    for port in random.sample(range(20_000, 30_000), 1000):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            yield port
