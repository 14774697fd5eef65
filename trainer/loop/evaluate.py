"""Logits of every row of a split."""

import keras
import numpy as np
import tensorflow as tf


class Evaluator:
    """Runs a model over tokenized rows without losing or repeating any.

    It compiles anew: made inside `Accelerator.training()` it computes in the precision of training, made outside in
    float32.

    Args:
        model: keras.Model, the encoder's inputs to logits.
        kind: "random", "pools" or "buckets"; batch_size: rows per batch.
        distributed: bool; whether the model was built under a strategy of several devices, or on a TPU.
        widths: those of "buckets", of the training rows; None takes what suits the rows themselves.
    """

    def __init__(self, model, kind, batch_size, distributed=False, widths=None):
        self.model, self.kind, self.batch_size, self.widths = model, kind, batch_size, widths
        self._run = self._predict if distributed else self._forward
        self._graph = None

    def logits(self, rows, progress=lambda done: None):
        """trainer.inputs.pipeline.Rows to what its `collected` makes of their logits: `<float32>[rows, outputs]`.

        Of a model that answers tokens, `<float32>[batch, length, outputs]`, it gets those of the real ones.

        progress: callable, rows done; called after each batch.
        """
        dataset, order = rows.evaluation(self.kind, self.batch_size, self.widths)
        share = len(rows) / max(1, len(order))  # a row may be several texts, each by itself
        found = self._run(dataset, lambda batches: progress(round(min(batches * self.batch_size, len(order)) * share)))
        return rows.collected(found, order)

    def _forward(self, dataset, progress):
        if self._graph is None:  # one trace for batches of any length, where Keras' predict traces several
            spec = dataset.element_spec[0]
            self._graph = tf.function(self._of_batch, input_signature=[spec], autograph=False)
        parts = []
        for features, _, _ in dataset:
            parts.append(tf.nest.map_structure(lambda each: each.numpy(), self._graph(features)))
            progress(len(parts))
        return _together(parts)

    def _of_batch(self, features):
        return _of_real_tokens(self.model(features, training=False), features)

    def _predict(self, dataset, progress):
        if any(len(each.shape) > 2 for each in tf.nest.flatten(self.model.output)):
            return self._predict_tokens(dataset, progress)
        shown = keras.callbacks.LambdaCallback()
        shown.on_predict_batch_end = lambda batch, logs=None: progress(batch + 1)
        return self.model.predict(dataset, verbose=0, callbacks=[shown])

    def _predict_tokens(self, dataset, progress):
        """A call for each batch: Keras joins the answers of one call, which must be of one width."""
        parts = []
        for features, _, _ in dataset:
            answers = self.model.predict(features, batch_size=self.batch_size, verbose=0)
            real = _of_real_tokens(tf.nest.map_structure(tf.constant, answers), features)
            parts.append(tf.nest.map_structure(lambda each: each.numpy(), real))
            progress(len(parts))
        return _together(parts)


def _of_real_tokens(answers, features):
    """Answers, or a dict of them, where those of tokens `<float>[batch, length, outputs]` are of real ones alone."""
    real = features["padding_mask"] > 0
    return tf.nest.map_structure(lambda each: tf.boolean_mask(each, real) if len(each.shape) > 2 else each, answers)


def _together(parts):
    return tf.nest.map_structure(lambda *each: np.concatenate(each), *parts)
