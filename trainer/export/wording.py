"""The figures of a proof in words, for the terminal and the model card."""

from serving.loader import MIXED_PRECISION
from trainer.export import int8


def line(proof):
    """The whole proof in one line."""
    parts = [
        f"proof: {proof['texts']} dev texts and {proof['hostile']} hostile texts compared",
        *([] if proof["precision"] == "float32" else [f"in {proof['precision']}"]),
        f"largest difference {proof['max_difference']:.1e} (allowed {proof['tolerance']:.0e})",
        f"a row alone against a batch {proof['max_batch_difference']:.1e}",
        f"{proof['flips']} label flips",
    ]
    return ", ".join([*parts, *further(proof)])


def further(proof):
    """A phrase each for what not every proof has: out_of_scope, search, accuracy on dev, speed, the second proof."""
    if "out_of_scope" in proof:
        yield f"out_of_scope within {proof['out_of_scope']['max_difference']:.1e} of its unit"
    if "search" in proof:
        yield search(proof["search"])
    if "accuracy" in proof:
        yield accuracy(proof["accuracy"])
    if "faster" in proof:
        yield int8.wording(proof["faster"])
    if "mixed_precision" in proof:
        yield _mixed_precision(proof["mixed_precision"])


def search(found):
    """The `search` of a proof."""
    return (
        f"search asked {found['texts']} texts, {found['questions']} of them questions of the FAQ, and found what "
        f"a look at every entry finds (largest difference of a cosine {found['max_difference']:.1e})"
    )


def accuracy(found):
    """The `accuracy` of a proof."""
    return (
        f"{found['measure']} on {found['rows']} dev rows {found['version']:.2%}, the trained model's "
        f"{found['trained_model']:.2%} (allowed: {100 * found['allowed_loss']:.1f} points less)"
    )


def _mixed_precision(found):
    if not found["at_work"]:
        return f"{MIXED_PRECISION} changes nothing on this CPU, so that nothing is proven of it"
    return (
        f"under {MIXED_PRECISION} largest difference {found['max_difference']:.1e} "
        f"(allowed {found['tolerance']:.0e}), {found['flips']} label flips"
    )
