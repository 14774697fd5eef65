"""Rows of two texts or three, each a text of its own to the encoder."""

import functools

import numpy as np

from trainer.inputs.pipeline import Rows


class TextRows(Rows):
    """Rows whose texts follow one another in a batch: that of a row of two texts is [first, second, first, …].

    Args:
        tokens: TokenIds of all first texts, then all second ones, and so on. preprocess: TextPreprocessor.
        columns: int, texts of a row. targets: `<…>[rows, …]`.
    """

    def __init__(self, tokens, preprocess, columns, targets):
        super().__init__(tokens, preprocess, targets, np.ones(len(targets), np.float32))
        self.columns = columns

    def __len__(self):
        return len(self.targets)

    @functools.cached_property
    def lengths(self):
        return self.tokens.lengths.reshape(self.columns, -1).max(axis=0)

    @functools.cached_property
    def counts(self):
        return self.tokens.lengths.reshape(self.columns, -1).sum(axis=0)

    @property
    def truncated(self):
        return self.tokens.truncated.reshape(self.columns, -1).any(axis=0)

    def collected(self, found, order):
        """Vectors `<float32>[rows · columns and more, hidden]` to `<float32>[rows, columns, hidden]`."""
        return super().collected(found.reshape(-1, self.columns, found.shape[-1]), order)

    def _texts_of(self, rows):
        return (rows[:, np.newaxis] + len(self) * np.arange(self.columns)).reshape(-1)
