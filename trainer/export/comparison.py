"""What is compared of every version: its answers against the trained model's, and of a row alone against a batch's.

Answers come as `{(kind, rows): {output: array}}`: `batch` holds every row, `alone` some of them one by one, `embed`
these again as vectors, both in batches and alone, `classify` or `regress` these again as tf.Example.
"""

import dataclasses

import numpy as np

TOKENS = "_tokens"  # behind a kind: the same rows, asked for what is said of each token


class Differs(Exception):
    """What differs, and on which text, in one line."""


@dataclasses.dataclass(frozen=True)
class Figures:
    """max_difference: to the trained model; max_batch_difference: of a row alone to the same row in a batch.

    Both in the task's unit: of a probability, or of the training scores' standard deviation.
    """

    max_difference: float
    max_batch_difference: float
    flips: int


class Comparison:
    """Answers of one version to the requests for Samples.

    Args:
        samples: Samples, see trainer/export/samples.py.
        answers: see above.
        tolerance: float; the largest difference that is allowed, in the task's unit.
    """

    def __init__(self, samples, answers, tolerance):
        self.samples, self.answers, self.tolerance = samples, answers, tolerance
        self.task = samples.task
        self.batch = self.rows_of("batch")
        self.given = self.stacked(self.batch, self.task.compared)

    def figures(self):
        """Figures of a version whose answers are right; raises Differs with the first thing that is not."""
        largest = self._trained_model()
        flips = self.decisions()
        self._truncated()
        alone = max(self._alone(), self.vectors())
        self.examples()
        return Figures(largest, alone, flips)

    def rows_of(self, kind):
        """`{row: {output: value}}` of the requests of one kind."""
        return by_row(self.answers, kind)

    def decisions(self):
        """Number of answers that fall otherwise than the trained model's where both sides of a limit are near."""
        return 0

    def examples(self):
        """The signature for tf.Example gives what serving_default gives."""

    def _trained_model(self):
        name, reference = self.task.compared, self.samples.reference
        if self.given.shape != reference.shape:
            raise Differs(f"{name} of shape {self.given.shape}; the trained model gives {reference.shape}")
        return self.close("from the trained model", self.samples.rows(), self.given, reference)

    def _truncated(self):
        rows = list(self.samples.rows())
        for row in rows[len(rows) - self.samples.oversized :]:
            if not self.batch[row]["truncated"]:
                raise Differs(f"truncated is false on a text beyond the limit, {self.text(row)}")

    def _alone(self):
        rows = self.rows_of("alone")
        for row, answer in rows.items():
            if answer["truncated"] != self.batch[row]["truncated"]:
                raise Differs(f"truncated differs between a batch and a single row, on {self.text(row)}")
        return self.close("of a single row from the batch", rows, self.stacked(rows, self.task.compared), self.of(rows))

    def vectors(self):
        """The same of the vectors, as a share of the largest number in them."""
        asked = {rows: arrays["embedding"] for (kind, rows), arrays in self.answers.items() if kind == "embed"}
        batch = {
            row: vector for rows, each in asked.items() if len(rows) > 1 for row, vector in zip(rows, each, strict=True)
        }
        rows = sorted(row for row in batch if (row,) in asked)
        if not rows:
            return 0.0
        alone, together = np.stack([asked[row,][0] for row in rows]), np.stack([batch[row] for row in rows])
        scale = max(1.0, float(np.abs(together).max()))
        what = "of embed on a single row from the batch"
        return self.close(what, rows, alone / scale, together / scale, unit=1.0)

    def close(self, what, rows, given, expected, tolerance=None, unit=None):
        """The largest difference in `unit`, by default the task's; Differs beyond the tolerance, or for no number."""
        tolerance = self.tolerance if tolerance is None else tolerance
        rows = list(rows)
        difference = np.abs(given - expected).reshape(len(rows), -1).max(axis=1) / (unit or self.task.unit)
        difference = np.where(np.isnan(difference), np.inf, difference)
        worst = int(difference.argmax())
        if difference[worst] > tolerance:
            size = f"{difference[worst]:.2g}, allowed is {tolerance:.0e}"
            raise Differs(f"difference {what} is {size}, on {self.text(rows[worst])}")
        return float(difference[worst])

    def of(self, rows):
        """What serving_default gave for these rows."""
        return self.given[sorted(rows)]

    def stacked(self, rows, output):
        """One output of `{row: {output: value}}`, an array in the order of the rows."""
        return np.stack([rows[row][output] for row in sorted(rows)])

    def text(self, row):
        """The words for a row in a message."""
        kind, place = "dev text", row
        for after, count in (("question", self.samples.dev), ("hostile text", self.samples.questions)):
            if place >= count:
                kind, place = after, place - count
            else:
                break
        return f"{kind} {place + 1} ({ascii(self.samples.texts[row][:40])[1:]})"


def by_row(answers, kind):
    """`{row: {output: value}}` of the requests of one kind, in the order of the rows."""
    found = {
        row: {name: array[place] for name, array in arrays.items()}
        for (each, rows), arrays in answers.items()
        if each == kind
        for place, row in enumerate(rows)
    }
    return dict(sorted(found.items()))
