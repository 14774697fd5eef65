"""Several labels in each row, or none: cells such as `billing|refund`; arrays of strings in JSONL, Parquet, Arrow."""

import collections
import dataclasses

import numpy as np

from trainer.config import UserError, labels_in
from trainer.inputs.cells import ArrayColumn
from trainer.inputs.label_kind import LabelKind
from trainer.inputs.labels import did_you_mean, given_weights


class _LabelsColumn(ArrayColumn):
    """A column of arrays of labels."""

    def holding(self, text):
        return (
            f"column '{self}' has the label '{text}', which holds the separator '{self.separator}'; "
            "give another --label_separator"
        )


@dataclasses.dataclass(frozen=True)
class LabelSets(LabelKind):
    """A label column of several labels; see label_kind.py."""

    separator: str

    name, may_be_empty = "label_set", True

    def column(self, name):
        return _LabelsColumn(name, self.separator)

    def check(self, table):
        if not self._counts(table.labels):
            raise UserError(f"{table.path}: no row has a label; labels are separated by --label_separator")

    def strata(self, cells):
        """Of each row its rarest label: with few rows it needs its share of the held-out ones most."""
        counts = self._counts(cells)
        return [min(self.of(cell), key=lambda label: (counts[label], label), default="") for cell in cells]

    def learned(self, splits):
        self.check(splits.train)
        vocabulary = sorted(self._counts(splits.train.labels))
        for name, table in splits.named().items():
            self._check_known(frozenset(vocabulary), table, name)
        return {"labels": vocabulary}

    def counts(self, cells, learned):
        return dict.fromkeys(learned["labels"], 0) | self._counts(cells)

    def class_weights(self, spec, cells, learned):
        """What a row that has the label counts in the loss, against 1 for one that has not.

        `balanced`: rows without the label / rows with it, as the pos_weight of PyTorch.
        """
        if spec in ("", "none"):
            return None
        if spec == "balanced":
            counts = self._counts(cells)
            return np.array([(len(cells) - counts[label]) / counts[label] for label in learned["labels"]], np.float32)
        return given_weights(spec, tuple(learned["labels"]))

    def of(self, cell):
        """The labels in a cell, a tuple of str."""
        return labels_in(cell, self.separator)

    def _counts(self, cells):
        return collections.Counter(label for cell in cells for label in self.of(cell))

    def _check_known(self, known, table, name):
        for row, cell in enumerate(table.labels):
            for label in self.of(cell):
                if label not in known:
                    hint = did_you_mean(label, sorted(known))
                    raise UserError(f"{table.where(row)}: label '{label}' of {name} is in no training row{hint}")
