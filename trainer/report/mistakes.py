"""The rows that a model got wrong, those that it was surest about first."""

import dataclasses

import numpy as np

from trainer.report.fonts import shortened
from trainer.report.markdown import table

LONGEST = 300  # characters of a text that are shown


@dataclasses.dataclass(frozen=True)
class Mistake:
    """probability: of the label given; of_truth: of the true one."""

    row: int
    text: str
    label: str
    predicted: str
    probability: float
    of_truth: float


def worst(probabilities, targets, labels, text_of, most=25):
    """At most `most` Mistakes, those whose true label got the least probability first.

    Args:
        probabilities: `<float>[rows, labels]`. targets: `<int>[rows]`. text_of: callable, row to its text.
    """
    rows = np.arange(len(targets))
    predicted, of_truth = probabilities.argmax(axis=1), probabilities[rows, targets]
    wrong = rows[predicted != targets]
    wrong = wrong[np.argsort(of_truth[wrong], kind="stable")][:most]
    return [
        Mistake(
            int(row),
            shortened(text_of(row), LONGEST),
            labels[targets[row]],
            labels[predicted[row]],
            float(probabilities[row, predicted[row]]),
            float(of_truth[row]),
        )
        for row in wrong
    ]


def markdown(mistakes):
    """The mistakes as a Markdown table, of few columns: TensorBoard makes those beside a long text very narrow."""
    rows = [(m.row, f"{m.label} → {m.predicted} ({m.probability:.3f})", m.text) for m in mistakes]
    return table(("row", "true label → predicted (its probability)", "text"), rows)
