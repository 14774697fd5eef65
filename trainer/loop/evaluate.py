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
        """trainer.inputs.pipeline.Rows to `<float32>[rows, outputs]`, in the order of the rows.

        progress: callable, rows done; called after each batch.
        """
        dataset, order = rows.evaluation(self.kind, self.batch_size, self.widths)
        found = self._run(dataset, lambda batches: progress(min(batches * self.batch_size, len(order))))
        out = np.empty((len(order), *found.shape[1:]), np.float32)
        out[order] = found[: len(order)]  # behind them: rows of weight 0 that fill up the last batch
        return out

    def _forward(self, dataset, progress):
        if self._graph is None:  # one trace for batches of any length, where Keras' predict traces several
            spec = dataset.element_spec[0]
            self._graph = tf.function(lambda x: self.model(x, training=False), input_signature=[spec], autograph=False)
        parts = []
        for features, _, _ in dataset:
            parts.append(self._graph(features).numpy())
            progress(len(parts))
        return np.concatenate(parts)

    def _predict(self, dataset, progress):
        shown = keras.callbacks.LambdaCallback()
        shown.on_predict_batch_end = lambda batch, logs=None: progress(batch + 1)
        return self.model.predict(dataset, verbose=0, callbacks=[shown])
