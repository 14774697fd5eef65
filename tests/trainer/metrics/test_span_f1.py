"""Figures of spans are those that scikit-learn gives of each span's being there or not."""

import random

import pytest
from sklearn.metrics import precision_recall_fscore_support

from trainer.metrics import span_f1


def drawn(seed):
    """[[(start, end, label)] of each text], many of them alike from seed to seed."""
    draw = random.Random(seed)
    return [
        [(at, at + draw.choice((1, 1, 2)), draw.choice("XXY")) for at in range(draw.randint(0, 4))] for _ in range(60)
    ]


def expected(given, wanted, label=None):
    """(precision, recall, F1) of whether each span of either side is there."""
    sides = [
        {(row, span) for row, spans in enumerate(side) for span in spans if label in (None, span[2])}
        for side in (given, wanted)
    ]
    every = sorted(sides[0] | sides[1])
    mine, theirs = ([each in side for each in every] for side in sides)
    return precision_recall_fscore_support(theirs, mine, average="binary", zero_division=0)[:3]


def test_they_are_scikit_learns():
    given, wanted = drawn(0), drawn(1)
    counts = span_f1.counts(given, wanted)
    assert span_f1.micro(counts) == pytest.approx(expected(given, wanted)) and min(span_f1.micro(counts)) > 0.1
    for each in span_f1.per_label(counts, ("X", "Y")):
        found = each["precision"], each["recall"], each["f1"]
        assert found == pytest.approx(expected(given, wanted, each["label"]))
        assert each["support"] == sum(span[2] == each["label"] for spans in wanted for span in spans)


def test_a_label_that_nobody_gives_counts_nothing():
    counts = span_f1.counts([[(0, 1, "X", "text", 0.5)]], [[(0, 1, "X")]])
    nobody = {"label": "Z", "precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 0}
    assert span_f1.per_label(counts, ("X", "Z"))[1] == nobody and span_f1.micro(counts) == (1, 1, 1)
    assert span_f1.micro({}) == (0, 0, 0)
