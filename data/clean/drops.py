"""Which rows --drop and --leaked_from leave out."""

from data.blemishes import has_replacement
from data.keys import exact_key, near_key
from trainer.config import UserError
from trainer.inputs.sources import read_rows

DROPS = {
    "malformed": "rows that cannot be read: too many or too few fields, broken JSON or quotes",
    "empty": "rows without a text",
    "unlabelled": "rows without a label",
    "replacement": "rows that hold U+FFFD: what stood there is lost",
    "contradictions": "all rows of a text (letters and digits) that stands under two labels",
    "duplicates": "rows that repeat an earlier one's text, white space collapsed",
    "near_duplicates": "rows that repeat an earlier one's text, by lower-cased letters and digits",
}
LEAKED = "leaked"


class Drops:
    """Says of each row, as it stands after the repairs, why it is left out.

    Args:
        drops: names of DROPS. texts: columns of the text and its pair. label: its column, "" for none.
        leaked: set of hashed near keys that must not occur. against: the same of texts under two labels.
    """

    def __init__(self, drops, texts, label, leaked=frozenset(), against=frozenset()):
        self.drops, self.texts, self.label = frozenset(drops), texts, label
        self.leaked, self.against = leaked, against
        self.exact, self.near = set(), set()

    def reason(self, cells):
        """The name of the drop, or "" for a row that stays. Rows must come in the order of the file, once."""
        texts = [cells[column] for column in self.texts]
        empty = not any(text.strip() for text in texts)
        if empty and "empty" in self.drops:
            return "empty"
        if "unlabelled" in self.drops and not cells[self.label].strip():
            return "unlabelled"
        if empty:  # which repeats nothing
            return ""
        if "replacement" in self.drops and any(map(has_replacement, texts)):
            return "replacement"
        return self._repeated(texts)

    def _repeated(self, texts):
        near = hash(near_key(*texts)) if self.leaked or self.against or "near_duplicates" in self.drops else 0
        if near in self.leaked:
            return LEAKED
        if near in self.against:
            return "contradictions"
        if "duplicates" in self.drops and _met(self.exact, hash(exact_key(*texts))):
            return "duplicates"
        if "near_duplicates" in self.drops and _met(self.near, near):
            return "near_duplicates"
        return ""


class TwoLabels:
    """Finds, row by row, the texts that stand under two labels."""

    def __init__(self, texts, label):
        self.texts, self.label = texts, label
        self.first, self.against = {}, set()

    def see(self, cells):
        if not cells[self.label].strip():
            return
        key = hash(near_key(*(cells[column] for column in self.texts)))
        if self.first.setdefault(key, hash(cells[self.label].strip())) != hash(cells[self.label].strip()):
            self.against.add(key)


def near_keys(path, columns):
    """The set of hashed near keys of a file's texts, and pairs."""

    def fault(found):
        if found.kind == "columns":
            raise UserError(f"--leaked_from: {path}:{found.line}: {found.message}")

    return {hash(near_key(*cells)) for _, cells in read_rows(path, columns, fault)}


def _met(seen, key):
    if key in seen:
        return True
    seen.add(key)
    return False
