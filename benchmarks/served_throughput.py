"""Texts per second through the embedded server and the client, beside the same version asked without a network.

    python -m benchmarks.served_throughput

Both sides are asked the same batches of real texts in turn, batch by batch, one at a time: what serving adds is not
hidden behind another request. A round's figure is the ratio of the medians of its batches.
"""

import statistics
import sys
import time

from absl import app, flags

from benchmarks import paired, real_text, served_version, sheet
from benchmarks.stages import Walk
from benchmarks.worker import Side, Worker
from serving.client import Client

LEAST_SHARE = 0.9
FLAGS = flags.FLAGS
paired.define_flags(rounds=7)
real_text.define_flags()
served_version.define_flags()
flags.DEFINE_integer("texts", 32, "Texts of a batch.", lower_bound=1)
flags.DEFINE_integer("batches", 10, "Batches of each side in a round.", lower_bound=2)


def compare():
    """Measures, prints and keeps the figures."""
    page = sheet.Sheet("served_throughput", f"batches of {FLAGS.texts} texts: served, and without a network")
    with served_version.base_path() as base_path, Walk().server(base_path, "--engine=embedded") as address:
        rounds = measure(address, base_path / "1")
    found = summarise(rounds[1:])
    page.heads = ("side", "texts/s (min–max)")
    page.rows = [(side, sheet.spread_text(found[side], digits=0)) for side in rounds[0]]
    page.rows += [("served / loaded", sheet.spread_text(found["served / loaded"]))]
    page.figures = found
    share = f"{100 * LEAST_SHARE:.0f} %"
    page.met = {f"at least {share} of the texts/s": found["served / loaded"]["median"] >= LEAST_SHARE}
    page.publish(lambda axes: draw(axes, found))


def measure(address, version_dir):
    """For each round {side: seconds of each batch}, the first to warm up."""
    texts = real_text.texts(FLAGS.texts * FLAGS.batches)
    batches = [texts[start : start + FLAGS.texts] for start in range(0, len(texts), FLAGS.texts)]
    loaded = Side("loaded version", (sys.executable, "-m", "benchmarks.peers.loaded_version", version_dir), ours=True)
    with (
        Worker(loaded) as version,
        Client(address, served_version.MODEL, deadline=60, max_batch_size=FLAGS.texts) as client,
    ):
        return [_round(client, version, batches) for _ in range(FLAGS.rounds + 1)]


def _round(client, version, batches):
    seconds = {"served": [], "loaded": []}
    for batch in batches:
        start = time.perf_counter()
        client.predict(batch)
        seconds["served"].append(time.perf_counter() - start)
        seconds["loaded"] += version.ask({"batches": [batch]})["seconds"]
    return seconds


def summarise(rounds):
    """Spreads over rounds of {side: seconds of each batch}: of texts/s by side, and of their ratio."""
    medians = [{side: statistics.median(taken) for side, taken in each.items()} for each in rounds]
    found = {side: paired.spread([FLAGS.texts / each[side] for each in medians]) for side in medians[0]}
    return found | {"served / loaded": paired.spread([each["loaded"] / each["served"] for each in medians])}


def draw(axes, found):
    """Bars of the medians."""
    sides = [side for side in found if "/" not in side]
    axes.barh(sides, [found[side]["median"] for side in sides])
    axes.set_xlabel("texts/s, median of the rounds")


if __name__ == "__main__":
    app.run(paired.command(compare))
