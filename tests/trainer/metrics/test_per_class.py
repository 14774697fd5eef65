"""Figures of single labels, against counting by hand."""

import numpy as np
import pytest

from trainer.metrics.per_class import confused_pairs, confusion, per_class

TARGETS = np.array([0, 0, 0, 1, 1, 2])
PREDICTED = np.array([0, 0, 1, 1, 0, 1])


def test_each_label_by_hand():
    a, b, c, d = per_class(TARGETS, PREDICTED, ["a", "b", "c", "d"])
    assert (a["label"], a["support"]) == ("a", 3)
    assert a["precision"] == a["recall"] == pytest.approx(2 / 3) == a["f1"]
    assert (b["precision"], b["recall"], b["f1"]) == (pytest.approx(1 / 3), 0.5, pytest.approx(0.4))
    assert (c["precision"], c["recall"], c["f1"], c["support"]) == (0, 0, 0, 1), "never predicted"
    assert (d["f1"], d["support"]) == (0, 0), "in no row at all"


def test_confusion_and_its_largest_cells():
    matrix = confusion(TARGETS, PREDICTED, 3)
    assert matrix.tolist() == [[2, 1, 0], [1, 1, 0], [0, 1, 0]]
    assert confused_pairs(matrix, 2) == [(0, 1, 1), (1, 0, 1)]
    assert confused_pairs(matrix * np.array([[1], [1], [5]]), 9) == [(2, 1, 5), (0, 1, 1), (1, 0, 1)]
    assert confused_pairs(np.eye(3, dtype=int), 9) == []
