"""Rows that are windows of contexts, each behind its question, with the place of the answer as target."""

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from trainer.inputs.pipeline import Rows
from trainer.inputs.window_rows import TextWindows, in_their_order


class AnswerTruth(NamedTuple):
    """What answers are held against: answers, a list of [[start, text]] per question; places `<int32>[windows, 2]`."""

    answers: list
    places: np.ndarray


class WindowPart(NamedTuple):
    """Some texts of WindowLogits: what stands in their windows, and where.

    logits: `<float32>[tokens of windows, 2]`. lengths, first, text, at: `<int>[windows]`, see TextWindows; `text`
    counts within the part. counts: `<int64>[texts]`, tokens of each text. start, end: `<int32>[tokens of texts]`.
    texts: list of str.
    """

    logits: np.ndarray
    lengths: np.ndarray
    first: np.ndarray
    text: np.ndarray
    at: np.ndarray
    counts: np.ndarray
    start: np.ndarray
    end: np.ndarray
    texts: list


@dataclasses.dataclass(frozen=True)
class WindowLogits:
    """Start and end logits `<float32>[tokens of windows, 2]` of all windows, special tokens included."""

    values: np.ndarray
    windows: TextWindows
    texts: Sequence

    def __len__(self):
        return len(self.windows.starts) - 1

    def parts(self, size):
        """Yields WindowParts of at most `size` texts."""
        found, tokens = self.windows, self.windows.tokens
        for first in range(0, len(self), size):
            last = min(first + size, len(self))
            windows = slice(*np.searchsorted(found.text, (first, last)))
            places = slice(tokens.starts[windows.start], tokens.starts[windows.stop])
            own = slice(found.starts[first], found.starts[last])
            yield WindowPart(
                self.values[places],
                tokens.lengths[windows],
                tokens.first[windows],
                found.text[windows] - first,
                found.at[windows],
                np.diff(found.starts[first : last + 1]),
                found.start[own],
                found.end[own],
                [self.texts[row] for row in range(first, last)],
            )


class AnswerRows(Rows):
    """Windows of one split.

    Args:
        windows: TextWindows of pairs. preprocess: trainer.models WindowPreprocessor. texts: sequence of str, contexts.
        truth: AnswerTruth, or None where there are no labels.
    """

    def __init__(self, windows, preprocess, texts, truth=None):
        targets = np.zeros((len(windows.tokens), 2), np.int32) if truth is None else truth.places
        super().__init__(windows.tokens, preprocess.preprocessor, targets)
        self.windows, self.texts, self.truth = windows, texts, truth

    @property
    def truncated(self):
        return self.windows.truncated

    def collected(self, found, order):
        """WindowLogits of logits `<float32>[tokens, 2]` of the real tokens of the windows in this order."""
        return WindowLogits(in_their_order(found, order, self.tokens), self.windows, self.texts)
