"""Token ids of a whole split, tokenized once through tf.data and kept in memory or in a cache of files."""

import dataclasses
import functools
import sys

import numpy as np
import tensorflow as tf

_CHUNK = 1024  # texts that are tokenized together


@dataclasses.dataclass(frozen=True)
class TokenIds:
    """All rows of a split as one flat array.

    ids: `<int32>[all tokens]`, an array or a memory-mapped file; row i is `ids[starts[i]:starts[i + 1]]`.
    starts: `<int64>[rows + 1]`. first: `<int32>[rows]`, tokens of the first text. truncated: `<bool>[rows]`.
    reused: whether they were found in the cache.
    """

    ids: np.ndarray
    starts: np.ndarray
    first: np.ndarray
    truncated: np.ndarray
    reused: bool = False

    def __len__(self):
        return len(self.first)

    @functools.cached_property
    def lengths(self):
        """Tokens per row, `<int64>[rows]`, special tokens included."""
        return np.diff(self.starts)

    def padded(self, rows, width, pad):
        """The ids of `rows` `<int>[batch]` as `<int32>[batch, width]`."""
        return self.spread(self.ids, rows, width, pad)

    def spread(self, values, rows, width, pad):
        """The same of other values `<int32>[all tokens]`."""
        out = np.full((len(rows), width), pad, np.int32)
        for i, row in enumerate(rows):
            own = values[self.starts[row] : self.starts[row + 1]]
            out[i, : len(own)] = own
        return out


def tokenize(preprocess, texts, pairs=None, *, cache=None, progress=None):
    """Tokenizes every text once, or finds the ids that were kept when the same texts were tokenized before.

    Args:
        preprocess: trainer.models TextPreprocessor (only its `tokenize`, and what tells it from others, is used).
        texts, pairs: lists of str; `pairs` may be None.
        cache: tokens_cache.TokensCache, where the ids go and from where they are mapped; None keeps them in memory.
        progress: callable, rows done; called after each chunk, and never where the ids were found.

    Returns:
        TokenIds.
    """
    key = cache and cache.key(preprocess, texts, pairs)
    found = cache and cache.find(key)
    if found is not None:
        return found

    def write(sink):
        return _write(mapped(preprocess.tokenize, texts, pairs), sink, progress)

    if cache:
        try:
            return cache.keep(key, write)
        except OSError as error:
            print(f"note: token ids are not kept in {cache.folder}: {error.strerror or error}", file=sys.stderr)
    parts = [np.zeros(0, np.int32)]
    index = write(parts.append)
    return TokenIds(np.concatenate(parts), *index)


def _write(chunks, sink, progress):
    """Gives the ids of each chunk to `sink`; returns starts, first and truncated of all rows."""
    lengths, first, truncated = [np.zeros(1, np.int64)], [np.zeros(0, np.int32)], [np.zeros(0, bool)]
    done = 0
    for tokens in chunks:
        sink(tokens.ids.flat_values.numpy())
        lengths.append(tokens.ids.row_lengths().numpy())
        first.append(tokens.first.numpy())
        truncated.append(tokens.truncated.numpy())
        done += len(first[-1])
        if progress:
            progress(done)
    return np.cumsum(np.concatenate(lengths)), np.concatenate(first), np.concatenate(truncated)


def mapped(function, texts, pairs=None):
    """Yields what a function of TensorFlow ops makes of each chunk of texts `<string>[chunk]`, one or two."""

    def chunks():
        for i in range(0, len(texts), _CHUNK):
            columns = (texts,) if pairs is None else (texts, pairs)
            yield tuple(tf.constant([encodable(t) for t in column[i : i + _CHUNK]]) for column in columns)

    spec = (tf.TensorSpec([None], tf.string),) * (1 if pairs is None else 2)
    dataset = tf.data.Dataset.from_generator(chunks, output_signature=spec)
    return dataset.map(function, num_parallel_calls=tf.data.AUTOTUNE).prefetch(2)


def encodable(text):
    """UTF-8 of a str; a lone surrogate, which UTF-8 cannot hold, becomes U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode("utf-8")
