"""How well each label is told from the others."""

import numpy as np
from sklearn import metrics


def per_class(targets, predicted, labels):
    """Precision, recall, F1 and rows of each label, in the order of `labels`.

    Args:
        targets, predicted: `<int>[rows]`, places in `labels`.

    Returns:
        [{"label": str, "precision": float, "recall": float, "f1": float, "support": int}]; 0 where one divides by 0.
    """
    found = metrics.precision_recall_fscore_support(
        targets, predicted, labels=np.arange(len(labels)), average=None, zero_division=0
    )
    return [
        {"label": label, "precision": float(p), "recall": float(r), "f1": float(f), "support": int(n)}
        for label, p, r, f, n in zip(labels, *found, strict=True)
    ]


def confusion(targets, predicted, count):
    """Rows of true label i that were taken for label j, `<int>[count, count]`."""
    return metrics.confusion_matrix(targets, predicted, labels=np.arange(count))


def confused_pairs(matrix, most):
    """[(true, predicted, rows)] of the wrong cells of a confusion matrix that hold most rows, most first."""
    wrong = np.array(matrix)
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:most]
    cells = zip(*np.unravel_index(order, wrong.shape), strict=True)
    return [(int(i), int(j), int(wrong[i, j])) for i, j in cells if wrong[i, j]]
