"""Time against tokens: of a served batch and of a training step, 16 to 256 tokens a text, beside PyTorch's.

    python -m benchmarks.lengths --rounds=5

32 texts of exactly L tokens, every side a process of its own, the sides in turn. Through the medians of each side goes
the line a + b·L: a is what a batch costs whatever its length, b what every further token of its texts does. How near
the line is to the medians, R², says whether time is what grows with the text and nothing else.
"""

import pathlib
import sys
import tempfile

import numpy as np
from absl import app, flags

from benchmarks import paired, real_text, same_model, served_texts, sheet
from benchmarks.quality_run import RunError
from benchmarks.stages import StageFailed
from benchmarks.worker import BENCH_PYTHON, Side

BATCH, LEAST_R2 = 32, 0.98
OURS, PEER = "slipway", "PyTorch"
FLAGS = flags.FLAGS
paired.define_flags(rounds=5)
real_text.define_flags()
flags.DEFINE_list("lengths", ["16", "32", "64", "96", "128", "192", "256"], "Tokens of each text, 8 or more.")
flags.DEFINE_enum("precision", "float32", ("float32", "bfloat16"), "Arithmetic of both sides of the training step.")
flags.DEFINE_integer("runs", 3, "Batches, and steps, of a side in a turn.", lower_bound=1)
flags.DEFINE_string("bench_python", str(BENCH_PYTHON), "Python with torch and transformers (benchmarks/README.md).")
flags.register_validator(
    "lengths", lambda given: all(each.isdecimal() and int(each) >= 8 for each in given), "allowed: 16,32,…, from 8 on"
)


def compare():
    """Measures both, fits the lines, prints and keeps."""
    page = sheet.Sheet("lengths", f"milliseconds of {BATCH} texts against their tokens: a + b·L")
    lengths, encoder = sorted(map(int, FLAGS.lengths)), real_text.encoder_folder()
    measured = {"a served batch": measure_serving(lengths, encoder), "a training step": measure_steps(lengths, encoder)}
    found = {what: lines_of(each.turns, lengths) for what, each in measured.items()}
    page.heads = ("what", "side", "a, ms", "b, µs", "R²", "b / PyTorch's", *(f"L={n}, ms" for n in lengths))
    page.rows = list(rows_of(found))
    page.figures = {"lengths": lengths, "lines": found, "versions": {k: each.versions for k, each in measured.items()}}
    page.notes = [f"b: of one more token in each of the {BATCH} texts"]
    page.notes += [f"skipped: {side}: {why}" for each in measured.values() for side, why in each.skipped.items()]
    page.met = claims(found)
    page.publish(lambda axes: draw(axes, found, lengths))


def measure_serving(lengths, encoder):
    """paired.Measured of one exported version and of its PyTorch twin."""
    cases = {str(n): {"batches": [served_texts.exactly(n, BATCH, encoder)], "runs": FLAGS.runs} for n in lengths}
    with tempfile.TemporaryDirectory(prefix="slipway-lengths-") as folder:
        made = pathlib.Path(folder), real_text.snippets(), encoder, ["float32"], lengths[-1]
        try:
            versions, transformers = same_model.make(*made, rows={"train": 64, "dev": 16, "test": 16})
        except StageFailed as failed:
            raise RunError("the model could not be made; the reason stands above", failed.exit_code) from None
        longest = f"--length={lengths[-1]}"
        own = (f"--version_dir={versions['float32']}", f"--encoder={encoder}", longest)
        ours = _side(sys.executable, "slipway_served", *own)
        told = (f"--model={transformers}", longest, "--arithmetic=float32")
        return paired.measure([ours, _side(FLAGS.bench_python, "torch_served", *told)], cases, FLAGS.rounds)


def measure_steps(lengths, encoder):
    """paired.Measured of the train step."""
    cases = {str(n): {"batch": BATCH, "length": n, "steps": FLAGS.runs} for n in lengths}
    told = (f"--encoder={encoder}", f"--precision={FLAGS.precision}")
    ours = _side(sys.executable, "slipway_step", *told)
    return paired.measure([ours, _side(FLAGS.bench_python, "torch_step", *told)], cases, FLAGS.rounds)


def _side(python, module, *words):
    ours = module.startswith("slipway")
    return Side(OURS if ours else PEER, (python, "-m", f"benchmarks.peers.{module}", *words), ours)


def lines_of(turns, lengths):
    """{side: {"a", "b": seconds, "r2", "seconds": median of each length}} of paired.Measured.turns."""
    summary = paired.summarise(turns, [OURS])
    medians = {side: [summary[str(n)][side]["seconds"]["median"] for n in lengths] for side in summary[str(lengths[0])]}
    return {side: line(lengths, seconds) | {"seconds": seconds} for side, seconds in medians.items()}


def line(lengths, seconds):
    """{"a", "b", "r2"} of the least squares line a + b·L."""
    b, a = np.polyfit(lengths, seconds, 1)
    left = np.asarray(seconds) - (a + b * np.asarray(lengths))
    around = np.asarray(seconds) - np.mean(seconds)
    return {"a": float(a), "b": float(b), "r2": float(1 - left @ left / (around @ around))}


def rows_of(found):
    """Lines of the table."""
    for what, by_side in found.items():
        for side, each in by_side.items():
            ratio = f"{each['b'] / by_side[PEER]['b']:.2f}" if PEER in by_side and side != PEER else ""
            seconds = (f"{value * 1e3:.1f}" for value in each["seconds"])
            yield what, side, f"{each['a'] * 1e3:.2f}", f"{each['b'] * 1e6:.1f}", f"{each['r2']:.4f}", ratio, *seconds


def claims(found):
    """{claim: whether the run bears it out}."""
    return {
        f"{what}: time is a line in tokens, R² at least {LEAST_R2}": each[OURS]["r2"] >= LEAST_R2
        for what, each in found.items()
    }


def draw(axes, found, lengths):
    """Medians and their lines."""
    for what, by_side in found.items():
        for side, each in by_side.items():
            (dots,) = axes.plot(lengths, [value * 1e3 for value in each["seconds"]], "o")
            fitted = [1e3 * (each["a"] + each["b"] * n) for n in lengths]
            axes.plot(lengths, fitted, color=dots.get_color(), label=f"{what}, {side}")
    axes.set_xlabel(f"tokens of each of {BATCH} texts")
    axes.set_ylabel("ms")
    axes.legend()


if __name__ == "__main__":
    app.run(paired.command(compare))
