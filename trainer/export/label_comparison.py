"""What is compared where the answer is one label, or several: `label`, `score`, `abstain`, `selected`, `classify`."""

import numpy as np

from trainer.export.comparison import Comparison, Differs, by_row

_ROUNDING = 1e-4  # between outputs of one answer, whatever the precision


class LabelComparison(Comparison):
    """Of classification."""

    def decisions(self):
        flips = self.labels()
        self.flags()
        return flips

    def labels(self):
        """Number of labels that are not the trained model's; none may be where its margin is beyond doubt."""
        reference, labels = self.samples.reference, self.task.labels
        given = [self.batch[row]["label"].decode() for row in self.samples.rows()]
        flipped = [row for row in self.samples.rows() if given[row] != labels[reference[row].argmax()]]
        ordered = np.sort(reference, axis=1)
        for row in flipped:
            if reference.shape[1] == 1 or ordered[row, -1] - ordered[row, -2] > 2 * self.tolerance:
                wanted = labels[reference[row].argmax()]
                raise Differs(f"label {given[row]!r} where the trained model says {wanted!r}, on {self.text(row)}")
        return len(flipped)

    def flags(self):
        """`score` and `abstain` say what they must."""
        self._abstains(self.samples.rows(), self.scores())

    def scores(self):
        """`score` of every row, which is its largest probability."""
        scores = self.stacked(self.batch, "score")
        largest = self.given.max(axis=1)
        self.close("of score from the largest probability", self.samples.rows(), scores, largest, _ROUNDING)
        return scores

    def _abstains(self, rows, scores):
        """`abstain` is what the version's own score and label make of it, and what the trained model's do.

        The latter but for scores within the tolerance of the threshold, and for labels that `labels` let flip.
        """
        limits = self.task.decisions.of(self.task.labels)
        thresholds = dict(zip(self.task.labels, np.float32(limits), strict=True))
        for row, score in zip(rows, scores, strict=True):
            given, label = bool(self.batch[row]["abstain"]), self.batch[row]["label"].decode()
            threshold = thresholds.get(label, 0)
            if given != (score < threshold):
                against = f"its score {score:.6g} and the threshold {threshold:.6g} of {label!r}"
                raise Differs(f"abstain is {str(given).lower()} against {against}, on {self.text(row)}")
            reference = self.samples.reference[row]
            same = label == self.task.labels[reference.argmax()]
            sure = abs(reference.max() - threshold) > self.tolerance
            if same and sure and given != (reference.max() < threshold):
                raise Differs(f"abstain is {str(given).lower()} where the trained model's is not, on {self.text(row)}")

    def examples(self):
        rows = by_row(self.answers, "classify")
        if rows:
            self.close("of classify from serving_default", rows, self.stacked(rows, "scores"), self.of(rows))
        labels = [label.encode() for label in self.task.labels]
        if any(answer["classes"].tolist() != labels for answer in rows.values()):
            raise Differs(f"classify gives other classes than {', '.join(self.task.labels)}")


class LabelSetComparison(LabelComparison):
    """Of several labels for each text: a flip is a label that is selected on one side only."""

    def decisions(self):
        flips = self.labels() + self._selected()
        self.scores()
        for row in self.samples.rows():
            if self.batch[row]["abstain"]:
                raise Differs(f"abstain is true of several labels, which never abstain, on {self.text(row)}")
        return flips

    def _selected(self):
        """Number of labels that are selected otherwise than by the trained model, all of them near the threshold."""
        limits = np.float32(self.task.decisions.of(self.task.labels))
        given, reference = self.stacked(self.batch, "selected"), self.samples.reference
        own = given != (self.given >= limits)
        other = (given != (reference >= limits)) & (np.abs(reference - limits) > self.tolerance)
        for wrong, against in ((own, "its probability and threshold"), (other, "the trained model")):
            if wrong.any():
                row, label = np.argwhere(wrong)[0]
                name = self.task.labels[label]
                raise Differs(f"selected has {name!r} otherwise than {against}, on {self.text(row)}")
        return int((given != (reference >= limits)).sum())
