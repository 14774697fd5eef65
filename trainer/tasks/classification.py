"""One label per text or pair of texts."""

import copy

import keras
import numpy as np
import tensorflow as tf
from sklearn import metrics as sklearn_metrics

from trainer.metrics.calibration import negative_log_likelihood
from trainer.models.pooling import pool
from trainer.tasks.decisions import Decisions


class SmoothedCrossEntropy(keras.losses.Loss):
    """Cross-entropy of ids `<int>[batch]` and logits `<float32>[batch, labels]`, a mean over the rows' weights."""

    def __init__(self, labels, smoothing):
        super().__init__(name="loss", reduction="mean_with_sample_weight")
        self.labels, self.smoothing = labels, smoothing

    def call(self, target, logits):
        one_hot = keras.ops.one_hot(keras.ops.reshape(target, (-1,)), self.labels)
        one_hot = one_hot * (1 - self.smoothing) + self.smoothing / self.labels
        return keras.losses.categorical_crossentropy(one_hot, logits, from_logits=True)


class Classification:
    """Single-label classification: labels are strings in and strings out.

    Args:
        labels: tuple of str, in the order of the probabilities.
        text_pair: bool; whether a second text belongs to each row.
        model_config: trainer.config.ModelConfig.
    """

    name = "classification"

    def __init__(self, labels, text_pair, model_config):
        self.labels = tuple(labels)
        self.text_pair = text_pair
        self.config = model_config
        self.decisions = Decisions()

    def decided(self, decisions):
        """The same task, whose answers follow `decisions` from here on; what is learned does not change by them."""
        task = copy.copy(self)
        task.decisions = decisions
        return task

    def build(self, encoder):
        """keras.Model: the encoder's inputs to logits `<float32>[batch, labels]`."""
        pooled = pool(encoder, self.config.pooling)
        pooled = keras.layers.Identity(name="embedding", dtype="float32")(pooled)
        dropped = keras.layers.Dropout(self.config.dropout, name="head_dropout", dtype="float32")(pooled)
        logits = keras.layers.Dense(
            len(self.labels),
            # As the reference draws it: a truncated normal would be 12 % narrower.
            kernel_initializer=keras.initializers.RandomNormal(stddev=0.02),
            name="logits",
            dtype="float32",  # the softmax of a bfloat16 logit loses three digits
        )(dropped)
        return keras.Model(encoder.backbone.input, logits, name=self.name)

    def embedder(self, model):
        """keras.Model that shares `model`'s weights: the encoder's inputs to vectors `<float32>[batch, hidden]`."""
        return keras.Model(model.input, model.get_layer("embedding").output, name="embedder")

    def targets(self, labels):
        """Strings to label ids, `<int32>[rows]`."""
        index = {label: i for i, label in enumerate(self.labels)}
        return np.array([index[label] for label in labels], np.int32)

    def loss(self):
        """Cross-entropy of ids `<int>[batch]` and logits, averaged over the weights of the rows."""
        return SmoothedCrossEntropy(len(self.labels), self.config.label_smoothing)

    def metrics(self):
        """Keras metrics shown while training."""
        return [keras.metrics.SparseCategoricalAccuracy(name="accuracy")]

    def score(self, logits, targets):
        """Logits `<float32>[rows, labels]` and ids `<int>[rows]` to {metric: float}, at temperature 1."""
        predicted = logits.argmax(axis=1)
        return {
            "accuracy": float(np.mean(predicted == targets)),
            "macro_f1": float(sklearn_metrics.f1_score(targets, predicted, average="macro", zero_division=0)),
            "loss": negative_log_likelihood(logits, targets),
        }

    def probabilities(self, logits):
        """Logits `<float32>[batch, labels]` to calibrated probabilities of the same shape, as TensorFlow ops."""
        return tf.nn.softmax(logits / self.decisions.temperature)

    def serving_outputs(self, logits, truncated):
        """The named outputs of `serving_default`, as TensorFlow ops; no decision moves `label`."""
        probabilities = self.probabilities(logits)
        best, score = tf.argmax(logits, axis=1), tf.reduce_max(probabilities, axis=1)
        thresholds = tf.constant(self.decisions.of(self.labels), tf.float32)
        return {
            "label": tf.gather(tf.constant(self.labels), best),
            "score": score,
            "probabilities": probabilities,
            "truncated": truncated,
            "abstain": score < tf.gather(thresholds, best),
        }

    def answers(self, logits):
        """The same outputs offline, as numpy arrays, of logits `<float32>[rows, labels]`; `truncated` is false."""
        outputs = self.serving_outputs(tf.constant(logits), tf.zeros(len(logits), tf.bool))
        return {name: output.numpy() for name, output in outputs.items()}
