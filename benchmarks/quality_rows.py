"""The rows of the quality benchmark: any data set → train.jsonl, dev.jsonl, test.jsonl that both sides read.

Both sides get the same files, so that neither side's reader, split or column rule can tilt the comparison.
Row: {"text": …, "label": …} and, for pairs, "text_pair". Labels are strings: a number as the file has it, several
labels joined by `|`, spans and answers as JSON (quality_spans.py, quality_answers.py). A data set with texts that
belong to no label has them in out_of_scope.jsonl.
"""

import csv
import gzip
import hashlib
import json
import pathlib

from benchmarks import quality_answers, quality_spans, quality_splits
from benchmarks.quality_datasets import DATASETS

SPLITS = ("train", "dev", "test")
OUT_OF_SCOPE = "out_of_scope"
ENDINGS = tuple(kind + packed for packed in ("", ".gz") for kind in (".jsonl", ".tsv", ".csv", ".txt", ".json"))


class RowsError(Exception):
    """A data folder that cannot be used: one line that says what was given and what is needed."""


def write_rows(name, source, target, max_train_rows=None):
    """Writes the data set `name` of the folder `source` into `target`; returns {file: rows, "sha256": of all}.

    max_train_rows: None takes the data set's own, 0 all of them. Raises RowsError.
    """
    dataset = DATASETS[name]
    rows = all_splits(source, dataset)
    most = dataset.max_train_rows if max_train_rows is None else max_train_rows
    if most:
        rows["train"] = quality_splits.draw(rows["train"], most)
    if dataset.out_of_scope:
        rows[OUT_OF_SCOPE] = needed(source, dataset.out_of_scope, dataset)
    digest = hashlib.sha256()
    for split, own in rows.items():
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in own).encode()
        (pathlib.Path(target) / f"{split}.jsonl").write_bytes(text)
        digest.update(hashlib.sha256(text).digest())
    return {split: len(own) for split, own in rows.items()} | {"sha256": digest.hexdigest()}


def all_splits(source, dataset):
    """{split: rows} of a data set's folder; raises RowsError where it has no rows to train on or to test on."""
    if dataset.whole:
        rows = needed(source, dataset.whole, dataset)
        if dataset.fold:
            return quality_splits.by_fold(rows, [row.pop("fold") for row in rows])
        return quality_splits.by_label(rows)
    rows = {split: read_split(source, split, dataset) for split in SPLITS}
    for split in ("train", "test"):
        rows[split] = rows[split] or needed(source, file_of(split, dataset), dataset)
    if not rows["dev"]:
        hold_out = quality_splits.hold_out_texts if dataset.task == "span_qa" else quality_splits.hold_out
        rows["train"], rows["dev"] = hold_out(rows["train"], quality_splits.DEV_SHARE)
    return rows


def needed(folder, stem, dataset):
    """Rows of a file that must be there; raises RowsError where it is not, or is empty."""
    rows = read_rows(folder, stem, dataset)
    if not rows:
        raise RowsError(f"{folder}: no rows in {stem}; needed is a file {stem} with one of {' '.join(ENDINGS)}")
    return rows


def read_split(folder, split, dataset):
    """Rows of one split, [] where the folder has no such file; raises RowsError for a missing column."""
    return read_rows(folder, file_of(split, dataset), dataset)


def file_of(split, dataset):
    """Name of a split's file, without ending."""
    return getattr(dataset, split)


def read_rows(folder, stem, dataset):
    """Rows of one file, [] where the folder has none of that name; raises RowsError for a missing column."""
    found = [path for ending in ENDINGS if (path := pathlib.Path(folder) / (stem + ending)).is_file()]
    if dataset.task == "span_qa":
        return list(quality_answers.squad_rows(read_json(found[0]))) if found else []
    names = {"text": dataset.text, "text_pair": dataset.text_pair, "label": dataset.label, "fold": dataset.fold}
    names = {key: name for key, name in names.items() if name}
    rows = []
    for row in read_file(found[0], dataset.header) if found else ():
        if dataset.task == "multi_label":
            row[dataset.label] = "|".join(row.get(dataset.label) or ())
        missing = [name for name in names.values() if row.get(name) is None]
        if missing:
            raise RowsError(f"{found[0]}: row {len(rows) + 1} has no column {missing[0]!r}; it has {', '.join(row)}")
        rows.append(spans_or_fault(found[0], row, dataset) if dataset.task == "tagging" else plain(row, names))
    return rows


def plain(row, names):
    """{key: value as str} of the columns {key: name}."""
    return {key: str(row[name]) for key, name in names.items()}


def spans_or_fault(path, row, dataset):
    """The row of a text with spans; raises RowsError."""
    try:
        return quality_spans.row_of(row[dataset.text], row[dataset.label])
    except ValueError as fault:
        raise RowsError(f"{path}: {row[dataset.text][:60]!r} has {fault}") from None


def read_json(path):
    """What a .json file holds, gzipped or not."""
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as file:
        return json.load(file)


def read_file(path, header=()):
    """Dicts of one .jsonl, .tsv (quotes are text there), .csv or .txt (columns of CoNLL) file, gzipped or not.

    header: columns of a .tsv or .csv file whose first line is a row.
    """
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8-sig", newline="") as lines:
        if ".jsonl" in path.name:
            yield from (json.loads(line) for line in lines)
        elif ".txt" in path.name:
            yield from quality_spans.conll_rows(lines)
        elif ".tsv" in path.name:
            yield from csv.DictReader(lines, header or None, restkey="", delimiter="\t", quoting=csv.QUOTE_NONE)
        else:
            yield from csv.DictReader(lines, header or None, restkey="")
