"""The rows of benchmarks.chinese: reviews without labels, and labelled sets that share no held-out text with them."""

import gzip
import json

from benchmarks.quality_rows import read_file
from data.keys import near_key

SPLITS = ("train", "dev", "test")


def chnsenticorp(folder):
    """{split: [{"text", "label"}]} of a folder of train, dev and test .tsv.gz files with the columns label and text_a.

    A text, by its letters and digits, stands in one split alone and once there: in test, else in dev, else in train.
    """
    seen, rows = set(), {}
    for split in reversed(SPLITS):
        rows[split] = []
        for row in read_file(folder / f"{split}.tsv.gz"):
            key = near_key(row["text_a"])
            if key not in seen:
                seen.add(key)
                rows[split].append({"text": row["text_a"], "label": row["label"]})
    return {split: rows[split] for split in SPLITS}


def cluener(folder):
    """{split: [{"text", "spans"}]} of the .jsonl.gz files of CLUENER2020: its dev rows are our test rows, since its own
    test rows come without labels, and trainer.main holds out others for dev. Its ends of spans are inclusive."""
    return {
        split: [_spans(row) for row in _lines(folder / f"{own}.jsonl.gz")]
        for split, own in (("train", "train"), ("test", "dev"))
    }


def unlabelled(tables, held_out):
    """Texts of trainer.inputs Tables, each once by its letters and digits, without those of `held_out` rows."""
    seen, found = {near_key(row["text"]) for row in held_out}, []
    for table in tables:
        for text in table.texts:
            key = near_key(text)
            if key not in seen:
                seen.add(key)
                found.append(" ".join(text.split()))
    return found


def write(folder, rows):
    """Each split as a .jsonl file of `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for split, own in rows.items():
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in own)
        (folder / f"{split}.jsonl").write_text(lines, encoding="utf-8")


def _lines(path):
    with gzip.open(path, "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


def _spans(row):
    spans = [
        [start, end + 1, label]
        for label, names in row["label"].items()
        for places in names.values()
        for start, end in places
    ]
    return {"text": row["text"], "spans": sorted(spans)}
