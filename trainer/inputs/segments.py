"""Two segments of a text, and whether the second one follows the first: drawn by (seed, epoch, row) and nothing else.

nsp: half of the second segments are another row's (BERT, https://arxiv.org/abs/1810.04805); sop: half of the pairs are
swapped (ALBERT, https://arxiv.org/abs/1909.11942). The segments are a row's two texts; of a single text its two parts,
cut where a word begins, in its middle half.
"""

import dataclasses
from typing import Any

import numpy as np

FOLLOWS, NOT, NO_PAIR = 0, 1, -1  # what is to be told, by transformers' numbers; nothing of a text of one word


@dataclasses.dataclass(frozen=True)
class Segments:
    """kind: "nsp" or "sop". tokens: TokenIds of the rows. begins: `<bool>[vocabulary]`, tokens that open a word.
    special: trainer.models SpecialTokens. longest: tokens of a row at most, special ones included."""

    kind: str
    tokens: Any
    begins: np.ndarray
    special: Any
    longest: int

    def lengths(self):
        """`<int64>[rows]`: tokens that a row has at most."""
        return np.minimum(self.tokens.lengths + len(self.special.separator), self.longest)

    def draw(self, row, key):
        """(ids `<int32>[length]`, tokens of the first segment, FOLLOWS, NOT or NO_PAIR) of a row.

        key: (seed, epoch, row); equal ones draw alike.
        """
        random = np.random.default_rng((*key, 1))  # not the draw that masks
        first, second = self._segments(row, random)
        if not len(first) or not len(second) or len(self.tokens) < 2:
            return self._ids(row), int(self.tokens.first[row]), NO_PAIR
        told = int(random.integers(2))
        if told == NOT and self.kind == "sop":
            first, second = second, first
        elif told == NOT:
            second = self._foreign(row, random)[: len(second)]
        before = [self.special.start, *first, *self.special.separator]
        return np.array([*before, *second, self.special.end], np.int32), len(before), told

    def _ids(self, row):
        return self.tokens.ids[self.tokens.starts[row] : self.tokens.starts[row + 1]]

    def _segments(self, row, random):
        ids, first, marks = self._ids(row), int(self.tokens.first[row]), len(self.special.separator)
        if first < len(ids):
            return ids[1 : first - marks], ids[first:-1]
        body = ids[1:-1][: self.longest - 2 - marks]
        low, high = -(-len(body) // 4), len(body) - len(body) // 4
        opening = np.flatnonzero(self.begins[body[low : high + 1]]) + low
        opening = opening[(opening > 0) & (opening < len(body))]
        cut = int(random.choice(opening)) if len(opening) else 0
        return body[:cut], body[cut:]

    def _foreign(self, row, random):
        """The second segment of another row; all of it where it is one word."""
        other = (row + int(random.integers(1, len(self.tokens)))) % len(self.tokens)
        first, second = self._segments(other, random)
        return second if len(second) else first
