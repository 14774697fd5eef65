"""What is compared where the answer is one label, or several: `label`, `score`, `out_of_scope`, `abstain`, `selected`,
`classify`."""

import dataclasses

import numpy as np

from trainer.export.comparison import Comparison, Differs, Figures, by_row

_ROUNDING = 1e-4  # between outputs of one answer, whatever the precision


@dataclasses.dataclass(frozen=True)
class ScopeFigures(Figures):
    """out_of_scope: the largest differences of that output, in its own unit."""

    out_of_scope: dict


class LabelComparison(Comparison):
    """Of classification."""

    def figures(self):
        found = super().figures()
        return ScopeFigures(*dataclasses.astuple(found), self._out_of_scope()) if self.scope else found

    @property
    def scope(self):
        """Whether out_of_scope is answered."""
        return self.task.decisions.out_of_scope != "none"

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
        """`abstain` is what the version's own outputs make of it, and what the trained model's do.

        The latter but for scores within the tolerance of the limit, and for labels that `labels` let flip.
        """
        limits = self.task.decisions.of(self.task.labels)
        thresholds = dict(zip(self.task.labels, np.float32(limits), strict=True))
        for row, score in zip(rows, scores, strict=True):
            given, label = bool(self.batch[row]["abstain"]), self.batch[row]["label"].decode()
            threshold, far, reference = thresholds.get(label, 0), self._is_far(row), self.samples.reference[row]
            if given != (score < threshold or far):
                against = f"its score {score:.6g} and the threshold {threshold:.6g} of {label!r}"
                against += f", {'beyond' if far else 'within'} the limit of out_of_scope" if self.scope else ""
                raise Differs(f"abstain is {str(given).lower()} against {against}, on {self.text(row)}")
            same = label == self.task.labels[reference.argmax()]
            sure = abs(reference.max() - threshold) > self.tolerance
            if same and sure and (score < threshold) != (reference.max() < threshold):
                raise Differs(f"abstain is {str(given).lower()} where the trained model's is not, on {self.text(row)}")

    def _is_far(self, row):
        """Whether the version's own out_of_scope is beyond the limit."""
        return self.scope and self.batch[row]["out_of_scope"] > np.float32(self.task.decisions.out_of_scope_limit)

    def _out_of_scope(self):
        """{"max_difference", "max_batch_difference"} of it, as Figures has them of the probabilities."""
        unit, rows = self.task.decisions.out_of_scope_unit, self.rows_of("alone")
        given, alone = (self.stacked(each, "out_of_scope") for each in (self.batch, rows))
        trained, together = self.samples.answers["out_of_scope"], given[sorted(rows)]
        largest = self.close("of out_of_scope from the trained model", self.samples.rows(), given, trained, unit=unit)
        single = self.close("of out_of_scope of a single row from the batch", rows, alone, together, unit=unit)
        return {"max_difference": largest, "max_batch_difference": single}

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
