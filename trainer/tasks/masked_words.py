"""Masked words are to be named, and segments put in order: how an encoder learns from texts without labels."""

import dataclasses
import json
import math

import keras
import numpy as np

from trainer.config import UserError
from trainer.metrics.masked_accuracy import MaskedAccuracy, OrderAccuracy
from trainer.models import head_files
from trainer.models.mask_tokens import mask_tokens
from trainer.models.masked_head import MaskedTokens, SegmentOrder, masked_head
from trainer.models.pooling import token_vectors, tokens_and_pooled
from trainer.tasks.losses import MaskedAndOrder, MaskedCrossEntropy
from trainer.tasks.undecided import Undecided


class MaskedWords:
    """Masked-language-model pre-training. What it makes is an encoder; nothing of it is served.

    Args:
        text_pair: bool; whether a second text belongs to each row. share: of the tokens that are masked. segments:
            "nsp" or "sop", see trainer/inputs/segments.py, or "none".
    """

    name, column, labels = "mlm", "text", ()
    served = signatures = frozenset()
    decisions_type, loss_weights = Undecided, None

    def __init__(self, text_pair, share, segments="none"):
        self.text_pair, self.share, self.segments = text_pair, share, segments
        self.decisions = Undecided()

    @classmethod
    def of(cls, learned, text_pair, config, class_weights=None):
        return cls(text_pair, config.input.mask_share, config.input.segments)

    @staticmethod
    def check_encoder(encoder, config):
        """Raises UserError for an Encoder whose vocabulary has no mask token."""
        try:
            mask_tokens(encoder.preprocessor)
        except ValueError as error:
            raise UserError(f"--task=mlm: {encoder.name}: {error}; give an encoder that was made for it") from error

    def build(self, encoder):
        """keras.Model: the encoder's inputs, `mask_positions` and `mask_ids` to what MaskedTokens tells of each row.

        With segments also `segment_order`, and behind it what SegmentOrder tells: `<float32>[batch, 6]`.
        """
        inputs = {name: keras.Input((None,), dtype="int32", name=name) for name in ("mask_positions", "mask_ids")}
        layer = MaskedTokens(masked_head(encoder), encoder.unpadded is not None, name="masked", dtype="float32")
        if self.segments == "none":
            told = layer(token_vectors(encoder), *inputs.values())
        else:
            order = keras.Input((), dtype="int32", name="segment_order")
            vectors, pooled = tokens_and_pooled(self.made(encoder), "auto")
            told = layer(vectors, *inputs.values())
            ordered = SegmentOrder(name="segments", dtype="float32")(pooled, order)
            told = keras.layers.Concatenate(name="told", dtype="float32")([told, ordered])
            inputs["segment_order"] = order
        if encoder.folder and not encoder.drawn:
            head_files.load(layer.head, encoder.folder, json.loads((encoder.folder / "config.json").read_text()))
        return keras.Model({**encoder.backbone.input, **inputs}, told, name=self.name)

    def made(self, encoder):
        """The Encoder that the run makes: one that orders segments teaches the pooler, where its kind has one."""
        outputs = encoder.backbone.output
        pools = self.segments != "none" and isinstance(outputs, dict) and "pooled_output" in outputs
        return dataclasses.replace(encoder, has_pooler=encoder.has_pooler or pools)

    def loss(self):
        """Cross-entropy, averaged over the masked tokens; that of the segments' order, over texts, is added."""
        return MaskedCrossEntropy() if self.segments == "none" else MaskedAndOrder()

    def metrics(self):
        return [MaskedAccuracy()] + ([] if self.segments == "none" else [OrderAccuracy()])

    def score(self, told, truth):
        """What the model tells of each row, `<float32>[rows, 3 or 6]`, to {metric: float}."""
        losses, right, count, *order = told.astype(np.float64).sum(axis=0)
        loss = losses / max(count, 1)
        found = {"loss": loss, "perplexity": math.exp(min(loss, 700.0)), "masked_accuracy": right / max(count, 1)}
        if order:
            losses, right, count = order
            found |= {"loss": loss + losses / max(count, 1), "order_accuracy": right / max(count, 1)}
        return found

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
