"""Texts that occur more than once: inside a file, in two splits, in two data sets, or under two labels."""

import numpy as np

from data.doctor.findings import ERROR, EXAMPLES, WARNING, Tally
from data.doctor.rows import SPLITS

KEYS = {"exact": "white space collapsed", "near": "lower-cased letters and digits"}
CONTRADICTING = 0.01  # a larger share of rows whose text has two labels spoils what is learned


def repeats(keys):
    """(rows, firsts) `<int64>[n]`: the indices of keys that occurred before, and where each first did."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    new = np.append(True, ordered[1:] != ordered[:-1]) if len(keys) else np.zeros(0, bool)
    first = order[np.maximum.accumulate(np.where(new, np.arange(len(keys)), 0))]
    again = ~new & (ordered != 0)
    by_row = np.argsort(order[again])
    return order[again][by_row], first[again][by_row]


def shared(keys, others):
    """(rows, firsts) `<int64>[n]`: the indices of `keys` that stand among `others`, and where each first does."""
    if not len(others):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    order = np.argsort(others, kind="stable")
    place = np.minimum(np.searchsorted(others[order], keys), len(others) - 1)
    rows = np.flatnonzero((others[order][place] == keys) & (keys != 0))
    return rows, order[place[rows]]


class Overlap:
    """Rows of one source whose text stands in `others` (indices of sources; its own alone: in an earlier row).

    exact, near: (rows, the rows they repeat); similar: the same once MinHash has run, without those in `near`.
    """

    def __init__(self, rows, index, others):
        self.rows, self.index, self.others = rows, index, others
        self.inside = tuple(others) == (index,)
        self.exact, self.near = (self._by(keys) for keys in (rows.exact, rows.near))
        self.similar = None

    def _by(self, keys):
        own = self.rows.of(self.index)
        if self.inside:
            again, firsts = repeats(keys[own])
            return own[again], own[firsts]
        there = self.rows.of(*self.others)
        again, firsts = shared(keys[own], keys[there])
        return own[again], there[firsts]

    def kind(self):
        """duplicates (inside a file), leakage (what is judged was learned) or overlap (any other two files)."""
        if self.inside:
            return "duplicates"
        source, others = (self.rows.sources[i] for i in (self.index, self.others[0]))
        judged = len(self.others) == 1 and others.split == "train" and source.split in ("dev", "test")
        leaks = judged and source.group == others.group
        return "leakage" if leaks else "overlap"

    def name(self):
        """What the rows were compared with: a file, or all files of a folder."""
        source = self.rows.sources[self.others[0]]
        return source.path if len(self.others) == 1 else source.group

    def to_dict(self):
        counts = {key: len(getattr(self, key)[0]) for key in KEYS}
        similar = None if self.similar is None else len(self.similar[0])
        return {"file": self.rows.sources[self.index].path, "in": self.name(), **counts, "similar": similar}

    def findings(self):
        """Of each key that finds more than the one before it."""
        severity = ERROR if self.kind() == "leakage" else WARNING
        path, found, known = self.rows.sources[self.index].path, [], np.zeros(0, np.int64)
        where = "repeat an earlier row" if self.inside else f"are also in {self.name()}"
        for key, meaning in KEYS.items():
            again, firsts = getattr(self, key)
            if len(again) > len(known):
                tally = Tally()
                for row, first in _unknown(again, firsts, known):
                    tally.add(self.rows.where(row), self.rows.texts[row], self.rows.where(first))
                tally.count = len(again)
                found += tally.found(f"{self.kind()}_{key}", severity, f"{{}} rows of {path} {where} ({meaning})")
            known = again
        return found


def overlaps(rows):
    """[Overlap]: of each file with itself, with the splits before it, and with every other data set."""
    found = []
    for index, source in enumerate(rows.sources):
        found.append(Overlap(rows, index, (index,)))
        groups = {}
        for other, its in enumerate(rows.sources):
            if its.group != source.group:
                groups.setdefault(its.group, []).append(other)
            elif _rank(rows, other) < _rank(rows, index):
                found.append(Overlap(rows, index, (other,)))
        found += [Overlap(rows, index, tuple(others)) for others in groups.values()]
    return found


def contradictions(rows):
    """[Finding]: rows whose text stands under another label too, in the same file or another split of its data set."""
    found = []
    for files in rows.scopes():
        own = rows.of(*files)
        own = own[rows.label[own] >= 0]
        known = np.zeros(0, np.int64)
        for key, meaning in KEYS.items():
            keys = getattr(rows, key)[own]
            against = own[_under_two_labels(keys, rows.label[own])]
            if len(against) > len(known):
                severity = ERROR if len(against) > CONTRADICTING * len(own) else WARNING
                message = f"{{}} of {len(own):,} rows have a text that stands under two labels ({meaning})"
                tally = _contradicting(rows, against, getattr(rows, key), known)
                found += tally.found(f"contradictions_{key}", severity, message)
            known = against
    return found


def _under_two_labels(keys, labels):
    """`<bool>[rows]`: whether a row's key occurs with more than one label."""
    if not len(keys):
        return np.zeros(0, bool)
    _, place = np.unique(keys, return_inverse=True)
    least, most = np.full(place.max() + 1, np.iinfo(np.int32).max, np.int32), np.full(place.max() + 1, -1, np.int32)
    np.minimum.at(least, place, labels)
    np.maximum.at(most, place, labels)
    return (least != most)[place] & (keys != 0)


def _contradicting(rows, against, keys, known):
    """Examples of texts that no stricter key has found, the rows of one text one after the other, with their labels."""
    tally = Tally()
    fresh = keys[against[~np.isin(against, known)]]
    order = against[np.isin(keys[against], fresh)]
    order = order[np.argsort(keys[order], kind="stable")]
    groups = np.split(order, np.flatnonzero(np.diff(keys[order])) + 1)
    for group in sorted(groups, key=lambda group: group[0])[:EXAMPLES]:
        for row in group[:EXAMPLES]:
            tally.add(rows.where(row), f"[{rows.labels[rows.label[row]]}] {rows.texts[row]}", rows.where(group[0]))
    tally.count = len(against)
    return tally


def _unknown(again, firsts, known):
    """The first pairs of rows that no stricter key has found."""
    fresh = np.flatnonzero(~np.isin(again, known))[:EXAMPLES]
    return zip(again[fresh].tolist(), firsts[fresh].tolist(), strict=True)


def _rank(rows, index):
    split = rows.sources[index].split
    return (SPLITS.index(split) if split else len(SPLITS), index)
