"""How far probabilities and abstaining can be trusted, on a data set of one's own, offline and served.

    python -m benchmarks.calibration --workdir=runs/emotion --precisions=0.9,0.95 -- --data=FOLDER --epochs=2

What stands behind `--` goes to trainer.main; a workdir that was trained before needs none of it. Each precision is
fitted on dev and told on test; then the version of the last one is published and served, all test texts are asked
through the client, and the answers are compared with those of --mode=predict: one text at a time on both sides, and in
batches, which server and predict compose in their own ways. Beside them stands how far predict is from itself: float32
sums depend on what else is in a batch, whoever multiplies.
"""

import json
import pathlib
import tempfile

from absl import app, flags

from benchmarks.stages import StageFailed, Walk
from serving.client import Client
from trainer import flags as trainer_flags
from trainer.modes.tables import console, two_columns

FLAGS = flags.FLAGS
flags.DEFINE_string("workdir", None, "Workdir of the run; it is trained first where it is not there.", required=True)
flags.DEFINE_list("precisions", ["0.9"], "Target precisions, as in --precisions=0.9,0.95.")
flags.register_validator("precisions", bool, "give at least one, as in --precisions=0.9")
flags.DEFINE_bool("json", False, "Print one JSON object instead of the table.")

MODEL = "model"


def measure(run_flags):
    """{"decisions": {precision: of results.json}, "scores": …, "served": {…}}; raises StageFailed."""
    stages, workdir = Walk(), pathlib.Path(FLAGS.workdir)
    run_flags = run_flags or [f"--flagfile={workdir / 'flags.txt'}"]
    train = [*run_flags, f"--workdir={workdir}", f"--model_name={MODEL}"]
    if not (workdir / "results.json").is_file():
        stages.command("train", "trainer.main", *train, "--noexport")
    found = {}
    for precision in FLAGS.precisions:
        asked = [*train, f"--abstain_precision={precision}"]
        results = stages.command("evaluate", "trainer.main", *asked, "--mode=evaluate")
        found[precision] = results["decisions"]
    scores = {split: results[split] for split in ("dev", "test") if split in results}
    return {"scores": scores, "decisions": found, "served": served(stages, asked, workdir), "seconds": stages.seconds}


def served(stages, train, workdir):
    """How far the answers of a server are from those of --mode=predict, over the texts of predictions.jsonl."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "texts.jsonl").write_text(_texts(train, workdir), encoding="utf-8")
        asked = [*train, f"--predict_input={folder / 'texts.jsonl'}"]
        in_batches = _predicted(stages, "predict", asked, folder / "in_batches.jsonl")
        single = _predicted(stages, "predict singly", [*asked, "--eval_batch_size=1"], folder / "single.jsonl")
        version = stages.command("export", "trainer.main", *train, "--mode=export")["export"]["version_dir"]
        base_path = folder / "models" / MODEL
        stages.command("publish", "serving.release", "publish", f"--source={version}", f"--model_base_path={base_path}")
        with stages.server(base_path) as address:
            with stages.timed("ask"):
                batch_answers = _answers(address, in_batches)
            with stages.timed("ask singly"):
                single_answers = _answers(address, single, max_batch_size=1)
    return {
        "one by one": compared(single, single_answers),
        "in batches": compared(in_batches, batch_answers),
        "predict one by one against in batches": compared(single, in_batches),
    }


def _predicted(stages, stage, asked, output):
    """The rows of --mode=predict."""
    stages.command(stage, "trainer.main", *asked, "--mode=predict", f"--predict_output={output}")
    return list(map(json.loads, output.read_text("utf-8").split("\n")[:-1]))


def _answers(address, rows, **settings):
    """What the server says to the same texts, as rows of --mode=predict."""
    pairs = [row["text_pair"] for row in rows] if "text_pair" in rows[0] else None
    with Client(address, MODEL, deadline=600, **settings) as client:
        return [answer.to_dict() for answer in client.predict([row["text"] for row in rows], text_pairs=pairs)]


def _texts(train, workdir):
    """The texts of the last evaluation, in the columns that the run reads."""
    columns = trainer_flags.parse(train).data
    names = {"text": columns.text_column, "text_pair": columns.text_pair_column}
    lines = (workdir / "predictions.jsonl").read_text("utf-8").split("\n")[:-1]
    rows = ({names[key]: value for key, value in json.loads(line).items() if key in names} for line in lines)
    return "".join(json.dumps(row) + "\n" for row in rows)


def compared(rows, others):
    """Largest difference of a score and of any probability, and how many labels and abstentions are not the same."""
    both = list(zip(rows, others, strict=True))
    return {
        "texts": len(both),
        "score_difference": max(abs(row["score"] - other["score"]) for row, other in both),
        "probability_difference": max(
            abs(probability - other["probabilities"][label])
            for row, other in both
            for label, probability in row["probabilities"].items()
        ),
        "other_labels": sum(row["label"] != other["label"] for row, other in both),
        "other_abstentions": sum(row["abstain"] != other["abstain"] for row, other in both),
        "abstained": sum(other["abstain"] for _, other in both),
    }


def rows(result):
    """The lines of the table: pairs of texts."""
    last = list(result["decisions"].values())[-1]
    for split, scores in result["scores"].items():
        ece, nll = last["ece"][split], last["nll"][split]
        yield f"{split} accuracy", f"{scores['accuracy']:.4f}"
        yield f"{split} ECE, before → after", f"{ece['before']:.4f} → {ece['after']:.4f}"
        yield f"{split} NLL, before → after", f"{nll['before']:.4f} → {nll['after']:.4f}"
        yield f"{split} AURC", f"{last['aurc'][split]:.4f}"
    yield "temperature", f"{last['temperature']:.4f}"
    for precision, decisions in result["decisions"].items():
        abstain = decisions["abstain"]
        shown = [f"{s} {abstain[s]['precision']:.4f} of {abstain[s]['coverage']:.1%}" for s in result["scores"]]
        yield (
            f"precision asked {precision}",
            f"threshold {abstain['threshold']:.4f}; right of answered: {', '.join(shown)}",
        )
    for how, served in result["served"].items():
        yield (
            f"{how if how.startswith('predict') else f'served against predict, {how}'}, {served['texts']} texts",
            f"score {served['score_difference']:.2e}, probability {served['probability_difference']:.2e}, "
            f"{served['other_labels']} other labels, {served['other_abstentions']} other abstentions",
        )


def main(arguments):
    """Prints the table, or JSON; exits with the code of the stage that failed."""
    try:
        result = measure(arguments[1:])
    except StageFailed as failed:
        return failed.exit_code
    if FLAGS.json:
        print(json.dumps(result, ensure_ascii=False))
    else:
        console().print(two_columns(f"calibration: {FLAGS.workdir}", rows(result)))
    return 0


if __name__ == "__main__":
    app.run(main)
