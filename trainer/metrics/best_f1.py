"""The threshold that gives the best F1."""

import numpy as np


def best_threshold(scores, hits):
    """Scores from it on give the best F1 of `hits` `<bool>[rows]`; 0.5 without a hit.

    Halfway to the next lower score, where rounding does least harm; of equally good ones the highest.

    Args:
        scores: `<float>[rows]`, probabilities.
    """
    if not hits.any():
        return 0.5
    order = np.argsort(-scores, kind="stable")
    ordered, found = scores[order].astype(np.float64), np.cumsum(hits[order])
    f1 = 2 * found / (np.arange(1, len(found) + 1) + hits.sum())
    last = np.append(ordered[1:] != ordered[:-1], True)  # equal scores are selected together
    best = int(np.argmax(np.where(last, f1, -1)))
    below = ordered[best + 1] if best + 1 < len(ordered) else 0.0
    return float((ordered[best] + below) / 2)
