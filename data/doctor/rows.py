"""Every row that was read: where it stands, what its text and label are, in a few bytes each."""

import array
import dataclasses
from typing import Any

import numpy as np

from data.doctor.findings import printable
from data.keys import exact_key, near_key

SPLITS = ("train", "dev", "test")


@dataclasses.dataclass(frozen=True)
class Source:
    """A file under examination. split: train, dev, test or None; group: the data set whose splits belong together;
    part: what trainer.inputs.sources.read_rows takes, where that is not the path."""

    path: str
    text_column: str
    pair_column: str
    label_column: str
    split: str | None = None
    group: str = ""
    part: Any = None


class Rows:
    """Arrays over the rows of all files, in the order in which they were read; about 40 bytes a row.

    Args:
        texts: where the texts go: StoredTexts, or a list.

    Attributes, after `close`:
        file: `<int16>[rows]`, index into `sources`; line: `<int64>[rows]`; label: `<int32>[rows]`, index into
        `labels`, −1 for none; exact, near: `<int64>[rows]`, 64-bit hashes of the two keys, 0 for an empty text.
    """

    def __init__(self, texts):
        self.sources, self.labels, self.texts = [], {}, texts
        self.parts = {}  # {index of a source that was read from several files: (its first row, the file of each row)}
        self.file, self.line, self.label = array.array("h"), array.array("q"), array.array("i")
        self.exact, self.near = array.array("q"), array.array("q")

    def __len__(self):
        return len(self.file)

    def begin(self, source):
        """From here on rows are those of `source`."""
        if not self.sources or self.sources[-1] is not source:
            self.sources.append(source)

    def add(self, chunk, source):
        """Takes the rows of a Table of `source`; sources come one after the other."""
        self.begin(source)
        if chunk.files:
            _, files = self.parts.setdefault(len(self.sources) - 1, (len(self.file), []))
            files.extend(chunk.files)
        cells = list(zip(chunk.texts, chunk.pairs or [None] * len(chunk), strict=True))
        self.file.extend([len(self.sources) - 1] * len(chunk))
        self.line.extend(chunk.lines.tolist())
        # str's own hash: 64 bits of SipHash, and only texts of one process are ever compared
        self.exact.extend([_hash(exact_key(*row)) for row in cells])
        self.near.extend([_hash(near_key(*row)) for row in cells])
        stripped = [
            None if label is None else printable(label.strip()) for label in chunk.labels or [None] * len(chunk)
        ]
        self.label.extend([self.labels.setdefault(label, len(self.labels)) if label else -1 for label in stripped])
        self.texts.extend(text if pair is None else f"{text} | {pair}" for text, pair in cells)

    def close(self):
        """Turns what was collected into NumPy arrays, without copying."""
        for name, kind in (("file", np.int16), ("line", np.int64), ("label", np.int32)):
            setattr(self, name, np.frombuffer(getattr(self, name), kind))
        self.exact, self.near = np.frombuffer(self.exact, np.int64), np.frombuffer(self.near, np.int64)
        self.labels = list(self.labels)

    def where(self, row):
        """`file:line` of a row."""
        first, files = self.parts.get(int(self.file[row]), (0, None))
        return f"{files[row - first] if files else self.sources[self.file[row]].path}:{self.line[row]}"

    def of(self, *files):
        """`<int64>[…]`: the rows of the sources with these indices."""
        return np.flatnonzero(np.isin(self.file, files))

    def scopes(self):
        """[[index of a source, …], …]: the splits of one data set together, any other file alone."""
        scopes = {}
        for index, source in enumerate(self.sources):
            scopes.setdefault(source.group if source.split else (source.path, index), []).append(index)
        return list(scopes.values())


def _hash(key):
    return hash(key) if key.strip("\0") else 0
