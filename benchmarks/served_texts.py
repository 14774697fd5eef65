"""What serve_vs_peers asks: batches of raw texts, whose lengths are what the cases differ by."""

import pathlib
import random

from benchmarks import quality_datasets, quality_rows, quality_run

CHNSENTICORP = quality_datasets.Dataset(text="text_a", label="label", epochs=0)
EIGHT_WORDS = "a gripping film with a plot so bright"


def exactly(tokens, count, encoder):
    """`count` texts of exactly `tokens` tokens, two special ones included: each word is one of the vocabulary."""
    entries = (pathlib.Path(encoder) / "vocab.txt").read_text(encoding="utf-8").splitlines()
    words = [entry for entry in entries if entry.isascii() and entry.isalpha() and entry.islower()]
    draw = random.Random(0)
    return [" ".join(draw.choices(words, k=tokens - 2)) for _ in range(count)]


def real(folder, columns, size, batches):
    """`batches` lists of `size` texts of a data set's test rows, drawn with a fixed seed; raises RunError where it has
    none."""
    rows = quality_rows.read_split(folder, "test", columns) or quality_rows.read_split(folder, "dev", columns)
    if not rows:
        raise quality_run.RunError(f"{folder}: no test and no dev rows; needed is one with the column {columns.text!r}")
    draw = random.Random(0)
    return [[row["text"] for row in draw.choices(rows, k=size)] for _ in range(batches)]
