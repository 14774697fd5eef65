"""Selective answers: what is right among the rows whose score is high enough to be answered.

scores `<float32>[rows]`, right `<bool>[rows]`. Coverage is the share of rows that are answered, risk the share of
those that are wrong. El-Yaniv and Wiener, JMLR 2010; Geifman and El-Yaniv, NeurIPS 2017.
"""

import dataclasses
import math

import numpy as np
from scipy.stats import beta

CONFIDENCE = 0.95  # that the precision of a threshold is not the luck of the rows it was chosen on


@dataclasses.dataclass(frozen=True)
class Answered:
    """One entry per distinct score, from the highest down: with it as threshold, rows answered and wrong ones."""

    scores: np.ndarray
    answered: np.ndarray
    wrong: np.ndarray

    @classmethod
    def of(cls, scores, right):
        """Sorts the rows; equal scores are answered together."""
        order = np.argsort(-scores, kind="stable")
        ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
        return cls(scores[order][ends], ends + 1, np.cumsum(~right[order])[ends])

    def precision_bounds(self):
        """One-sided Clopper–Pearson lower bounds of the precision at each threshold, of confidence CONFIDENCE."""
        correct = self.answered - self.wrong
        bounds = beta.ppf(1 - CONFIDENCE, np.maximum(correct, 1), self.wrong + 1)
        return np.where(correct > 0, bounds, 0.0)

    def threshold(self, place):
        """A `<float32>` at or above which exactly the rows of this entry lie: midway to the next score below.

        Midway, because a server's score of the same text differs in the last digits. 0 where every row is answered.
        """
        if place == len(self.scores) - 1:
            return 0.0
        lowest, below = np.float32(self.scores[place]), np.float32(self.scores[place + 1])
        middle = below + (lowest - below) / 2
        return float(middle if middle > below else lowest)


def risk_coverage(scores, right, points=101):
    """[{"coverage", "risk"}, …] by growing coverage: at most `points` of its thresholds, evenly spaced."""
    found = Answered.of(scores, right)
    count = len(found.scores)
    places = np.unique(np.linspace(0, count - 1, min(points, count)).round().astype(int))
    answered, wrong = found.answered[places], found.wrong[places]
    return [
        {"coverage": float(coverage), "risk": float(risk)}
        for coverage, risk in zip(answered / len(scores), wrong / answered, strict=True)
    ]


def area_under_risk_coverage(scores, right):
    """AURC: the mean risk over the coverages at which each row is the last to be answered; smaller is better."""
    found = Answered.of(scores, right)
    return float(np.sum(found.wrong / found.answered * np.diff(found.answered, prepend=0)) / len(scores))


def threshold_for_precision(scores, right, target):
    """The threshold of the largest coverage that shows a precision of `target`; None where none does.

    To show it, the lower bound of the precision, not the precision itself, must reach the target: that of few rows may
    be luck, and the best of many thresholds is in part the luckiest.
    """
    if not len(scores):
        return None
    found = Answered.of(scores, right)
    proven = np.flatnonzero(found.precision_bounds() >= target)
    return found.threshold(proven[-1]) if len(proven) else None


def best_precision(scores, right):
    """(largest lower bound of the precision over all thresholds, its coverage)."""
    found = Answered.of(scores, right)
    bounds = found.precision_bounds()
    place = len(bounds) - 1 - int(bounds[::-1].argmax())
    return float(bounds[place]), float(found.answered[place] / len(scores))


def rows_needed(target):
    """Rows, all of them right, that show a precision of `target`: with fewer no threshold ever does."""
    return math.ceil(math.log(1 - CONFIDENCE) / math.log(target))
