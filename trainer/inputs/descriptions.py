"""The descriptions of labels, which stand where training rows would: what a label means, in one text or several."""

import pathlib

from trainer.config import UserError
from trainer.inputs.labels import did_you_mean, label_vocabulary
from trainer.inputs.sources import read_table

_LABEL, _TEXT = "label", "description"


def read_descriptions(path):
    """Table of a file with the columns label and description; a label may have several rows.

    Raises UserError, with file:line where there is a line: no such file, an empty cell, a description of two labels,
    one label alone.
    """
    if not path:
        raise UserError("--label_descriptions is empty: --learning=zero_shot answers by them; give a file")
    if not pathlib.Path(path).expanduser().is_file():
        raise UserError(f"--label_descriptions={path}: no such file; give one with the columns label and description")
    table = read_table(path, _TEXT, label_column=_LABEL)
    labels = {}
    for row, (text, label) in enumerate(zip(table.texts, table.labels, strict=True)):
        text = " ".join(text.split())
        if not text:
            raise UserError(f"{table.where(row)}: the description of '{label}' is empty; say in words what it means")
        other = labels.setdefault(text, label)
        if other != label:
            raise UserError(
                f"{table.where(row)}: '{other}' and '{label}' have one description; say what tells them apart"
            )
    label_vocabulary(table.labels, table.path)
    return table


def check_described(described, splits):
    """Raises UserError, with file:line, for the first dev or test label that has no description.

    described: Table of `read_descriptions`. splits: trainer.inputs.splits.Splits.
    """
    known = sorted(set(described.labels))
    for name, table in splits.named().items():
        for row, label in enumerate(table.labels if name != "train" else ()):
            if label not in known:
                raise UserError(
                    f"{table.where(row)}: label '{label}' of {name} has no description in {described.path}"
                    + did_you_mean(label, known)
                )
