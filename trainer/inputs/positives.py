"""A second text that belongs to the first, and maybe a third that does not: what vectors are learned from."""

import dataclasses

from trainer.config import UserError
from trainer.inputs.label_kind import LabelKind


@dataclasses.dataclass(frozen=True)
class Positives(LabelKind):
    """The label column is that of the third text, see label_kind.py; without one it is that of the second.

    negative: name of the column of the third text, or "". pair: of the second.
    """

    pair: str
    negative: str = ""

    name, may_be_empty = "positive", True

    def column(self, name):
        return self.negative or self.pair

    def check(self, table):
        for row, pair in enumerate(table.pairs):
            if not pair.strip():
                raise UserError(f"{table.where(row)}: the text in '{self.pair}' is empty; every row needs one")
        if len(set(table.pairs)) < 2:
            raise UserError(f"{table.path}: every row has the same text in '{self.pair}'; at least two are needed")

    def strata(self, cells):
        return [""] * len(cells)

    def learned(self, splits):
        for table in splits.named().values():
            self.check(table)
        return {}

    def counts(self, cells, learned):
        return {}

    def class_weights(self, spec, cells, learned):
        if spec not in ("", "none"):
            raise UserError(f"--class_weights={spec}: pairs of texts have no classes; give --class_weights=none")
