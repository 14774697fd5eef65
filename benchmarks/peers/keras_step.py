"""The train step of a compiled Keras model as its fit runs it, on one batch again and again."""

import itertools

import numpy as np
import tensorflow as tf

from benchmarks.peers.random_tokens import random_tokens


def step_on(model, encoder, batch, length, any_shape=False):
    """A callable that takes one step on a full batch of random tokens and waits for it.

    Args:
        model: compiled keras.Model over `token_ids`, `padding_mask` and, where it has them, `segment_ids`.
        any_shape: whether the step is traced for batches of any size and length, instead of for this one.
    """
    ids, labels = random_tokens(encoder, batch, length)
    every = {"token_ids": ids, "padding_mask": np.ones_like(ids), "segment_ids": np.zeros_like(ids)}
    rows = {name: every[name] for name in model.input}, labels, np.ones(batch, np.float32)
    spec = tf.nest.map_structure(lambda x: tf.TensorSpec([None] * x.ndim if any_shape else x.shape, x.dtype), rows)
    batches = iter(tf.data.Dataset.from_generator(lambda: itertools.repeat(rows), output_signature=spec).prefetch(2))
    model.make_train_function()
    return lambda: tf.nest.map_structure(np.asarray, model.train_function(batches))
