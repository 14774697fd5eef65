"""Rows to a tf.data.Dataset of (features, target, weight)."""

import dataclasses
import functools

import numpy as np
import tensorflow as tf

from trainer.inputs import batching
from trainer.inputs.buckets import bucket_widths


class Rows:
    """One tokenized split.

    Args:
        tokens: trainer.inputs.tokens.TokenIds.
        preprocess: TextPreprocessor; its `pack` makes the encoder's inputs.
        targets: `<int32 or float32>[rows, …]`, or None where there are no labels.
        weights: `<float32>[rows]`, or None for 1 each.
    """

    def __init__(self, tokens, preprocess, targets=None, weights=None):
        self.tokens = tokens
        self.preprocess = preprocess
        self.targets = np.zeros(len(tokens), np.int32) if targets is None else targets
        self.truth = self.targets  # what answers are held against
        self.weights = np.ones(len(tokens), np.float32) if weights is None else weights

    def __len__(self):
        return len(self.tokens)

    @property
    def truncated(self):
        """`<bool>[texts]`: whether anything of a text was left out."""
        return self.tokens.truncated

    @functools.cached_property
    def lengths(self):
        """Tokens of each row's longest text, `<int64>[rows]`."""
        return self.tokens.lengths

    @functools.cached_property
    def counts(self):
        """Tokens of each row, `<int64>[rows]`."""
        return self.tokens.lengths

    @functools.cached_property
    def widths(self):
        """The static widths of "buckets" that suit these rows."""
        return bucket_widths(self.lengths, self.preprocess.sequence_length)

    def epoch(self, kind, batch_size, seed, epoch):
        """The list of Batch of one training epoch; `kind` is "random", "pools" or "buckets"."""
        return self._batched(self.chosen(seed, epoch), kind, batch_size, seed, epoch)

    def _batched(self, chosen, kind, batch_size, seed, epoch):
        """The same of some rows `<int64>[…]`, None for each once."""
        lengths = self.lengths if chosen is None else self.lengths[chosen]
        if kind == "random":
            batches = batching.shuffled(lengths, batch_size, seed, epoch)
        elif kind == "pools":
            batches = batching.pooled(lengths, batch_size, seed, epoch)
        else:
            batches = batching.bucketed(lengths, batch_size, seed, epoch, self.widths)
        return batches if chosen is None else [dataclasses.replace(each, rows=chosen[each.rows]) for each in batches]

    @property
    def taken(self):
        """Rows that an epoch takes."""
        return len(self)

    def chosen(self, seed, epoch):
        """`<int64>[rows]`: which rows an epoch takes, as many as there are; None for each once."""
        return None

    def batches(self, kind, batch_size, seed, steps, first_step=0):
        """Yields each Batch from `first_step` to `steps` of a run over as many epochs as they take."""
        per_epoch = batching.count(self.taken, batch_size)
        for epoch in range(first_step // per_epoch, -(-steps // per_epoch)):
            done = epoch * per_epoch
            yield from self.epoch(kind, batch_size, seed, epoch)[max(0, first_step - done) : steps - done]

    def training(self, kind, batch_size, seed, steps, first_step=0):
        """Dataset of the same batches."""
        return self._dataset(lambda: self.batches(kind, batch_size, seed, steps, first_step), steps - first_step)

    def evaluation(self, kind, batch_size, widths=None):
        """(Dataset over every row once, rows `<int64>[rows]` in the order in which it gives them).

        widths: those of "buckets", where other rows have chosen them: no width is compiled that training has not.
        """
        widths = (widths or self.widths) if kind == "buckets" else None
        batches = batching.ordered(self.lengths, batch_size, widths)
        order = np.concatenate([b.rows for b in batches]) if batches else np.zeros(0, np.int64)
        return self._dataset(lambda: batches, len(batches)), order

    def collected(self, found, order):
        """Logits `<float32>[rows and more, outputs]`, in the order that `evaluation` gave, in that of the rows."""
        out = np.empty((len(order), *found.shape[1:]), np.float32)
        out[order] = found[: len(order)]  # behind them: rows of weight 0 that fill up the last batch
        return out

    def _texts_of(self, rows):
        """Place in the tokens of each text of some rows, a row's texts one after the other."""
        return rows

    def _target_spec(self):
        return tf.TensorSpec([None, *self.targets.shape[1:]], self.targets.dtype)

    def _targets_of(self, batch, rows):
        """Targets of `rows` `<int>[batch.size]`: those of a Batch, and behind them what fills it up."""
        return self.targets[rows]

    def _weights_spec(self):
        return tf.TensorSpec([None], tf.float32)

    def _weights_of(self, batch, rows):
        """Weights of the same: 0 for what fills it up."""
        return until(self.weights[rows], len(batch.rows))

    def _spec(self):
        """Of what `_arrays` gives and `_features` takes."""
        return (
            tf.TensorSpec([None, None], tf.int32),
            tf.TensorSpec([None], tf.int32),
            tf.TensorSpec([None], tf.int32),
            self._target_spec(),
            self._weights_spec(),
        )

    def _dataset(self, batches, count):
        dataset = tf.data.Dataset.from_generator(
            lambda: (self._arrays(batch) for batch in batches()), output_signature=self._spec()
        )
        # The order is that of the plan, whatever the machine; sharding by file does not apply to a generator.
        options = tf.data.Options()
        options.deterministic = True
        options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
        packed = dataset.map(self._features, num_parallel_calls=1)
        counted = packed.apply(tf.data.experimental.assert_cardinality(count))
        return counted.with_options(options).prefetch(tf.data.AUTOTUNE)

    def _arrays(self, batch):
        rows, extra = batch.rows, batch.size - len(batch.rows)
        # rows of weight 0 repeat the first one: no all-masked row can give a NaN
        rows = np.concatenate([rows, np.repeat(rows[:1], extra)])
        texts = self._texts_of(rows)
        ids = self.tokens.padded(texts, batch.width, self.preprocess.special.pad)
        lengths, first = self.tokens.lengths[texts].astype(np.int32), self.tokens.first[texts]
        return ids, lengths, first, self._targets_of(batch, rows), self._weights_of(batch, rows)

    def _features(self, ids, lengths, first, target, weight):
        return self.preprocess.pack(ids, lengths, first), target, weight


def until(weights, count):
    """Weights `<float32>[rows]` with 0 from row `count` on."""
    return np.where(np.arange(len(weights)) < count, weights, np.float32(0))
