"""The rows of the quality benchmark: any data set → train.jsonl, dev.jsonl, test.jsonl that both sides read.

Both sides get the same three files, so that neither side's reader, split or column rule can tilt the comparison.
Row: {"text": …, "label": …} and, for pairs, "text_pair"; labels are strings.
"""

import csv
import dataclasses
import gzip
import hashlib
import json
import pathlib
import random

SPLITS = ("train", "dev", "test")
DEV_SHARE = 0.1  # of the training rows, by label, where a data set has no dev file
ENDINGS = (".jsonl", ".tsv", ".csv", ".jsonl.gz", ".tsv.gz", ".csv.gz")


class RowsError(Exception):
    """A data folder that cannot be used: one line that says what was given and what is needed."""


@dataclasses.dataclass(frozen=True)
class Dataset:
    """Columns of a data set's files and the epochs it is compared at."""

    text: str
    label: str
    epochs: int
    text_pair: str = ""


DATASETS = {
    "quickstart": Dataset(text="text", label="label", epochs=2),
    "sst2": Dataset(text="sentence", label="label", epochs=2),
    "banking77": Dataset(text="text", label="category", epochs=4),
    "mrpc": Dataset(text="#1 String", text_pair="#2 String", label="Quality", epochs=3),
}


def write_rows(name, source, target):
    """Writes the data set `name` of the folder `source` into `target`; returns {split: rows, "sha256": of all}."""
    columns = DATASETS[name]
    rows = {split: read_split(source, split, columns) for split in SPLITS}
    for split in ("train", "test"):
        if not rows[split]:
            raise RowsError(f"{source}: no rows in {split}; needed is a file {split} with one of {' '.join(ENDINGS)}")
    if not rows["dev"]:
        rows["train"], rows["dev"] = hold_out(rows["train"], DEV_SHARE)
    digest = hashlib.sha256()
    for split in SPLITS:
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows[split]).encode()
        (pathlib.Path(target) / f"{split}.jsonl").write_bytes(text)
        digest.update(hashlib.sha256(text).digest())
    return {split: len(rows[split]) for split in SPLITS} | {"sha256": digest.hexdigest()}


def read_split(folder, split, columns):
    """Rows of one split, [] where the folder has no such file; raises RowsError for a missing column."""
    found = [path for ending in ENDINGS if (path := pathlib.Path(folder) / (split + ending)).is_file()]
    if not found:
        return []
    names = {"text": columns.text, "text_pair": columns.text_pair, "label": columns.label}
    rows = []
    for row in read_file(found[0]):
        missing = [name for name in names.values() if name and row.get(name) is None]
        if missing:
            raise RowsError(f"{found[0]}: row {len(rows) + 1} has no column {missing[0]!r}; it has {', '.join(row)}")
        rows.append({key: str(row[name]) for key, name in names.items() if name})
    return rows


def read_file(path):
    """Dicts of one .jsonl, .tsv (quotes are text there) or .csv file, gzipped or not."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8-sig", newline="") as lines:
        if ".jsonl" in path.name:
            yield from (json.loads(line) for line in lines)
        elif ".tsv" in path.name:
            yield from csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        else:
            yield from csv.DictReader(lines)


def hold_out(rows, share):
    """(rest, held out): `share` of each label's rows, drawn with one fixed seed; both keep the file's order."""
    by_label = {}
    for index, row in enumerate(rows):
        by_label.setdefault(row["label"], []).append(index)
    draw, held = random.Random(0), set()
    for label in sorted(by_label):
        held.update(draw.sample(by_label[label], max(1, round(share * len(by_label[label])))))
    return (
        [row for index, row in enumerate(rows) if index not in held],
        [row for index, row in enumerate(rows) if index in held],
    )
