"""Figures draw for few and for many labels of any text, as pixels and as SVG that fetches nothing."""

import warnings
import xml.etree.ElementTree

import numpy as np
import pytest

from trainer.metrics.calibration import reliability
from trainer.metrics.per_class import confusion
from trainer.report import charts, figures

LABELS = {
    "two": ["negative", "positive"],
    "hostile": ["$x_{$ & <script>alert(1)</script>", '"]]>\n#1b1f24', "中文", "\U0010fffd", "-" * 200, ""],
    "many": [f"label {i}" for i in range(77)],
}


def answers(labels, rows=400):
    rng = np.random.default_rng(0)
    targets = rng.integers(0, len(labels), rows)
    logits = rng.normal(size=(rows, len(labels)))
    logits[np.arange(rows), targets] += 2
    return targets, np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)


@pytest.mark.parametrize("kind", LABELS)
def test_labels_of_any_number_and_text(kind):
    labels = LABELS[kind]
    targets, probabilities = answers(labels)
    matrix = confusion(targets, probabilities.argmax(axis=1), len(labels))
    for draw, *given in (
        (figures.confusion, matrix, labels),
        (figures.precision_recall, targets, probabilities, labels),
    ):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            drawn, svg = charts.pixels(draw, *given), charts.svg(draw, *given, title='<a "title" &>')
        assert drawn.dtype == np.uint8 and drawn.shape[0] == 1 and drawn.shape[3] == 3 and drawn.std() > 5
        root = xml.etree.ElementTree.fromstring(svg)
        assert root.get("aria-label") == '<a "title" &>' and "<script" not in svg and "<style" not in svg
        assert "var(--" in svg and "DejaVu" not in svg
        for element in root.iter():
            for name, value in element.attrib.items():
                if name.endswith("href"):
                    assert value.startswith(("#", "data:image/png"))


def test_labels_that_no_row_has_are_left_out():
    targets, probabilities = answers(["a", "b", "c"])
    charts.pixels(figures.precision_recall, np.zeros_like(targets), probabilities, ["a", "b", "c"])
    charts.pixels(figures.confusion, np.zeros((3, 3), int), ["a", "b", "c"])


def test_labels_as_fasttext_writes_them_stand_in_the_legend():
    targets, probabilities = np.array([0, 1, 0, 1]), np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6], [0.3, 0.7]])
    with figures.precision_recall(targets, probabilities, ("__label__a", "__label__b")) as figure:
        (axes,) = figure.axes
        assert {text.get_text()[:10] for text in axes.get_legend().get_texts()} == {"__label__a", "__label__b"}


def test_one_point_and_many_and_marks():
    bins = reliability(np.array([0.9, 0.4]), np.array([True, False]))
    for draw, *given in (
        (figures.reliability, {"dev": bins}),
        (figures.reliability, {"before": bins, "after": bins[:1]}),
        (figures.curves, {"training": [(10, 0.5)], "dev": [(i, 1 / i) for i in range(1, 50)]}, "loss"),
        (figures.risk_coverage, [{"coverage": 1.0, "risk": 0.0}], (1.0, 0.0)),
    ):
        assert charts.pixels(draw, *given).shape[3] == 3


def test_pyplot_is_left_alone():
    import matplotlib

    before = dict(matplotlib.rcParams)
    charts.pixels(figures.curves, {"a": [(1, 2)]}, "")
    assert dict(matplotlib.rcParams) == before
