"""Words that were masked are to be named: how an encoder learns from texts without labels."""

import json
import math

import keras
import numpy as np

from trainer.config import UserError
from trainer.metrics.masked_accuracy import MaskedAccuracy
from trainer.models import head_files
from trainer.models.mask_tokens import mask_tokens
from trainer.models.masked_head import MaskedTokens, masked_head
from trainer.models.pooling import token_vectors
from trainer.tasks.losses import MaskedCrossEntropy
from trainer.tasks.undecided import Undecided


class MaskedWords:
    """Masked-language-model pre-training. What it makes is an encoder; nothing of it is served.

    Args:
        text_pair: bool; whether a second text belongs to each row. share: of the tokens that are masked.
    """

    name, column, labels = "mlm", "text", ()
    served = signatures = frozenset()
    decisions_type, loss_weights = Undecided, None

    def __init__(self, text_pair, share):
        self.text_pair, self.share = text_pair, share
        self.decisions = Undecided()

    @classmethod
    def of(cls, learned, text_pair, config, class_weights=None):
        return cls(text_pair, config.input.mask_share)

    @staticmethod
    def check_encoder(encoder, config):
        """Raises UserError for an Encoder whose vocabulary has no mask token."""
        try:
            mask_tokens(encoder.preprocessor)
        except ValueError as error:
            raise UserError(f"--task=mlm: {encoder.name}: {error}; give an encoder that was made for it") from error

    def build(self, encoder):
        """keras.Model: the encoder's inputs, `mask_positions` and `mask_ids` to what MaskedTokens tells of each row."""
        masked = {name: keras.Input((None,), dtype="int32", name=name) for name in ("mask_positions", "mask_ids")}
        layer = MaskedTokens(masked_head(encoder), encoder.unpadded is not None, name="masked", dtype="float32")
        told = layer(token_vectors(encoder), *masked.values())
        if encoder.folder and not encoder.drawn:
            head_files.load(layer.head, encoder.folder, json.loads((encoder.folder / "config.json").read_text()))
        return keras.Model({**encoder.backbone.input, **masked}, told, name=self.name)

    def loss(self):
        """Cross-entropy, averaged over the masked tokens."""
        return MaskedCrossEntropy()

    def metrics(self):
        return [MaskedAccuracy()]

    def score(self, told, truth):
        """What MaskedTokens tells of each row, `<float32>[rows, 3]`, to {metric: float}."""
        losses, right, count = told.astype(np.float64).sum(axis=0)
        loss = losses / max(count, 1)
        return {"loss": loss, "perplexity": math.exp(min(loss, 700.0)), "masked_accuracy": right / max(count, 1)}

    score_on_dev = score

    def per_class(self, told, truth):
        """Nothing: there are no labels."""
        return []

    def decided(self, decisions):
        return self

    def check_dev(self, settings, labels):
        """Nothing is decided on dev."""

    def decide(self, settings, told, truth):
        return self

    def decision_figures(self, judged):
        return {}
