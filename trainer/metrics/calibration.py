"""Calibration: whether texts answered with probability 0.8 are right eight times in ten.

Guo et al., "On Calibration of Modern Neural Networks", ICML 2017. Logits are `<float>[rows, labels]`, targets label
ids `<int>[rows]`; what is summed is summed in float64.
"""

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

BINS = 15
TEMPERATURES = (
    0.1,
    10.0,
)  # beyond them the float32 noise of a logit shows in the fourth digit, or all labels are equal


def negative_log_likelihood(logits, targets, temperature=1.0, smoothing=0.0):
    """Mean of −log p(target) of the softmax of logits / temperature.

    smoothing: share of each target that is spread evenly over the other labels.
    """
    log_p = log_softmax(np.asarray(logits, np.float64) / temperature, axis=1)
    right = log_p[np.arange(len(targets)), targets]
    if smoothing:
        others = (log_p.sum(axis=1) - right) / (log_p.shape[1] - 1)
        right = (1 - smoothing) * right + smoothing * others
    return float(-right.mean())


def fit_temperature(logits, targets):
    """The T within TEMPERATURES by which dividing the logits makes their NLL smallest; it moves no label.

    The NLL is convex in 1/T, so that there is one minimum. Where no row is wrong it would be at T → 0, certainty that
    few rows do not justify: targets are then smoothed by 1 / (rows + 2) (Platt, "Probabilistic Outputs for Support
    Vector Machines", 1999). Rows of one label say nothing of the others: T is 1.
    """
    if len(np.unique(targets)) == 1:
        return 1.0
    flawless = (logits.argmax(axis=1) == targets).all()
    smoothing = 1 / (len(targets) + 2) if flawless else 0.0
    found = minimize_scalar(
        lambda log_t: negative_log_likelihood(logits, targets, np.exp(log_t), smoothing),
        bounds=np.log(TEMPERATURES),
        method="bounded",
        options={"xatol": 1e-6},
    )
    return float(np.exp(found.x))


def reliability(scores, right, bins=BINS):
    """[{"confidence", "accuracy", "count"}, …] of the bins that hold any row, the least confident first.

    Top-label: a row's confidence is its score, the probability of the label that is answered. The bins are of equal
    width, (0, 1/bins] the first.

    Args:
        scores: `<float>[rows]`. right: `<bool>[rows]`, whether the answered label is the true one.
    """
    place = np.clip(np.ceil(scores.astype(np.float64) * bins).astype(int) - 1, 0, bins - 1)
    held = [place == each for each in np.unique(place)]
    return [
        {
            "confidence": float(scores[rows].mean(dtype=np.float64)),
            "accuracy": float(right[rows].mean()),
            "count": int(rows.sum()),
        }
        for rows in held
    ]


def expected_calibration_error(found):
    """ECE of the bins of `reliability`: Σ share of rows · |accuracy − confidence|."""
    rows = sum(each["count"] for each in found)
    return sum(each["count"] * abs(each["accuracy"] - each["confidence"]) for each in found) / rows
