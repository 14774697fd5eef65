"""What tasks over one vector for each text share: the model, and the model of its vectors."""

import copy

import keras

from trainer.models.pooling import pool


class PooledTask:
    """A head over the pooled tokens of a text, or of a pair.

    Args:
        text_pair: bool; whether a second text belongs to each row.
        model_config: trainer.config.ModelConfig.
    """

    def __init__(self, text_pair, model_config):
        self.text_pair = text_pair
        self.config = model_config

    def build(self, encoder):
        """keras.Model: the encoder's inputs to logits `<float32>[batch, outputs]`."""
        pooled = pool(encoder, self.config.pooling)
        pooled = keras.layers.Identity(name="embedding", dtype="float32")(pooled)
        dropped = keras.layers.Dropout(self.config.dropout, name="head_dropout", dtype="float32")(pooled)
        logits = keras.layers.Dense(
            self.outputs,
            # As the reference draws it: a truncated normal would be 12 % narrower.
            kernel_initializer=keras.initializers.RandomNormal(stddev=0.02),
            bias_initializer=keras.initializers.Constant(self.first_logit),
            name="logits",
            dtype="float32",  # the softmax of a bfloat16 logit loses three digits
        )(dropped)
        return keras.Model(encoder.backbone.input, logits, name=self.name)

    first_logit = 0.0  # of a head that has learned nothing

    def embedder(self, model):
        """keras.Model that shares `model`'s weights: the encoder's inputs to vectors `<float32>[batch, hidden]`."""
        return keras.Model(model.input, model.get_layer("embedding").output, name="embedder")

    def decided(self, decisions):
        """The same task, whose answers follow `decisions` from here on; what is learned does not change by them."""
        task = copy.copy(self)
        task.decisions = decisions
        return task

    def score_on_dev(self, logits, targets):
        """`score` while training, when nothing has been decided yet."""
        return self.score(logits, targets)

    def row_weights(self, targets):
        """`<float32>[rows]`: what each row counts in the loss, or None for 1 each."""
        return None
