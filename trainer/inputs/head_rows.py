"""Rows of several heads: windows of texts, with targets and weights for each head that has a label for the text."""

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from trainer.inputs.pipeline import Rows, until
from trainer.inputs.window_rows import NO_TARGET


class HeadLabels(NamedTuple):
    """What one head learns.

    texts: `<int64>[labelled]`, the texts that have a label for it, in their order. truth: what its answers of these
    are held against. tokens: whether it answers tokens. targets: of every text (`<…>[texts, …]`, anything where there
    is no label), or of every token of the texts (`<int32>[tokens]`, NO_TARGET there). weights: `<float32>[texts]`, 0
    where there is no label.
    """

    texts: np.ndarray
    truth: Any
    tokens: bool
    targets: np.ndarray
    weights: np.ndarray


class HeadRows(Rows):
    """Windows of one split of all heads. Heads that answer texts learn from, and answer by, a text's first window.

    Args:
        windows: trainer.inputs.window_rows TextWindows. preprocess: trainer.models WindowPreprocessor. texts: sequence
            of str. heads: {name: HeadLabels}, or {name: whether it answers tokens} where there are no labels.
        data_sets: `<int64>[texts]`, number of the data set of each; temperature: float, see --mixing_temperature.
    """

    def __init__(self, windows, preprocess, texts, heads, data_sets=None, temperature=1.0):
        super().__init__(windows.tokens, preprocess.preprocessor)
        self.windows, self.texts, self.heads = windows, texts, heads
        self.first = np.append(True, np.diff(windows.text) > 0)[: len(windows.text)]
        self.data_sets, self.temperature = data_sets, temperature
        if heads and not isinstance(next(iter(heads.values())), bool):
            self.truth = {name: (labels.texts, labels.truth) for name, labels in heads.items()}
            self.targets = {name: self._spread(labels) for name, labels in heads.items()}

    @property
    def truncated(self):
        return self.windows.truncated

    def chosen(self, seed, epoch):
        """Rows in which each data set has its share, each row as often as another of its set, or once less."""
        if self.temperature == 1 or self.data_sets is None:
            return None
        of_rows = self.data_sets[self.windows.text]
        random = np.random.default_rng([seed, epoch, 1])
        counts = np.bincount(of_rows)
        share = counts ** (1 / self.temperature) / (counts ** (1 / self.temperature)).sum()
        quotas = np.diff(np.round(np.append(0, np.cumsum(share)) * len(of_rows)).astype(int))
        taken = [_repeated(np.flatnonzero(of_rows == place), quota, random) for place, quota in enumerate(quotas)]
        return np.concatenate(taken)

    def collected(self, found, order):
        """{head: TextLogits, or logits `<float32>[texts, outputs]`} of those of windows in this order."""
        return {name: self._of_texts(self._answers_tokens(name), each, order) for name, each in found.items()}

    def _of_texts(self, tokens, found, order):
        if tokens:
            return self.windows.collected(found, order, self.texts)
        return super().collected(found, order)[self.first]

    def _answers_tokens(self, name):
        labels = self.heads[name]
        return labels if isinstance(labels, bool) else labels.tokens

    def _spread(self, labels):
        """Targets of every token of the windows, or of every window."""
        if not labels.tokens:
            return labels.targets[self.windows.text]
        targets = np.full(len(self.windows.own), NO_TARGET, np.int32)
        targets[self.windows.own] = labels.targets
        return targets

    def _target_spec(self):
        if not isinstance(self.targets, dict):
            return super()._target_spec()
        return {
            name: tf.TensorSpec(
                [None, None] if labels.tokens else [None, *self.targets[name].shape[1:]], self.targets[name].dtype
            )
            for name, labels in self.heads.items()
        }

    def _targets_of(self, batch, rows):
        if not isinstance(self.targets, dict):
            return super()._targets_of(batch, rows)
        return {
            name: self.tokens.spread(self.targets[name], rows, batch.width, NO_TARGET)
            if labels.tokens
            else self.targets[name][rows]
            for name, labels in self.heads.items()
        }

    def _weights_spec(self):
        if not isinstance(self.targets, dict):
            return super()._weights_spec()
        return dict.fromkeys(self.heads, tf.TensorSpec([None], tf.float32))

    def _weights_of(self, batch, rows):
        if not isinstance(self.targets, dict):
            return super()._weights_of(batch, rows)
        found = {}
        for name, labels in self.heads.items():
            weights = labels.weights[self.windows.text[rows]]
            found[name] = until(weights if labels.tokens else weights * self.first[rows], len(batch.rows))
        return found


def _repeated(rows, quota, random):
    """`quota` of the rows: all of them as often as they fit, then as many random ones as are missing."""
    whole, rest = divmod(quota, max(1, len(rows)))
    return np.concatenate([np.tile(rows, whole), np.sort(random.permutation(rows)[:rest])])
