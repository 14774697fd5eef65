"""Rows that are windows of texts, with a target for each token."""

import dataclasses
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from trainer.inputs.pipeline import Rows
from trainer.inputs.tokens import TokenIds, mapped

NO_TARGET = -1  # of special tokens, of padding, and of tokens that another window answers


@dataclasses.dataclass(frozen=True)
class TextWindows:
    """All windows of a split, in the order of its texts, and where the texts' tokens lie.

    tokens: TokenIds, a row for each window. text, at: `<int64>[windows]`, the text of each, and which of the text's
    tokens is its first. own: `<bool>[all tokens of windows]`, which of them a window answers: in their order these are
    the texts' tokens. starts: `<int64>[texts + 1]`, text i has the tokens `starts[i]` to before `starts[i + 1]`. start,
    end, word: `<int32>[tokens of texts]`, see trainer/models/offsets.py. truncated: `<bool>[texts]`.
    """

    tokens: TokenIds
    text: np.ndarray
    at: np.ndarray
    own: np.ndarray
    starts: np.ndarray
    start: np.ndarray
    end: np.ndarray
    word: np.ndarray
    truncated: np.ndarray

    def collected(self, found, order, texts):
        """TextLogits of logits `<float32>[tokens, labels]` of the real tokens of the windows in this order."""
        values = in_their_order(found, order, self.tokens)
        return TextLogits(values[self.own], self.starts, self.start, self.end, self.word, texts)


class Truth(NamedTuple):
    """What answers are held against: spans, a list of [[start, end, label]] per text; labels `<int32>[tokens]`."""

    spans: list
    labels: np.ndarray


@dataclasses.dataclass(frozen=True)
class TextLogits:
    """Logits `<float32>[tokens, labels]` of texts, one after the other, and where the tokens lie, as in TextWindows."""

    values: np.ndarray
    starts: np.ndarray
    start: np.ndarray
    end: np.ndarray
    word: np.ndarray
    texts: Any

    def __len__(self):
        return len(self.starts) - 1

    def parts(self, size):
        """The same in parts of at most `size` texts."""
        for first in range(0, len(self), size):
            last = min(first + size, len(self))
            tokens = slice(self.starts[first], self.starts[last])
            arrays = (each[tokens] for each in (self.start, self.end, self.word))
            starts = self.starts[first : last + 1] - self.starts[first]
            yield TextLogits(self.values[tokens], starts, *arrays, [self.texts[i] for i in range(first, last)])

    def take(self, rows):
        """The same of some texts `<int64>[…]`."""
        lengths = np.diff(self.starts)[rows]
        tokens = np.repeat(self.starts[:-1][rows] - np.cumsum(lengths) + lengths, lengths) + np.arange(lengths.sum())
        arrays = (each[tokens] for each in (self.start, self.end, self.word))
        texts = [self.texts[row] for row in rows]
        return TextLogits(self.values[tokens], np.append(0, np.cumsum(lengths)), *arrays, texts)


class WindowRows(Rows):
    """Windows of one split.

    Args:
        windows: TextWindows. preprocess: trainer.models WindowPreprocessor. texts: sequence of str.
        truth: Truth, or None where there are no labels.
    """

    def __init__(self, windows, preprocess, texts, truth=None):
        targets = np.full(len(windows.own), NO_TARGET, np.int32)
        if truth is not None:
            targets[windows.own] = truth.labels
        super().__init__(windows.tokens, preprocess.preprocessor, targets)
        self.windows, self.texts, self.truth = windows, texts, truth

    @property
    def truncated(self):
        return self.windows.truncated

    def collected(self, found, order):
        """TextLogits of logits `<float32>[tokens, labels]` of the real tokens of the windows in this order."""
        return self.windows.collected(found, order, self.texts)

    def _target_spec(self):
        return tf.TensorSpec([None, None], tf.int32)

    def _targets_of(self, batch, rows):
        targets = self.tokens.spread(self.targets, rows, batch.width, NO_TARGET)
        targets[len(batch.rows) :] = NO_TARGET
        return targets


def in_their_order(found, order, tokens):
    """Logits `<float32>[tokens of windows, outputs]`, found window by window in `order`, in that of TokenIds."""
    lengths, starts = tokens.lengths[order], tokens.starts[order]
    before = np.cumsum(lengths) - lengths
    place = np.repeat(starts - before, lengths) + np.arange(lengths.sum())
    values = np.empty((len(place), found.shape[-1]), np.float32)
    values[place] = found[: len(place)]  # behind them: rows that fill up the last batch
    return values


def window_tokens(preprocess, texts, pairs=None, progress=None):
    """TextWindows of every text, or of the second text of every pair, tokenized once; they are kept in memory.

    Args:
        preprocess: trainer.models WindowPreprocessor. texts, pairs: sequences of str. progress: callable, texts done.
    """
    parts, done = [], 0
    for found in mapped(preprocess.tokenize, texts, pairs):
        parts.append(_arrays(found, done))
        done += len(parts[-1]["truncated"])
        if progress:
            progress(done)
    whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if parts else _arrays(None, 0)
    starts = _sums(whole["lengths"])
    tokens = TokenIds(whole["ids"], starts, whole["first"], np.zeros(len(starts) - 1, bool))
    place = np.arange(starts[-1]) - np.repeat(starts[:-1], whole["lengths"])
    begin, end = (np.repeat(whole[name], whole["lengths"]) for name in ("begin", "end"))
    own = (place >= begin) & (place < end)
    where = (whole[name] for name in ("start", "end_of", "word", "truncated"))
    return TextWindows(tokens, whole["text"], whole["at"], own, _sums(whole["tokens"]), *where)


def _arrays(found, before):
    """Flat arrays of trainer.models.windows.Windows, `before` texts behind the first; empty ones of None."""
    if found is None:
        names = "ids lengths first text at begin end truncated tokens start end_of word".split()
        return {name: np.zeros(0, bool if name == "truncated" else np.int32) for name in names}
    offsets = found.offsets
    tensors = {
        "ids": found.ids.flat_values,
        "text": found.text + before,
        "lengths": found.ids.row_lengths(),
        "first": found.first,
        "at": found.start,
        "begin": found.begin,
        "end": found.end,
        "truncated": found.truncated,
        "tokens": offsets.start.row_lengths(),
        "start": offsets.start.flat_values,
        "end_of": offsets.end.flat_values,
        "word": offsets.word.flat_values,
    }
    return {name: tensor.numpy() for name, tensor in tensors.items()}


def _sums(lengths):
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)])
