"""Rows of text alone, for tasks that make their targets from it."""

import sys

import numpy as np

from trainer.config import UserError
from trainer.inputs.label_kind import LabelKind


class Unlabelled(LabelKind):
    """No label column at all; see label_kind.py."""

    name, may_be_empty, labelled = "text", False, False

    def normalised(self, table):
        """The rows that hold a text: blank lines part the texts of some files, and nothing can be masked in them."""
        kept = np.flatnonzero([bool(table.texts[row].strip()) for row in range(len(table))])
        if not len(kept):
            raise UserError(f"{table.path}: no row holds a text; there is nothing to learn from")
        if len(kept) == len(table):
            return table
        print(f"note: {table.path}: {len(table) - len(kept)} rows without text are left out", file=sys.stderr)
        return table.take(kept)

    def check(self, table):
        """Every text will do."""

    def learned(self, splits):
        return {}

    def counts(self, cells, learned):
        return {}

    def class_weights(self, spec, cells, learned):
        if spec not in ("", "none"):
            raise UserError(f"--class_weights={spec}: texts without labels have no classes; give --class_weights=none")
