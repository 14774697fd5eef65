"""The rows of several heads as one Splits: each cell of the label column is a JSON object, `{head: its own cell}`.

A head that learns from pairs has both in its cell, `[second text, cell of the label column]`: a row has one text.
"""

import dataclasses
import json
from typing import Any

import numpy as np

from trainer.inputs.sources import Table
from trainer.inputs.splits import NAMES, Splits, load_splits


@dataclasses.dataclass(frozen=True)
class HeadCorpus:
    """splits: of all heads, those of one data set one after the other. learned: {head: what the training rows say of
    its column}. class_weights: {head: weights or None}. counts: {split: {head/label: rows}}."""

    splits: Splits
    learned: dict[str, Any]
    class_weights: dict[str, Any]
    counts: dict[str, dict[str, int]]


def read_heads(heads, cache_dir):
    """HeadCorpus of {name: (DataConfig, label column)}. Raises UserError, with file:line."""
    found = {name: load_splits(data, cache_dir, column) for name, (data, column) in heads.items()}
    learned = {name: heads[name][1].learned(splits) for name, splits in found.items()}
    weights = {
        name: column.class_weights(data.class_weights, found[name].train.labels, learned[name])
        for name, (data, column) in heads.items()
    }
    sets = _data_sets(found)
    splits = Splits(*(_joined([part for each in sets if (part := _labelled(each, split))]) for split in NAMES))
    counts = {split: {} for split in splits.named()}
    for name, own in found.items():
        for split, table in own.named().items():
            labels = heads[name][1].counts(table.labels, learned[name])
            counts[split] |= {f"{name}/{label}": rows for label, rows in labels.items()}
    return HeadCorpus(splits, learned, weights, counts)


def data_sets(cells):
    """`<int>[rows]`: which data set each row of the label column is of, by the heads that it has labels for."""
    names = [tuple(json.loads(cell)) for cell in cells]
    number = {each: place for place, each in enumerate(dict.fromkeys(names))}
    return np.array([number[each] for each in names], np.int64)


def _data_sets(found):
    """[{head: Splits}]: heads whose texts are the same in every split are of one data set, one of pairs at most."""
    sets = []
    for name, splits in found.items():
        same = next((each for each in sets if _go_together(each, splits)), None)
        if same is None:
            sets.append({name: splits})
        else:
            same[name] = splits
    return sets


def _go_together(heads, splits):
    pairs = [each for each in (*heads.values(), splits) if each.train.pairs is not None]
    return len(pairs) < 2 and _same_texts(next(iter(heads.values())), splits)


def _same_texts(one, other):
    one, other = one.named(), other.named()
    return one.keys() == other.keys() and all(
        len(one[split]) == len(other[split]) and all(map(str.__eq__, one[split].texts, other[split].texts))
        for split in one
    )


def _labelled(heads, split):
    """The Table of one split of a data set with the labels of all its heads; None where it has no such split."""
    tables = {name: table for name, splits in heads.items() if (table := getattr(splits, split)) is not None}
    if not tables:
        return None
    first = next(iter(tables.values()))
    columns = zip(*map(_own_cells, tables.values()), strict=True)
    cells = [json.dumps(dict(zip(tables, row, strict=True)), ensure_ascii=False) for row in columns]
    return dataclasses.replace(first, pairs=None, labels=cells)


def _own_cells(table):
    return table.labels if table.pairs is None else zip(table.pairs, table.labels, strict=True)


def _joined(tables):
    """One Table of all data sets; None of none."""
    if len(tables) < 2:
        return tables[0] if tables else None
    return Table(
        texts=[text for table in tables for text in table.texts],
        pairs=None,
        labels=[label for table in tables for label in table.labels],
        path=tables[0].path,
        lines=np.concatenate([table.lines for table in tables]),
        files=[file for table in tables for file in table.files or [table.path] * len(table)],
    )
