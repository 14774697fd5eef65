"""Whether sides that were timed gave the same answers: those that did not must not be compared."""

from benchmarks.paired import NotEqual

ALLOWED = 1e-3  # of a probability, between float32 sides


def differences(turns, reference):
    """{case: {side: largest difference of a probability from the side `reference`}}; {} where that did not run."""
    return {
        case: {
            side: largest_difference(replies[0]["probabilities"], by_side[reference][0]["probabilities"])
            for side, replies in by_side.items()
            if side != reference
        }
        for case, by_side in turns.items()
        if reference in by_side
    }


def largest_difference(rows, others):
    """The largest difference between two lists of rows of probabilities; NaN differs from everything."""
    every = [abs(a - b) for row, other in zip(rows, others, strict=True) for a, b in zip(row, other, strict=True)]
    return max(every) if all(each == each for each in every) else float("inf")


def check(found, ours, reference):
    """Raises NotEqual where in any case the answers of the side `ours` are not those of the reference."""
    for case, by_side in found.items():
        if by_side.get(ours, 0.0) > ALLOWED:
            raise NotEqual(
                f"{case}: a probability of {ours} differs from {reference} by {by_side[ours]:.1e}; allowed is {ALLOWED}"
            )
