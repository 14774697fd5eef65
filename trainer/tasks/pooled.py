"""What tasks over one vector for each text share: the model, and the model of its vectors."""

import copy

import keras

from trainer.models.head import head
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
        logits = head(pooled, self.outputs, self.config.dropout, self.first_logit)
        return keras.Model(encoder.backbone.input, logits, name=self.name)

    signatures = frozenset({"serving_default", "embed", "contract"})
    loss_weights = None  # of several heads, what the loss of each counts
    first_logit = 0.0  # of a head that has learned nothing

    def embedder(self, model):
        """keras.Model that shares `model`'s weights: the encoder's inputs to vectors `<float32>[batch, hidden]`."""
        return keras.Model(model.input, model.get_layer("embedding").output, name="embedder")

    def respond(self, model, preprocessor, *texts):
        """`serving_default`: texts, one or two `<string>[batch]`, to the named outputs, as TensorFlow ops."""
        features, truncated = preprocessor(*texts)
        return self.serving_outputs(model(features, training=False), truncated)

    reference = respond  # what the proof compares, eagerly

    def further(self, model, preprocessor):
        """{signature: callable of texts} besides serving_default."""
        embedder = self.embedder(model)

        def embed(*texts):
            features, _ = preprocessor(*texts)
            return {"embedding": embedder(features, training=False)}

        return {"embed": embed}

    def proof_rows(self, table):
        """(texts, second texts or None, cells) of a dev Table, of which the proof takes some."""
        return table.texts, table.pairs, table.labels

    @staticmethod
    def check_encoder(encoder, config):
        """Raises UserError for an Encoder that the task cannot stand on."""

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
