"""Reads or makes the train, dev and test rows.

A split that we make is a pure function of (split_seed, text): every text is placed by a hash, so that the order of the
file and its format do not matter, and a text that stands in the file twice (white space collapsed) lands on one side.
"""

import dataclasses
import hashlib
import sys

import numpy as np

from trainer.config import UserError
from trainer.inputs.labels import SingleLabels
from trainer.inputs.sources import Table, read_table
from trainer.inputs.split_sources import ALL, NAMES, split_sources

KEPT_BACK = "-1"
_ONE_LABEL = SingleLabels()


@dataclasses.dataclass(frozen=True)
class Splits:
    """`dev` and `test` are None where the data has none and none was to be held out."""

    train: Table
    dev: Table | None
    test: Table | None

    def named(self):
        """{name: Table} of the splits that exist, train first."""
        return {name: getattr(self, name) for name in NAMES if getattr(self, name) is not None}


def load_splits(data_config, cache_dir, column=_ONE_LABEL):
    """Splits of `data_config.data`, whatever kind of source it names. Raises UserError.

    column: what the label column holds, see label_columns.py.
    """
    sources = split_sources(data_config, cache_dir)
    text, label = column.text_column(data_config.text_column), column.column(data_config.label_column)
    found = {
        name: column.normalised(
            read_table(source, text, data_config.text_pair_column, label, column.labelled, empty=column.may_be_empty)
        )
        for name, source in sources.items()
    }
    seed, dev_share, test_share = data_config.split_seed, data_config.dev_fraction, data_config.test_fraction
    if set(found) == {ALL}:
        rows = found[ALL]
        column.check(rows)  # one label only is the clearer thing to say than too few rows
        rows, test = hold_out(rows, test_share, seed, "test", column)
        # dev_share is a share of all rows, not of those that are left
        train, dev = hold_out(rows, dev_share / (1 - test_share), seed, "dev", column)
        return Splits(train, dev, test)
    train, dev = found["train"], found.get("dev")
    column.check(train)
    if dev is None:
        train, dev = hold_out(train, dev_share, seed, "dev", column)
    return Splits(train, dev, _labelled(found.get("test"), train))


def _labelled(test, train):
    """The test rows, or None where every label is kept back, as in GLUE: the class number -1."""
    if test is None or test.labels is None or set(test.labels) != {KEPT_BACK} or KEPT_BACK in train.labels:
        return test
    print(f"note: {test.path}: every label is {KEPT_BACK}, that is kept back: no test rows", file=sys.stderr)
    return None


def hold_out(table, share, seed, name, column=_ONE_LABEL):
    """(kept, held out) rows, each in the file's order: `share` of every label's rows where that is possible.

    What counts as a label here are the column's strata. A label with one text only stays in the kept part; (table,
    None) with share 0. Raises UserError if nothing could be held out.
    """
    if share <= 0:
        return table, None
    strata = [""] * len(table) if table.labels is None else column.strata(table.labels)
    groups = _same_texts(table, f"{seed}\0{name}", strata, _KEYS[column.held_out_by])
    out = np.zeros(len(table), bool)
    for own, quota in zip(groups.of_labels(), _quotas(groups, share, seed), strict=True):
        left = quota
        for group in own[:-1]:  # the last one is kept, whatever the share
            if groups.sizes[group] <= left:
                out[groups.rows(group)] = True
                left -= groups.sizes[group]
    if not out.any():
        raise UserError(
            f"{table.path}: too few rows to hold out any for {name}: give more rows of each label, "
            f"a larger --{name}_fraction, or a folder with a {name} file"
        )
    return table.take(np.flatnonzero(~out)), table.take(np.flatnonzero(out))


@dataclasses.dataclass(frozen=True)
class _Groups:
    """Rows of one text each, in hashed order; in numbers, since there may be millions.

    order: `<int64>[rows]`, the rows of the groups one after the other; starts, sizes: `<int64>[groups]`, of each in it;
    labels: `<int64>[groups]`, index into `names`: a text with several labels counts for its first.
    """

    order: np.ndarray
    starts: np.ndarray
    sizes: np.ndarray
    labels: np.ndarray
    names: list

    def rows(self, group):
        """The rows of a group, `<int64>[…]`."""
        return self.order[self.starts[group] : self.starts[group] + self.sizes[group]]

    def of_labels(self):
        """[groups of each label `<int64>[…]`, in hashed order]."""
        counts = np.bincount(self.labels, minlength=len(self.names))
        return np.split(np.argsort(self.labels, kind="stable"), np.cumsum(counts)[:-1])


def _same_texts(table, salt, strata, key):
    hashes = bytearray()
    for row in range(len(table)):
        hashes += _hash(salt, key(table, row))[:16]  # enough: no two texts share them
    high, low = np.frombuffer(hashes, ">u8").astype(np.uint64).reshape(-1, 2).T
    order = np.lexsort((low, high))  # stable: the first row of a text stays its first
    others = (high[order][1:] != high[order][:-1]) | (low[order][1:] != low[order][:-1])
    starts = np.concatenate([[0], np.flatnonzero(others) + 1])
    names = {}
    numbers = np.array([names.setdefault(label, len(names)) for label in strata])
    return _Groups(order, starts, np.diff(starts, append=len(table)), numbers[order[starts]], list(names))


def text_key(table, row):
    """What makes two rows the same text: the words of the text, and of its pair."""
    words = " ".join(table.texts[row].split())
    return words if table.pairs is None else words + "\0" + " ".join(table.pairs[row].split())


def _pair_key(table, row):
    return " ".join(table.pairs[row].split())


_KEYS = {"row": text_key, "pair": _pair_key}


def _quotas(groups, share, seed):
    """Rows to hold out of each label: the share's whole part, then one more of those that lose most by rounding."""
    counts = np.bincount(groups.labels, groups.sizes, minlength=len(groups.names)).astype(int).tolist()
    quotas = [int(count * share) for count in counts]
    missing = max(1, round(sum(counts) * share)) - sum(quotas)

    def gain(label):
        return quotas[label] - counts[label] * share, _hash(str(seed), groups.names[label])

    order = sorted((label for label, count in enumerate(counts) if count > 1), key=gain)
    for label in order[: max(0, missing)]:
        quotas[label] += 1
    return quotas


def _hash(salt, key):
    return hashlib.sha256(f"{salt}\0{key}".encode()).digest()
