"""Finds or makes the train, dev and test rows.

A split that we make is a pure function of (split_seed, text): every text is placed by a hash, so that the order of the
file and its format do not matter, and a text that stands in the file twice (white space collapsed) lands on one side.
"""

import dataclasses
import hashlib
import os
import pathlib

from trainer.config import CARRIED, UserError, carried_path
from trainer.inputs.labels import label_vocabulary
from trainer.inputs.sources import SUFFIXES, Table, kind_of, nearest, read_table

NAMES = {"train": ("train",), "dev": ("dev", "validation", "valid", "val"), "test": ("test",)}


@dataclasses.dataclass(frozen=True)
class Splits:
    """`dev` and `test` are None where the data has none and none was to be held out."""

    train: Table
    dev: Table | None
    test: Table | None

    def named(self):
        """{name: Table} of the splits that exist, train first."""
        return {name: getattr(self, name) for name in NAMES if getattr(self, name) is not None}


def load_splits(data_config, cache_dir):
    """Splits of `data_config.data`: a folder, one file, or pip:NAME from the cache folder. Raises UserError."""
    path = data_path(data_config.data, cache_dir)
    columns = (data_config.text_column, data_config.text_pair_column, data_config.label_column)
    seed, dev_share, test_share = data_config.split_seed, data_config.dev_fraction, data_config.test_fraction
    if not path.is_dir():
        rows = read_table(path, *columns)
        label_vocabulary(rows.labels, rows.path)  # one label only is the clearer thing to say than too few rows
        rows, test = hold_out(rows, test_share, seed, "test")
        # dev_share is a share of all rows, not of those that are left
        train, dev = hold_out(rows, dev_share / (1 - test_share), seed, "dev")
        return Splits(train, dev, test)
    files = find_files(path)
    found = {name: read_table(file, *columns) for name, file in files.items()}
    train, dev = found["train"], found.get("dev")
    label_vocabulary(train.labels, train.path)
    if dev is None:
        train, dev = hold_out(train, dev_share, seed, "dev")
    return Splits(train, dev, found.get("test"))


def data_path(given, cache_dir):
    """The folder or file that --data names."""
    if not given:
        raise UserError("--data is empty: give a folder with train, dev and test files, or one file")
    if not given.startswith(CARRIED):
        path = pathlib.Path(os.path.expanduser(given))
        if not os.path.exists(path):
            raise UserError(f"--data={given}: no such file or folder; give one that exists")
        return path
    path = carried_path(given, cache_dir)
    if not path.exists():
        there = [CARRIED + other.name for other in path.parent.iterdir()] if path.parent.is_dir() else []
        near = nearest(given, there)
        hint = f"did you mean {near}? Else" if near else "to fetch it,"
        raise UserError(f"--data={given}: not in the cache ({path}); {hint} run: python -m data.fetch")
    return path


def find_files(folder):
    """{"train": path, …} of the folder's files for each split; train must be there."""
    found = {}
    for path in sorted(folder.iterdir()):
        stem, kind = path.name.lower().removesuffix(".gz"), kind_of(path)
        name = next((name for name, stems in NAMES.items() if stem.removesuffix(kind) in stems), None)
        if name is None or kind not in SUFFIXES:
            continue
        if name in found:
            raise UserError(f"{folder}: both {found[name].name} and {path.name} could be {name}; keep one of them")
        found[name] = path
    if "train" not in found:
        there = ", ".join(path.name for path in sorted(folder.iterdir())[:10]) or "nothing"
        raise UserError(f"{folder}: no train{{{','.join(SUFFIXES)}}} (also .gz); the folder holds {there}")
    return found


def hold_out(table, share, seed, name):
    """(kept, held out) rows, each in the file's order: `share` of every label's rows where that is possible.

    A label with one text only stays in the kept part; (table, None) with share 0. Raises UserError if nothing could
    be held out.
    """
    if share <= 0:
        return table, None
    texts = _same_texts(table)
    quotas = _quotas(table, texts, share, seed)
    out = set()
    for label, groups in _by_label(table, texts, f"{seed}\0{name}").items():
        left = quotas[label]
        for group in groups[:-1]:  # the last one is kept, whatever the share
            if len(group) <= left:
                out.update(group)
                left -= len(group)
    if not out:
        raise UserError(
            f"{table.path}: too few rows to hold out any for {name}: give more rows of each label, "
            f"a larger --{name}_fraction, or a folder with a {name} file"
        )
    return table.take([i for i in range(len(table)) if i not in out]), table.take(sorted(out))


def _same_texts(table):
    """{text with white space collapsed: [rows]}, in the order of first appearance."""
    groups = {}
    for row in range(len(table)):
        groups.setdefault(text_key(table, row), []).append(row)
    return groups


def text_key(table, row):
    """What makes two rows the same text: the words of the text, and of its pair."""
    words = " ".join(table.texts[row].split())
    return words if table.pairs is None else words + "\0" + " ".join(table.pairs[row].split())


def _by_label(table, texts, salt):
    """{label: [[rows of one text], …] in hashed order}; a text with several labels counts for its first."""
    by_label = {}
    for key in sorted(texts, key=lambda key: _hash(salt, key)):
        by_label.setdefault(table.labels[texts[key][0]], []).append(texts[key])
    return by_label


def _quotas(table, texts, share, seed):
    """{label: rows to hold out}: the share's whole part, then one more to the labels that lose most by rounding."""
    counts = {}
    for rows in texts.values():
        label = table.labels[rows[0]]
        counts[label] = counts.get(label, 0) + len(rows)
    quotas = {label: int(count * share) for label, count in counts.items()}
    missing = max(1, round(len(table) * share)) - sum(quotas.values())
    order = sorted(counts, key=lambda label: (quotas[label] - counts[label] * share, _hash(str(seed), label)))
    for label in [label for label in order if counts[label] > 1][: max(0, missing)]:
        quotas[label] += 1
    return quotas


def _hash(salt, key):
    return hashlib.sha256(f"{salt}\0{key}".encode()).digest()
