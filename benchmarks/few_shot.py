"""Few-shot: some rows of each label learned by pairs, beside fine-tuning on the same rows and SetFit's own run.

    python -m benchmarks.few_shot --data_dir=FOLDER --datasets=emotion,banking77

The folder holds one folder for each data set, files as of benchmarks.quality_vs_transformers. All sides get the same
drawn rows, the same encoder folder and length, and are judged on the whole test split; each run is a process of its
own on the CPU. Finished runs are kept under --results: the same command goes on where it was cut off.
"""

import json
import pathlib
import statistics
import sys
import tempfile

import numpy as np
import rich.box
import rich.table
from absl import app, flags

from benchmarks import few_shot_sides, quality_rows, real_text, result_store
from benchmarks.few_shot_sides import SIDES
from benchmarks.quality_datasets import DATASETS
from benchmarks.quality_run import ROOT, RunError, machine
from trainer.modes.tables import console

FLAGS = flags.FLAGS
flags.DEFINE_string("data_dir", None, "Folder of a folder for each data set.", required=True)
flags.DEFINE_list("datasets", ["emotion", "banking77"], f"Of {', '.join(DATASETS)}, those of one label.")
flags.DEFINE_integer("shots", 8, "Rows of each label.", lower_bound=2)
flags.DEFINE_integer("seeds", 5, "Draws of rows and runs of each side, with the seeds 1, 2, …", lower_bound=1)
flags.DEFINE_list("sides", list(SIDES), "Sides to run, none for a look at what is kept; the table holds all there is.")
flags.register_validator("sides", lambda given: set(given) <= set(SIDES), f"allowed: {','.join(SIDES)}")
flags.DEFINE_integer("sequence_length", 128, "Longest text in tokens.", lower_bound=4)
flags.DEFINE_string("bench_python", str(ROOT / ".venv-bench/bin/python"), "Python with setfit (benchmarks/README.md).")
flags.DEFINE_integer("reference_threads", 2, "Threads of torch.", lower_bound=1)
flags.DEFINE_string("results", str(ROOT / "benchmarks/results"), "Folder of finished runs.")
flags.DEFINE_bool("json", False, "Print one JSON object instead of the table.")
real_text.define_flags()

SPLITS = ("train", "test")
WITHIN = 0.02  # of SetFit's accuracy


def drawn(rows, shots, seed):
    """`shots` rows of each label, in the order of the file; raises RunError where a label has fewer."""
    random, chosen, places = np.random.default_rng(seed), [], {}
    for place, row in enumerate(rows):
        places.setdefault(row["label"], []).append(place)
    for label in sorted(places):
        if len(places[label]) < shots:
            raise RunError(f"--shots={shots}: label {label!r} has {len(places[label])} rows; give as many or fewer")
        chosen += random.choice(places[label], shots, replace=False).tolist()
    return [rows[place] for place in sorted(chosen)]


def runs_of(name, store):
    """{(side, seed): result} of a data set, after the missing runs were made; raises RunError."""
    dataset, folder = DATASETS[name], pathlib.Path(FLAGS.data_dir) / (DATASETS[name].folder or name)
    rows = {split: quality_rows.needed(folder, quality_rows.file_of(split, dataset), dataset) for split in SPLITS}
    encoder, found = real_text.encoder_folder(), {}
    weights = result_store.hash_files([encoder / "model.safetensors", encoder / "vocab.txt"])
    for seed in range(1, FLAGS.seeds + 1):
        with tempfile.TemporaryDirectory(prefix="slipway-shots-") as data:
            asked = {"dataset": f"few_shot-{name}", "shots": FLAGS.shots, "seed": seed, "encoder": weights}
            asked |= {"rows": _write(data, rows, seed), "max_length": FLAGS.sequence_length}
            for side, of_side in SIDES.items():
                settings = asked | {"side": side, "how": of_side.how}
                if side in FLAGS.sides and store.read(settings) is None:
                    how = (FLAGS.sequence_length, FLAGS.bench_python, FLAGS.reference_threads)
                    told = few_shot_sides.Told(data, encoder, seed, *how)
                    store.write(settings, few_shot_sides.run(side, told))
                found[side, seed] = store.read(settings)
    return {key: result for key, result in found.items() if result}


def _write(folder, rows, seed):
    """Writes the drawn rows and all test rows; returns a hash of them."""
    chosen = {"train": drawn(rows["train"], FLAGS.shots, seed), "test": rows["test"]}
    for split, own in chosen.items():
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in own)
        (pathlib.Path(folder) / f"{split}.jsonl").write_text(text, encoding="utf-8")
    return result_store.hash_files(pathlib.Path(folder).glob("*.jsonl"))


def summary(found):
    """{side: {"accuracy": mean, "deviation", "seconds": mean, "seeds"}} of {(side, seed): result}."""
    told = {}
    for side in SIDES:
        own = [result for (name, _), result in found.items() if name == side]
        if own:
            accuracy = [result["accuracy"] for result in own]
            deviation = statistics.stdev(accuracy) if len(own) > 1 else 0.0
            seconds = statistics.mean(result["seconds"] for result in own)
            told[side] = {"accuracy": statistics.mean(accuracy), "deviation": deviation, "seconds": seconds}
            told[side]["seeds"] = len(own)
    return told


def met(found):
    """{claim: whether the runs bear it out}, over the seeds that both sides have."""
    claims = {}
    for other, least, claim in (
        ("fine_tuning", 0.0, "few_shot is better than fine-tuning on the same rows"),
        ("setfit", -WITHIN, f"few_shot is within {100 * WITHIN:.0f} points of SetFit, or better"),
    ):
        both = [seed for side, seed in found if side == other and ("few_shot", seed) in found]
        if both:
            gains = [found["few_shot", seed]["accuracy"] - found[other, seed]["accuracy"] for seed in both]
            better = statistics.mean(gains) > 0 if other == "fine_tuning" else statistics.mean(gains) >= least
            claims[f"{claim} ({100 * statistics.mean(gains):+.1f} points, {len(both)} seeds)"] = better
    return claims


def compare(argv):
    """Prints the table."""
    store, result = result_store.ResultStore(FLAGS.results), {}
    for name in FLAGS.datasets:
        found = runs_of(name, store)
        each = [{"side": side, "seed": seed, "accuracy": one["accuracy"]} for (side, seed), one in found.items()]
        result[name] = {"sides": summary(found), "met": met(found), "runs": each}
    if FLAGS.json:
        print(json.dumps({"shots": FLAGS.shots, "datasets": result, "machine": machine()}))
        return
    table = rich.table.Table(title=f"{FLAGS.shots} rows a label", title_justify="left", box=rich.box.SIMPLE)
    for head in ("data set", "side", "accuracy", "±", "seconds of training", "seeds"):
        table.add_column(head, justify="left" if head in ("data set", "side") else "right")
    for name, own in result.items():
        for side, one in own["sides"].items():
            accuracy, spread = f"{100 * one['accuracy']:.1f}", f"{100 * one['deviation']:.1f}"
            table.add_row(name, SIDES[side].title, accuracy, spread, f"{one['seconds']:.0f}", str(one["seeds"]))
    console().print(table)
    for name, own in result.items():
        for claim, holds in own["met"].items():
            console().print(f"{'reached' if holds else 'NOT reached'}: {name}: {claim}")
    console().print(machine())


def main(argv):
    wrong = [name for name in FLAGS.datasets if name not in DATASETS or DATASETS[name].task != "classification"]
    try:
        if wrong:
            raise RunError(f"--datasets={wrong[0]}: allowed are {', '.join(DATASETS)} that have one label a row")
        compare(argv)
    except (OSError, RunError, quality_rows.RowsError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(getattr(error, "exit_code", 2))


if __name__ == "__main__":
    app.run(main)
