"""How far a text is out of what a classifier learned: a score, larger being further out, and the limit of it.

max_softmax: 1 − the largest probability (https://arxiv.org/abs/1610.02136). energy: −logsumexp of the logits
(https://arxiv.org/abs/2010.03759). Both at temperature 1: the one that calibrates brings texts into another order, on
clinc150 a worse one. distance: see class_distance.py.
"""

import numpy as np
import tensorflow as tf

from trainer.config import OUT_OF_SCOPE
from trainer.metrics import out_of_scope as metrics

SCORES = OUT_OF_SCOPE[1:]
MEANING = {
    "max_softmax": "1 - the largest probability, before the temperature",
    "energy": "minus the logarithm of the sum of the exponentials of the logits",
    "distance": "Mahalanobis distance of the text's vector from the nearest mean of a label's training texts",
}


def score(task, name, answers):
    """`<float32>[batch]` of what a Classification answers, as TensorFlow ops."""
    if name == "max_softmax":
        return 1.0 - tf.reduce_max(tf.nn.softmax(task.logits(answers)), axis=1)
    if name == "energy":
        return -tf.reduce_logsumexp(task.logits(answers), axis=1)
    return task.class_distance(task.vectors(answers))


def scores(task, answers):
    """{name: `<float32>[rows]`} of those that can be told, as numpy arrays."""
    known = [name for name in SCORES if name != "distance" or task.class_distance]
    return {name: score(task, name, tf.constant(answers)).numpy() for name in known}


def fit(task, settings, answers, outside=None):
    """What Decisions say of it, from dev: {field: value}, {} where nothing is asked.

    Args:
        settings: trainer.config.DecisionConfig. answers, outside: what the task answers to dev texts and to texts out
            of scope, `<float32>[rows, …]`; None where there are none.
    """
    name = settings.out_of_scope
    if name == "none":
        return {}
    inside = score(task, name, tf.constant(answers)).numpy()
    if outside is None or settings.in_scope_kept:
        limit = metrics.limit_keeping(inside, settings.in_scope_kept or metrics.KEPT)
    else:
        limit = metrics.best_limit(inside, score(task, name, tf.constant(outside)).numpy())
    # A probability has a scale of 1; nats and deviations, too, unless nine in ten dev texts span more.
    unit = 1.0 if name == "max_softmax" else max(float(np.subtract(*np.quantile(inside, (0.95, 0.05)))), 1.0)
    return {"out_of_scope": name, "out_of_scope_limit": limit, "out_of_scope_unit": unit}


def figures(task, judged, outside):
    """The "out_of_scope" of results.json's "decisions".

    Args:
        judged: {split: (answers `<float32>[rows, …]`, label ids `<int>[rows]`)}. outside: {split: answers to texts out
            of scope}, {} where there are none.
    """
    name, limit = task.decisions.out_of_scope, task.decisions.out_of_scope_limit
    inside = {split: scores(task, answers) for split, (answers, _) in judged.items()}
    kept = {split: float(np.mean(each[name] <= limit)) for split, each in inside.items()}
    found = {"score": name, "limit": limit, "kept": kept}
    beside = {
        split: _beside(inside[split], scores(task, answers), name, limit)
        for split, answers in outside.items()
        if split in inside
    }
    return found | ({"told_apart": beside} if beside else {})


def _beside(inside, outside, name, limit):
    return {
        "texts": len(outside[name]),
        "refused": float(np.mean(outside[name] > limit)),
        "auroc": {each: metrics.auroc(inside[each], outside[each]) for each in outside},
        "fpr_at_95": {each: metrics.fpr_at_kept(inside[each], outside[each]) for each in outside},
        "histogram": metrics.histogram(inside[name], outside[name]),
    }
