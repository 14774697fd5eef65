"""What --fix can mend in the cells of a row."""

import collections
import re

from data import blemishes
from data.doctor.labels import label_key

# In the order in which they are applied: what one uncovers the next can mend.
FIXES = {
    "encoding": "bytes that are no UTF-8 are read in --encoding",
    "mojibake": "text that was read in a wrong encoding before, by ftfy",
    "html": "tags go, entities become characters",
    "control": "control and invisible characters go",
    "whitespace": "runs of white space become one space, none at the ends",
    "labels": "every label as most rows write it: case, white space, 1.0 or 1",
}
_OF_TEXTS = {
    "mojibake": blemishes.mend_mojibake,
    "html": blemishes.mend_html,
    "control": blemishes.mend_control,
    "whitespace": blemishes.mend_whitespace,
}


class Repairs:
    """Mends the cells of rows.

    Args:
        fixes: names of FIXES. texts: columns of texts. label: column of the label, "" for none.
        spellings: {label: label as most rows write it}. flat: whether a cell may hold no tab and no line end.
    """

    def __init__(self, fixes, texts, label, spellings=None, flat=False):
        self.mends = {name: mend for name, mend in _OF_TEXTS.items() if name in fixes}
        self.texts, self.label, self.flat = texts, label if "labels" in fixes else "", flat
        self.spellings = spellings or {}

    def apply(self, cells):
        """[(fix, column, before, after)] of a row; `cells` is changed in place."""
        changes = []
        for column in self.texts:
            for name, mend in self.mends.items():
                changes += _change(cells, name, column, self._flat(mend(cells[column]), cells[column]))
        if self.label:
            before = cells[self.label]
            changes += _change(cells, "labels", self.label, self.spellings.get(before, before))
        return changes

    def _flat(self, text, before):
        return re.sub(r"[\t\r\n]+", " ", text) if self.flat and text != before else text


def usual_spellings(labels):
    """{label: its most frequent spelling, without white space at the ends} of a Counter of labels."""
    groups = collections.defaultdict(collections.Counter)
    for label, count in labels.items():
        groups[label_key(label)][label.strip()] += count
    return {label: groups[label_key(label)].most_common(1)[0][0] for label in labels}


def _change(cells, name, column, after):
    before = cells[column]
    if after == before:
        return []
    cells[column] = after
    return [(name, column, before, after)]
