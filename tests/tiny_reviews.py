"""Labelled texts over the tiny vocabulary that a tiny encoder learns in seconds, in every format that is read."""

import csv
import gzip
import json
import pathlib

import numpy as np

MARKS = {"positive": ("good", "great", "bright", "full of life"), "negative": ("bad", "dull", "awful", "never see")}
NEUTRAL = ("the film is a film", "a plot", "the plot was the plot , and a film", "see the film", "a life")
_STARTS = ("the film is", "a plot , very", "the plot was", "see a film !", "")
_ENDS = (".", "and very full of films", "!", "", "- the plot , the film , a life")


def rows(count, seed=0):
    """[(text, label), …]: both labels equally often, lengths mixed, few texts twice."""
    rng = np.random.default_rng(seed)
    found = []
    for i in range(count):
        label = ("positive", "negative")[i % 2]
        words = [rng.choice(_STARTS), *rng.choice(MARKS[label], rng.integers(1, 4)), rng.choice(_ENDS), "x" * (i % 7)]
        found.append((" ".join(filter(None, words)), label))
    return found


def doubtful_rows(count, seed=0):
    """The same, but every sixth text says nothing of its label: what cannot be known is not worth an answer."""
    return [
        (NEUTRAL[i % 5], ("negative", "positive")[i // 6 % 2]) if i % 6 == 5 else row
        for i, row in enumerate(rows(count, seed))
    ]


def write_doubtful(folder):
    """A folder of such rows: 180 train, 120 dev, 120 test."""
    for seed, (name, count) in enumerate({"train": 180, "dev": 120, "test": 120}.items()):
        write(folder / f"{name}.csv", doubtful_rows(count, seed))
    return folder


def pairs(count, seed=0):
    """[(text, second text, label), …]: "same" where both texts praise or both blame."""
    first, second = rows(count, seed), rows(count, seed + 1)
    second = [second[(i + i // 2) % count] for i in range(count)]
    return [(a, b, "same" if one == other else "other") for (a, one), (b, other) in zip(first, second, strict=True)]


def write(path, table, columns=("text", "label")):
    """Writes rows to a .csv, .tsv or .jsonl file, each also .gz, and gives its path."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "wt", encoding="utf-8", newline="") as file:
        if ".jsonl" in path.name:
            objects = (dict(zip(columns, row, strict=True)) for row in table)
            file.writelines(json.dumps(each, ensure_ascii=False) + "\n" for each in objects)
        elif ".tsv" in path.name:
            file.writelines("\t".join(row) + "\n" for row in (columns, *table))
        else:
            csv.writer(file).writerows((columns, *table))
    return path
