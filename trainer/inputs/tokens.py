"""Token ids of a whole split, tokenized once through tf.data and kept in memory or, past a budget, in a file."""

import dataclasses
import functools
import pathlib

import numpy as np
import tensorflow as tf

_CHUNK = 1024  # texts that are tokenized together


@dataclasses.dataclass(frozen=True)
class TokenIds:
    """All rows of a split as one flat array.

    ids: `<int32>[all tokens]`, an array or a memory-mapped file; row i is `ids[starts[i]:starts[i + 1]]`.
    starts: `<int64>[rows + 1]`. first: `<int32>[rows]`, tokens of the first text. truncated: `<bool>[rows]`.
    """

    ids: np.ndarray
    starts: np.ndarray
    first: np.ndarray
    truncated: np.ndarray

    def __len__(self):
        return len(self.first)

    @functools.cached_property
    def lengths(self):
        """Tokens per row, `<int64>[rows]`, special tokens included."""
        return np.diff(self.starts)

    def padded(self, rows, width, pad):
        """The ids of `rows` `<int>[batch]` as `<int32>[batch, width]`."""
        out = np.full((len(rows), width), pad, np.int32)
        for i, row in enumerate(rows):
            ids = self.ids[self.starts[row] : self.starts[row + 1]]
            out[i, : len(ids)] = ids
        return out


def tokenize(preprocess, texts, pairs=None, *, budget_mb=512, spill_path=None, progress=None):
    """Tokenizes every text once.

    Args:
        preprocess: trainer.models TextPreprocessor (only its `tokenize` is used).
        texts, pairs: lists of str; `pairs` may be None.
        budget_mb: ids beyond this many MB go to `spill_path` instead of memory.
        spill_path: file for the ids that do not fit; None keeps all in memory.
        progress: callable, rows done; called after each chunk.

    Returns:
        TokenIds.
    """
    store = _IdStore(budget_mb << 20, spill_path)
    lengths, first, truncated = [], [], []
    for tokens in _tokenized(preprocess, texts, pairs):
        store.append(tokens.ids.flat_values.numpy())
        lengths.append(tokens.ids.row_lengths().numpy())
        first.append(tokens.first.numpy())
        truncated.append(tokens.truncated.numpy())
        if progress:
            progress(sum(map(len, first)))
    starts = np.concatenate([[0], np.cumsum(np.concatenate(lengths or [[]]))]).astype(np.int64)
    return TokenIds(
        ids=store.finish(),
        starts=starts,
        first=np.concatenate(first or [np.zeros(0)]).astype(np.int32),
        truncated=np.concatenate(truncated or [np.zeros(0)]).astype(bool),
    )


def _tokenized(preprocess, texts, pairs):
    def chunks():
        for i in range(0, len(texts), _CHUNK):
            columns = (texts,) if pairs is None else (texts, pairs)
            yield tuple(tf.constant([encodable(t) for t in column[i : i + _CHUNK]]) for column in columns)

    spec = (tf.TensorSpec([None], tf.string),) * (1 if pairs is None else 2)
    dataset = tf.data.Dataset.from_generator(chunks, output_signature=spec)
    return dataset.map(preprocess.tokenize, num_parallel_calls=tf.data.AUTOTUNE).prefetch(2)


def encodable(text):
    """UTF-8 of a str; a lone surrogate, which UTF-8 cannot hold, becomes U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode("utf-8")


class _IdStore:
    """Appends arrays of ids: in memory up to a budget, then all of it in one file that is mapped, not read."""

    def __init__(self, budget_bytes, path):
        self.budget, self.path = budget_bytes, path and pathlib.Path(path)
        self.parts, self.size, self.file = [], 0, None

    def append(self, ids):
        self.size += ids.nbytes
        if self.file is None and self.path and self.size > self.budget:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.file = open(self.path, "wb")
            for part in self.parts:
                part.tofile(self.file)
            self.parts = []
        if self.file is None:
            self.parts.append(ids)
        else:
            ids.tofile(self.file)

    def finish(self):
        if self.file is None:
            return np.concatenate(self.parts) if self.parts else np.zeros(0, np.int32)
        self.file.close()
        return np.memmap(self.path, np.int32, mode="r")
