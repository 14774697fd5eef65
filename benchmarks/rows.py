"""Peak memory and step time of training over 10³, 10⁴, 10⁵ and 10⁶ rows: neither may grow with the file.

    python -m benchmarks.rows --rows=1000,10000,100000,1000000

Each size has a CSV file and a process of its own, which goes the way of a training run: sources, splits, the doctor's
look, token ids, one epoch of batches read to its end. Then all of them take their steps in turn, a few at a time. A
text is the first half of one real text and the second half of another, so that a million of them are a million texts.
"""

import csv
import pathlib
import sys
import tempfile

from absl import app, flags

from benchmarks import paired, real_text, sheet
from benchmarks.worker import Side, Worker

MOST_GROWTH_MB, MOST_CHANGE = 200, 0.03
FLAGS = flags.FLAGS
paired.define_flags(rounds=10)
real_text.define_flags()
flags.DEFINE_list("rows", ["1000", "10000", "100000", "1000000"], "Rows of each file, the smallest first.")
flags.DEFINE_integer("steps", 20, "Training steps of each size in a round.", lower_bound=1)
flags.register_validator(
    "rows",
    lambda given: all(each.isdecimal() and int(each) >= 100 for each in given),
    "allowed: 1000,10000,…, from 100 on",
)


def compare():
    """Measures, prints and keeps all sizes."""
    page = sheet.Sheet("rows", "training over files of more and more rows")
    with tempfile.TemporaryDirectory() as folder:
        found = measure(pathlib.Path(folder), [int(rows) for rows in FLAGS.rows])
    page.heads = ("rows", "file MB", *_stages(found), "peak MB", "ms a step", "per 1,000 tokens", "× smallest")
    page.rows = list(rows_of(found))
    page.figures = {str(rows): each for rows, each in found.items()}
    page.met = claims(found)
    page.notes = [
        "of each stage: seconds, and MB resident after it; peak: of the whole process, its steps included.",
        f"{FLAGS.rounds * FLAGS.steps} steps of 32 rows; medians of rounds; the last column compares the "
        "time per token: texts differ.",
    ]
    page.publish(lambda axes: draw(axes, found))


def measure(folder, sizes):
    """{rows: {"file_MB", "stages", "peak", "seconds": spread, "per_token": spread, "ratio": spread}}."""
    workers, found = {}, {}
    try:
        for rows in sizes:
            path = folder / f"{rows}.csv"
            write_rows(path, rows, real_text.texts())
            print(f"{rows:,} rows: reading", file=sys.stderr, flush=True)
            command = [sys.executable, "-m", "benchmarks.peers.rows_run", path, real_text.encoder_folder()]
            workers[rows] = Worker(Side(f"{rows:,} rows", (*command, folder / f"cache-{rows}"), ours=True))
            found[rows] = {"file_MB": path.stat().st_size / 1e6}
        rounds = {rows: [] for rows in sizes}
        for number in range(FLAGS.rounds + 1):
            for rows, worker in workers.items():
                reply = worker.ask({"steps": FLAGS.steps if number else 2})  # what is traced is no part of a step
                if number:
                    rounds[rows].append(reply)
        for rows, worker in workers.items():
            found[rows] |= worker.ask({"memory": True})
    finally:
        for worker in workers.values():
            worker.close()
    return {rows: found[rows] | summarise(rounds[rows], rounds[sizes[0]]) for rows in sizes}


def summarise(rounds, smallest):
    """Spreads over rounds of {"seconds": [of each step], "tokens": of all of them}."""

    def per_token(reply):
        return sum(reply["seconds"]) / reply["tokens"]

    return {
        "seconds": paired.spread([sum(each["seconds"]) / len(each["seconds"]) for each in rounds]),
        "per_token": paired.spread(list(map(per_token, rounds))),
        "ratio": paired.spread(
            [per_token(each) / per_token(least) for each, least in zip(rounds, smallest, strict=True)]
        ),
    }


def write_rows(path, rows, texts):
    """Writes a CSV file of `rows` rows, no two of them alike as long as there are pairs of texts left."""
    words = [text.split() for text in texts]
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("text", "label"))
        for number in range(rows):
            turn, first = divmod(number, len(words))
            one, other = words[first], words[(first + turn + 1) % len(words)]
            text = " ".join(one[: len(one) // 2 + 1] + other[len(other) // 2 :])
            writer.writerow((text, ("negative", "positive")[first % 2]))


def rows_of(found):
    """Lines of the table."""
    for rows, each in found.items():
        stages = [f"{stage['seconds']:.1f} s, {stage['MB']:.0f}" for stage in each["stages"].values()]
        times = [f"{each[name]['median'] * scale:.1f}" for name, scale in (("seconds", 1e3), ("per_token", 1e6))]
        ratio = sheet.spread_text(each["ratio"], 1, 3)
        yield f"{rows:,}", f"{each['file_MB']:.1f}", *stages, f"{each['peak']:.0f}", *times, ratio


def _stages(found):
    return list(next(iter(found.values()))["stages"])


def claims(found):
    """{claim: whether the run bears it out}."""
    peaks = [each["peak"] for each in found.values()]
    changes = [abs(each["ratio"]["median"] - 1) for each in found.values()]
    return {
        f"peak memory grows by at most {MOST_GROWTH_MB} MB": max(peaks) - peaks[0] <= MOST_GROWTH_MB,
        f"the time of a step per token stays within {MOST_CHANGE:.0%}": max(changes) <= MOST_CHANGE,
    }


def draw(axes, found):
    """Peak memory over rows."""
    axes.plot(list(found), [each["peak"] for each in found.values()], marker="o")
    axes.set_xscale("log")
    axes.set_xticks(list(found), [f"{rows:,}" for rows in found])
    axes.set_ylim(bottom=0)
    axes.set_xlabel("rows of the file")
    axes.set_ylabel("peak memory of the process, MB")


if __name__ == "__main__":
    app.run(paired.command(compare))
