"""How well a score tells texts that belong to no label from those that do; larger is further out.

inside, outside: scores `<float>[rows]` of in-scope texts and of the others.
"""

import math

import numpy as np
from sklearn import metrics as sklearn_metrics

KEPT = 0.95  # share of the in-scope texts at which FPR is told, and which a limit keeps where nothing else is asked
_BINS = 40


def auroc(inside, outside):
    """The chance that a text out of scope has the larger score."""
    return float(sklearn_metrics.roc_auc_score(*_labelled(inside, outside)))


def fpr_at_kept(inside, outside):
    """FPR at 95 % TPR: share of the texts out of scope that are let through where 95 % of the others are, or more.

    In-scope texts are the positive ones, as in https://arxiv.org/abs/1610.02136.
    """
    return float(np.mean(outside <= _kept(inside, KEPT)))


def limit_keeping(inside, share):
    """The limit beyond which at most 1 − share of the in-scope texts lie: midway to the next score above.

    Midway, because a server's score of the same text differs in the last digits; the largest score where all are kept.
    """
    lowest = _kept(inside, share)
    above = inside[inside > lowest]
    return float((lowest + above.min()) / 2) if len(above) else lowest


def best_limit(inside, outside):
    """The limit of the best balanced accuracy, the mean of `kept` and `refused`; of equally good ones the highest.

    The shares, not the counts, because a team has fewer texts out of scope than its users send, or more.
    """
    scores = np.unique(np.concatenate([inside, outside]).astype(np.float64))
    found = [np.searchsorted(np.sort(each.astype(np.float64)), scores, side="right") for each in (inside, outside)]
    gain = found[0] / len(inside) - found[1] / len(outside)
    place = len(gain) - 1 - int(np.argmax(gain[::-1]))
    return float(np.mean(scores[place : place + 2]))


def histogram(inside, outside):
    """{"edges", "in_scope", "out_of_scope"}: counts of both between the same edges."""
    edges = np.histogram_bin_edges(np.concatenate([inside, outside]), _BINS)
    counts = [np.histogram(each, edges)[0].tolist() for each in (inside, outside)]
    return {"edges": edges.tolist(), "in_scope": counts[0], "out_of_scope": counts[1]}


def _kept(inside, share):
    """The lowest score up to which `share` of the in-scope texts lie."""
    return float(np.sort(inside)[max(0, math.ceil(share * len(inside) - 1e-9) - 1)])


def _labelled(inside, outside):
    return np.repeat([0, 1], [len(inside), len(outside)]), np.concatenate([inside, outside])
