"""int8 is handed out only where it is measured faster than bfloat16 on this machine, at no more than the allowed loss.

Both versions lie built beside each other; they answer the same dev texts in turn, A B A B, so that what else the
machine does falls on both. A refusal, whatever it is for, says what was measured.
"""

import statistics
import time

from serving import loader
from trainer.export import accuracy, clean_process
from trainer.export.inspection import ProofRefused
from trainer.export.limits import LIMITS
from trainer.export.samples import BATCH, spread

_PAIRS = 7
_WARM = 2  # requests before those that are timed: the first ones lay out weights
_WAY_OUT = "give --serving_precision=bfloat16"


def prove(proof, version_dir, rival_dir, dev, scratch):
    """proof.json of an int8 version, with `faster`; raises ProofRefused with all figures where int8 does not pay.

    Args:
        proof: callable, gives proof.json as for any version.
        version_dir, rival_dir: the int8 version and the same in bfloat16.
        dev: DevRows. scratch: folder for passing files.
    """
    if dev is None:
        raise ProofRefused("int8 is measured on labelled dev rows, and none were given")
    found = measure(version_dir, rival_dir, dev, scratch)
    words = wording(found)
    if found["ratio"] >= 1:
        raise ProofRefused(f"int8 is not faster than bfloat16 here: {words}; {_WAY_OUT}")
    shares = found["accuracy"]
    if accuracy.loses(shares["int8"], shares["float32"], LIMITS["int8"].accuracy_loss):
        raise ProofRefused(f"int8 loses more than the 0.3 points that are allowed: {words}; {_WAY_OUT}")
    try:
        return proof() | {"faster": found}
    except ProofRefused as refusal:
        raise ProofRefused(f"{refusal.culprit} (measured: {words})") from refusal


def measure(version_dir, rival_dir, dev, scratch):
    """{"rows", "milliseconds" for one request, median "ratio" of them, "accuracy" on dev}, by precision."""
    seconds = race(version_dir, rival_dir, dev.request(spread(range(len(dev.texts)), BATCH)))
    medians = [1000 * statistics.median(column) for column in zip(*seconds, strict=True)]
    shares = [
        dev.accuracy(clean_process.answers(each, dev.requests(), scratch)[1]) for each in (version_dir, rival_dir)
    ]
    return {
        "rows": len(dev.texts),
        "milliseconds": dict(zip(("int8", "bfloat16"), medians, strict=True)),
        "ratio": statistics.median(ours / theirs for ours, theirs in seconds),
        "accuracy": dict(zip(("int8", "bfloat16", "float32"), [*shares, dev.reference], strict=True)),
    }


def race(version_dir, rival_dir, request):
    """Seconds of both for one request (signature, inputs), a list of pairs."""
    with loader.ServedVersion(version_dir) as version, loader.ServedVersion(rival_dir) as rival:
        for _ in range(_WARM):
            _seconds(version, request), _seconds(rival, request)
        return [(_seconds(version, request), _seconds(rival, request)) for _ in range(_PAIRS)]


def wording(found):
    """The result of `measure` in words."""
    times = " against ".join(f"{name} {value:.1f} ms" for name, value in found["milliseconds"].items())
    shares = ", ".join(f"{name} {value:.2%}" for name, value in found["accuracy"].items())
    texts = f"{min(found['rows'], BATCH)} dev texts (median ratio {found['ratio']:.2f})"
    return f"{times} for {texts}, accuracy on {found['rows']} dev rows {shares}"


def _seconds(version, request):
    started = time.perf_counter()
    version.run(*request)
    return time.perf_counter() - started
