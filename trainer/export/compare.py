"""Answers of a version against those of the trained model, against themselves and against its labels.

Answers come as `{(kind, rows): {output: array}}`: `batch` holds every row, `alone` some of them one by one, `embed`
these again as vectors, both in batches and alone, `classify` these again as tf.Example.
"""

import dataclasses

import numpy as np

_ROUNDING = 1e-4  # between outputs of one answer, whatever the precision


class Differs(Exception):
    """What differs, and on which text, in one line."""


@dataclasses.dataclass(frozen=True)
class Figures:
    """max_difference: to the trained model; max_batch_difference: of a row alone to the same row in a batch."""

    max_difference: float
    max_batch_difference: float
    flips: int


def compare(samples, answers, tolerance):
    """Figures of a version whose answers are right; raises Differs with the first thing that is not.

    Args:
        samples: Samples, see trainer/export/samples.py.
        answers: see above.
        tolerance: float; the largest difference of a probability that is allowed.
    """
    check = _Comparison(samples, answers, tolerance)
    largest = check.trained_model()
    flips = check.labels()
    check.flags()
    alone = max(check.alone(), check.embed())
    check.classify()
    return Figures(largest, alone, flips)


class _Comparison:
    def __init__(self, samples, answers, tolerance):
        self.samples, self.answers, self.tolerance = samples, answers, tolerance
        self.batch = _by_row(answers, "batch")
        self.probabilities = self._stacked(self.batch, "probabilities")

    def trained_model(self):
        reference = self.samples.probabilities
        if self.probabilities.shape != reference.shape:
            raise Differs(
                f"probabilities of shape {self.probabilities.shape}; the trained model gives {reference.shape}"
            )
        return self._close("from the trained model", self.samples.rows(), self.probabilities, reference)

    def labels(self):
        """Number of labels that are not the trained model's; none may be where its margin is beyond doubt."""
        reference = self.samples.probabilities
        given = [self.batch[row]["label"].decode() for row in self.samples.rows()]
        flipped = [row for row in self.samples.rows() if given[row] != self.samples.labels[reference[row].argmax()]]
        ordered = np.sort(reference, axis=1)
        for row in flipped:
            if reference.shape[1] == 1 or ordered[row, -1] - ordered[row, -2] > 2 * self.tolerance:
                wanted = self.samples.labels[reference[row].argmax()]
                raise Differs(f"label {given[row]!r} where the trained model says {wanted!r}, on {self._text(row)}")
        return len(flipped)

    def flags(self):
        """`score`, `truncated` and `abstain` say what they must."""
        scores = self._stacked(self.batch, "score")
        largest = self.probabilities.max(axis=1)
        self._close("of score from the largest probability", self.samples.rows(), scores, largest, _ROUNDING)
        rows = list(self.samples.rows())
        for row in rows[len(rows) - self.samples.oversized :]:
            if not self.batch[row]["truncated"]:
                raise Differs(f"truncated is false on a text beyond the limit, {self._text(row)}")
        self._abstains(rows, scores)

    def _abstains(self, rows, scores):
        """`abstain` is what the version's own score and label make of it, and what the trained model's do.

        The latter but for scores within the tolerance of the threshold, and for labels that `labels` let flip.
        """
        thresholds = dict(zip(self.samples.labels, np.float32(self.samples.thresholds), strict=True))
        for row, score in zip(rows, scores, strict=True):
            given, label = bool(self.batch[row]["abstain"]), self.batch[row]["label"].decode()
            threshold = thresholds.get(label, 0)
            if given != (score < threshold):
                against = f"its score {score:.6g} and the threshold {threshold:.6g} of {label!r}"
                raise Differs(f"abstain is {str(given).lower()} against {against}, on {self._text(row)}")
            reference = self.samples.probabilities[row]
            same = label == self.samples.labels[reference.argmax()]
            sure = abs(reference.max() - threshold) > self.tolerance
            if same and sure and given != (reference.max() < threshold):
                raise Differs(f"abstain is {str(given).lower()} where the trained model's is not, on {self._text(row)}")

    def classify(self):
        """The signature for tf.Example gives what serving_default gives."""
        rows = _by_row(self.answers, "classify")
        if rows:
            self._close("of classify from serving_default", rows, self._stacked(rows, "scores"), self._of(rows))
        labels = [label.encode() for label in self.samples.labels]
        if any(answer["classes"].tolist() != labels for answer in rows.values()):
            raise Differs(f"classify gives other classes than {', '.join(self.samples.labels)}")

    def alone(self):
        """Largest difference of a row alone to the same row in a batch."""
        rows = _by_row(self.answers, "alone")
        for row, answer in rows.items():
            if answer["truncated"] != self.batch[row]["truncated"]:
                raise Differs(f"truncated differs between a batch and a single row, on {self._text(row)}")
        return self._close("of a single row from the batch", rows, self._stacked(rows, "probabilities"), self._of(rows))

    def embed(self):
        """The same of the vectors, as a share of the largest number in them."""
        asked = {rows: arrays["embedding"] for (kind, rows), arrays in self.answers.items() if kind == "embed"}
        batch = {
            row: vector for rows, each in asked.items() if len(rows) > 1 for row, vector in zip(rows, each, strict=True)
        }
        rows = sorted(row for row in batch if (row,) in asked)
        alone, together = np.stack([asked[row,][0] for row in rows]), np.stack([batch[row] for row in rows])
        scale = max(1.0, float(np.abs(together).max()))
        return self._close("of embed on a single row from the batch", rows, alone / scale, together / scale)

    def _close(self, what, rows, given, expected, tolerance=None):
        """The largest difference; Differs where it is beyond the tolerance, or not a number."""
        tolerance = self.tolerance if tolerance is None else tolerance
        rows = list(rows)
        difference = np.abs(given - expected).reshape(len(rows), -1).max(axis=1)
        difference = np.where(np.isnan(difference), np.inf, difference)
        worst = int(difference.argmax())
        if difference[worst] > tolerance:
            size = f"{difference[worst]:.2g}, allowed is {tolerance:.0e}"
            raise Differs(f"difference {what} is {size}, on {self._text(rows[worst])}")
        return float(difference[worst])

    def _of(self, rows):
        return self.probabilities[sorted(rows)]

    def _stacked(self, rows, output):
        return np.stack([rows[row][output] for row in sorted(rows)])

    def _text(self, row):
        kind = f"dev text {row + 1}" if row < self.samples.dev else f"hostile text {row + 1 - self.samples.dev}"
        return f"{kind} ({ascii(self.samples.texts[row][:40])[1:]})"


def _by_row(answers, kind):
    """`{row: {output: value}}` of the requests of one kind, in the order of the rows."""
    found = {
        row: {name: array[place] for name, array in arrays.items()}
        for (each, rows), arrays in answers.items()
        if each == kind
        for place, row in enumerate(rows)
    }
    return dict(sorted(found.items()))
