"""Texts that lie in a file without a name: a million of them cost a few megabytes of memory."""

import array
import collections.abc
import os
import tempfile

import numpy as np


class StoredTexts(collections.abc.Sequence):
    """A list of texts that only grows. Its file is in the folder for temporary files, and goes with the process."""

    def __init__(self):
        self._file, self._ends = tempfile.TemporaryFile(buffering=1 << 20), array.array("Q", [0])

    def __len__(self):
        return len(self._ends) - 1

    def extend(self, texts):
        """Adds texts; lone surrogates are kept. OSError where the file cannot grow."""
        for text in texts:
            raw = text.encode("utf-8", "surrogatepass")
            self._file.write(raw)
            self._ends.append(self._ends[-1] + len(raw))

    def __getitem__(self, row):
        if isinstance(row, slice):
            return [self[each] for each in range(*row.indices(len(self)))]
        row = range(len(self))[row]
        self._file.flush()
        start, end = self._ends[row], self._ends[row + 1]
        return os.pread(self._file.fileno(), end - start, start).decode("utf-8", "surrogatepass")

    def take(self, rows):
        """The texts `<int>[…]` names, in its order; nothing is copied."""
        return TakenTexts(self, np.asarray(rows, np.int64))


class TakenTexts(collections.abc.Sequence):
    """Some of StoredTexts, as a list."""

    def __init__(self, texts, rows):
        self._texts, self._rows = texts, rows

    def __len__(self):
        return len(self._rows)

    def __getitem__(self, row):
        chosen = self._rows[row]
        return [self._texts[each] for each in chosen] if isinstance(row, slice) else self._texts[chosen]

    def take(self, rows):
        """As StoredTexts.take."""
        return TakenTexts(self._texts, self._rows[np.asarray(rows, np.int64)])
