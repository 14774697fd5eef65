"""Rows of several heads: windows of texts, with targets and weights for each head that has a label for the text."""

import functools
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from trainer.inputs.partners import PairVectors, Partners
from trainer.inputs.pipeline import Rows, until
from trainer.inputs.window_rows import NO_TARGET


class HeadLabels(NamedTuple):
    """What one head learns.

    texts: `<int64>[labelled]`, the texts that have a label for it, in their order. truth: what its answers of these
    are held against. tokens: whether it answers tokens. targets: of every text (`<…>[texts, …]`, anything where there
    is no label), or of every token of the texts (`<int32>[tokens]`, NO_TARGET there). weights: `<float32>[texts]`, 0
    where there is no label. partners: of what learns vectors from pairs, the TokenIds of the second texts of `texts`,
    and of their third ones; else ().
    """

    texts: np.ndarray
    truth: Any
    tokens: bool
    targets: np.ndarray
    weights: np.ndarray
    partners: tuple = ()


class HeadRows(Rows):
    """Windows of one split of all heads. Heads that answer texts learn from, and answer by, a text's first window.

    Partners of a text are in its batch, each behind the window; to the other heads they are rows of weight 0. Batches
    are of rows with as many texts each, but for what is left over: no row goes through the encoder in vain, and those
    that are told apart from each other are together.

    Args:
        windows: trainer.inputs.window_rows TextWindows. preprocess: trainer.models WindowPreprocessor. texts: sequence
            of str. heads: {name: HeadLabels}, or {name: whether it answers tokens} where there are no labels.
        data_sets: `<int64>[texts]`, number of the data set of each; temperature: float, see --mixing_temperature.
    """

    def __init__(self, windows, preprocess, texts, heads, data_sets=None, temperature=1.0):
        self.first = np.append(True, np.diff(windows.text) > 0)[: len(windows.text)]
        learned = {} if heads and isinstance(next(iter(heads.values())), bool) else heads
        pairs = {name: (each.texts, *each.partners) for name, each in learned.items() if each.partners}
        self.partners = Partners(windows, self.first, pairs)
        self.windows, self.texts, self.heads = self.partners.windows, texts, heads
        super().__init__(self.windows.tokens, preprocess.preprocessor)
        self.data_sets, self.temperature = data_sets, temperature
        if learned:
            self.truth = {name: (labels.texts, labels.truth) for name, labels in heads.items()}
            self.targets = {name: self._spread(labels) for name, labels in heads.items()}

    def __len__(self):
        return len(self.windows.text)

    @functools.cached_property
    def lengths(self):
        return self.tokens.lengths[self.partners.places].max(axis=1)

    @functools.cached_property
    def counts(self):
        there = np.arange(self.partners.places.shape[1]) < self.partners.columns[:, np.newaxis]
        return (self.tokens.lengths[self.partners.places] * there).sum(axis=1)

    @property
    def truncated(self):
        return self.windows.truncated

    def epoch(self, kind, batch_size, seed, epoch):
        if not self.partners.of_head:
            return super().epoch(kind, batch_size, seed, epoch)
        chosen, random = self.chosen(seed, epoch), np.random.default_rng([seed, epoch, 2])
        rows = random.permutation(np.arange(len(self)) if chosen is None else chosen)
        parts = self.partners.apart(rows, batch_size)
        batches = [batch for part in parts for batch in self._batched(part, kind, batch_size, seed, epoch)]
        return [batches[place] for place in random.permutation(len(batches))]

    def evaluation(self, kind, batch_size, widths=None):
        """Every text by itself, the partners too: no target says anything."""
        return Rows(self.tokens, self.preprocess).evaluation(kind, batch_size, widths)

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
        """{head: TextLogits, PairVectors, or logits `<float32>[texts, outputs]`} of those of texts in this order."""
        return {name: self._of_texts(name, each, order) for name, each in found.items()}

    def _of_texts(self, name, found, order):
        if self._answers_tokens(name):
            return self.windows.collected(found, order, self.texts)
        every = super().collected(found, order)
        own = every[: len(self)][self.first]
        if name not in self.partners.of_head:
            return own
        texts, places = self.partners.of_head[name]
        return PairVectors(own, texts, every[places])

    def _texts_of(self, rows):
        return self.partners.of(rows)

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
        texts, width = self._texts_of(rows), self.partners.width(rows)
        return {
            name: self.tokens.spread(self.targets[name], texts, batch.width, NO_TARGET)
            if labels.tokens
            else self.targets[name][rows if labels.partners else np.repeat(rows, width)]
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
            weights = until(weights if labels.tokens else weights * self.first[rows], len(batch.rows))
            found[name] = weights if labels.partners else _of_windows(weights, self.partners.width(rows))
        return found


def _of_windows(weights, width):
    """Weights `<float32>[rows · width]` of the texts of rows: those of the rows for the first text, 0 for others."""
    return np.pad(weights[:, np.newaxis], ((0, 0), (0, width - 1))).reshape(-1)


def _repeated(rows, quota, random):
    """`quota` of the rows: all of them as often as they fit, then as many random ones as are missing."""
    whole, rest = divmod(quota, max(1, len(rows)))
    return np.concatenate([np.tile(rows, whole), np.sort(random.permutation(rows)[:rest])])
