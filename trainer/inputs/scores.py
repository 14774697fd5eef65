"""A number in each row: checked, and what the training rows say of its size."""

import dataclasses
import math

import numpy as np

from trainer.config import UserError
from trainer.inputs.label_kind import LabelKind

_STRATA = 10  # parts of the range of scores that a held-out split has its share of


@dataclasses.dataclass(frozen=True)
class Scores(LabelKind):
    """A label column of numbers; see label_kind.py. bounds: (least, largest) that is allowed, or None."""

    bounds: tuple | None = None

    name, may_be_empty = "score", False

    def check(self, table):
        self._varied(table)

    def strata(self, cells):
        """Of each row which tenth of the rows its score is in; equal scores are in one."""
        values = np.array([float(cell) for cell in cells])
        edges = np.quantile(values, np.linspace(0, 1, _STRATA + 1)[1:-1])
        return [str(place) for place in np.searchsorted(edges, values)]

    def learned(self, splits):
        """Mean and standard deviation of the training scores: heads learn in units of these."""
        values = np.array(self._varied(splits.train))
        for table in (splits.dev, splits.test):
            if table is not None:
                self._values(table)
        return {"mean": float(values.mean()), "deviation": float(values.std())}

    def counts(self, cells, learned):
        return {}

    def class_weights(self, spec, cells, learned):
        if spec not in ("", "none"):
            raise UserError(f"--class_weights={spec}: scores have no classes; give --class_weights=none")

    def _varied(self, table):
        """The same as `_values`, where they are not all one."""
        values = self._values(table)
        if len(set(values)) == 1:
            raise UserError(f"{table.path}: every row has the score {table.labels[0]}; there is nothing to learn")
        return values

    def _values(self, table):
        """The scores of a Table, a list of float. Raises UserError, with file:line, for the first that is none."""
        return [self._value(table, row, cell) for row, cell in enumerate(table.labels)]

    def _value(self, table, row, cell):
        try:
            value = math.nan if "_" in cell else float(cell)  # Python's own 1_000 is no number elsewhere
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise UserError(f"{table.where(row)}: the score is '{cell[:40]}'; allowed is a number, such as 3.5")
        if self.bounds and not self.bounds[0] <= value <= self.bounds[1]:
            low, high = self.bounds
            raise UserError(
                f"{table.where(row)}: the score {cell} is out of bounds; --score_range={low:g},{high:g} allows "
                f"{low:g} to {high:g}"
            )
        return value
