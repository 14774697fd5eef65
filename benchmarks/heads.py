"""What several heads over one encoder cost: four models of one head each, beside one of all four, on the same rows.

    python -m benchmarks.heads --data_dir=FOLDERS -- FLAGS

The folder holds the folders emotion, snips and stsb, files as of benchmarks.quality_vs_transformers. A head learns
emotions, one intents and one slots of the same sentences, one vectors whose cosine is how alike two sentences are. The
version of all heads is then asked through the client and the embedded server. FLAGS are of trainer.main, for all runs.
"""

import json
import pathlib
import sys
import tempfile

import numpy as np
from absl import app, flags

from benchmarks import graph_ops, quality_rows, quality_splits, real_text, served_version, sheet
from benchmarks.quality_datasets import DATASETS
from benchmarks.quality_run import RunError
from benchmarks.stages import StageFailed, Walk
from serving.client import Client

FLAGS = flags.FLAGS
flags.DEFINE_string("data_dir", None, "Folder of the folders emotion, snips and stsb.", required=True)
real_text.define_flags()
flags.DEFINE_integer("max_train_rows", 4000, "Training rows of each data set, drawn by label; 0: all.", lower_bound=0)
flags.DEFINE_integer("epochs", 3, "Passes over the training rows, of each model.", lower_bound=1)
flags.DEFINE_integer("seed", 1, "Seed of each run.", lower_bound=0)
flags.DEFINE_integer("sequence_length", 128, "Longest text in tokens.", lower_bound=4)
flags.DEFINE_float("mixing_temperature", 1.0, "How the model of all heads mixes the data sets.")
sheet.define_flags()

HEADS = {  # flags of each head, its data set, and the metric that it is judged by
    "emotion": ("--task=classification", "emotion", "accuracy"),
    "intent": ("--task=classification --label_column=intent", "snips", "accuracy"),
    "slots": ("--task=tagging --label_column=slots", "snips", "span_f1"),
    "similar": (
        "--task=embedding --embedding_loss=score --score_range=0,5 --text_pair_column=text_pair",
        "stsb",
        "spearman",
    ),
}
ALL, BESIDE = "all heads", "emotion"  # the version of one head that the version of all is held against
_ASKED = 32  # test texts of each data set that are asked in one call


def write_rows(folder):
    """{data set: {split: rows}}, after train.jsonl, dev.jsonl and test.jsonl of each were written into its folder."""
    source, found = pathlib.Path(FLAGS.data_dir), {}
    found["emotion"] = quality_rows.all_splits(source / "emotion", DATASETS["emotion"])
    found["snips"] = intents_and_slots(source / "snips")
    found["stsb"] = quality_rows.all_splits(source / "stsb", DATASETS["stsb"])
    for name, splits in found.items():
        if FLAGS.max_train_rows:
            splits["train"] = quality_splits.draw(splits["train"], FLAGS.max_train_rows)
        (folder / name).mkdir(parents=True)
        for split, rows in splits.items():
            text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            (folder / name / f"{split}.jsonl").write_text(text, encoding="utf-8")
    return found


def intents_and_slots(source):
    """{split: rows} of snips with `intent`, which is also the `label` that rows are drawn by, and `slots`."""
    both = [quality_rows.all_splits(source, DATASETS[name]) for name in ("snips_intent", "snips_slots")]
    return {
        split: [
            row | {"intent": row["label"], "slots": spans["label"]}
            for row, spans in zip(both[0][split], both[1][split], strict=True)
        ]
        for split in quality_rows.SPLITS
    }


def told(folder, name):
    """Flags of a head, its data among them."""
    own, data, _ = HEADS[name]
    return [*own.split(), f"--data={folder / data}"]


def train(walk, folder, stage, own):
    """What a run of trainer.main tells; own: its flags."""
    shared = {"encoder": real_text.encoder_folder(), "workdir": folder / f"run-{stage}", "epochs": FLAGS.epochs}
    shared |= {"seed": FLAGS.seed, "sequence_length": FLAGS.sequence_length, "device": "cpu", "doctor": "off"}
    shared |= {"model_name": served_version.MODEL}
    return walk.command(stage, "trainer.main", *(f"--{name}={value}" for name, value in shared.items()), *own)


def passes(single, together):
    """How often the encoder stands in a graph beside one of a single head: by its tables, by products of attention."""
    one, all_heads = (graph_ops.run_by(pathlib.Path(each), "serving_default") for each in (single, together))
    return {name: all_heads[op] / one[op] for name, op in graph_ops.OF_AN_ENCODER.items()}


def asked(walk, version, texts):
    """{"calls", "answered": {head: texts that it answered}} of one call of predict with all texts."""
    with (
        served_version.linked(version) as base_path,
        walk.server(base_path, "--engine=embedded") as address,
        Client(address, served_version.MODEL, deadline=600) as client,
    ):
        results = client.predict(texts)
        calls = sum(each["calls"] for each in client.stats.rows() if each["signature"] == "serving_default")
    return {"calls": calls, "answered": {name: sum(_holds(result[name]) for result in results) for name in HEADS}}


def _holds(result):
    """Whether a head's result says something of the kind that its task says."""
    kinds = {"label": str, "entities": tuple, "vector": np.ndarray}
    return any(isinstance(getattr(result, name, None), kind) for name, kind in kinds.items())


def measure(walk, folder, more):
    """What the sheet keeps: figures of each head, passes of the encoder, answers of one call, rows, seconds, bytes."""
    rows = write_rows(folder)
    runs = {}
    for name in HEADS:
        kept = [] if name == BESIDE else ["--noexport"]
        runs[name] = train(walk, folder, name, [*told(folder, name), *kept, *more])
    heads = "; ".join(f"{name}: {' '.join(told(folder, name))}" for name in HEADS)
    mixed = f"--mixing_temperature={FLAGS.mixing_temperature}"
    together = train(walk, folder, ALL, ["--task=multi", f"--heads={heads}", mixed, *more])
    texts = [row["text"] for splits in rows.values() for row in splits["test"][:_ASKED]]
    version = together["export"]["version_dir"]
    return {
        "heads": {name: figures(name, run, together) for name, run in runs.items()},
        "passes": passes(runs[BESIDE]["export"]["version_dir"], version),
        "asked": asked(walk, version, texts) | {"texts": len(texts)},
        "rows": {name: {split: len(own) for split, own in splits.items()} for name, splits in rows.items()},
        "bytes": {name: run["export"]["bytes"] for name, run in {BESIDE: runs[BESIDE], ALL: together}.items()},
        "seconds": {name: run["train"]["seconds"] for name, run in (runs | {ALL: together}).items()},
    }


def figures(name, alone, together):
    """{"metric", "single", "multi"} of a head on test."""
    metric = HEADS[name][-1]
    return {"metric": metric, "single": alone["test"][metric], "multi": together["test"][f"{name}_{metric}"]}


def claims(found):
    """{claim: whether the run bears it out}."""
    return {
        "the graph of all heads has one pass of the encoder": set(found["passes"].values()) == {1.0},
        "one call answers for all heads": found["asked"]["calls"] == 1
        and set(found["asked"]["answered"].values()) == {found["asked"]["texts"]},
    }


def notes(found):
    """Lines below the table."""
    seconds, size = found["seconds"], found["bytes"]
    yield "; ".join(f"{name} {own['train']} / {own['dev']} / {own['test']} rows" for name, own in found["rows"].items())
    yield (
        f"one pass: lookups in the encoder's tables and products of attention in serving_default, as often as in the "
        f"version of {BESIDE} alone ({', '.join(f'{name} × {ratio:g}' for name, ratio in found['passes'].items())})"
    )
    yield (
        f"{len(HEADS)} models trained in {sum(seconds[name] for name in HEADS):.0f} s, that of all heads in "
        f"{seconds[ALL]:.0f} s; the version of {BESIDE} {size[BESIDE] / 2**20:.0f} MB, that of all heads "
        f"{size[ALL] / 2**20:.0f} MB"
    )


def compare(argv):
    """Prints and keeps the table; returns the exit code, 1 where the version is not one pass or not one call."""
    page = sheet.Sheet("heads", "four models of one head each, and one of four heads, on the same test rows")
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Walk(), pathlib.Path(folder), argv[1:])
    page.heads = ("head", "metric", "single", "multi", "difference")
    page.rows = [
        (name, each["metric"], *(f"{each[side]:.4f}" for side in ("single", "multi")), f"{difference(each):+.4f}")
        for name, each in found["heads"].items()
    ]
    page.figures, page.notes = found, list(notes(found))
    page.met = claims(found) | {
        f"{name} loses no more than a point": difference(each) >= -0.01 for name, each in found["heads"].items()
    }
    page.publish(lambda axes: _draw(axes, found["heads"]))
    return 0 if all(claims(found).values()) else 1


def difference(figures):
    """What the model of all heads gains."""
    return figures["multi"] - figures["single"]


def _draw(axes, heads):
    for place, side in enumerate(("single", "multi")):
        axes.bar(np.arange(len(heads)) + 0.4 * place, [each[side] for each in heads.values()], width=0.38, label=side)
    axes.set_xticks(np.arange(len(heads)) + 0.2, [f"{name}\n{each['metric']}" for name, each in heads.items()])
    axes.legend()


def main(argv):
    try:
        return compare(argv)
    except StageFailed as failed:  # it has said why
        return failed.exit_code
    except (OSError, RunError, quality_rows.RowsError) as error:
        print(f"error: {error}", file=sys.stderr)
        return getattr(error, "exit_code", 2)


if __name__ == "__main__":
    app.run(main)
