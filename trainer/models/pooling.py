"""The vectors that heads stand on: one per text, or one per token."""

import keras
from keras import ops

from trainer.config import UserError
from trainer.models.unpadded import Unpadded


class MeanOverTokens(keras.layers.Layer):
    """Mean of `<float>[batch, length, hidden]` over the tokens that `padding_mask` `<int>[batch, length]` marks."""

    def call(self, sequence, padding_mask):
        weight = ops.cast(padding_mask, sequence.dtype)[:, :, None]
        return ops.sum(sequence * weight, axis=1) / ops.maximum(ops.sum(weight, axis=1), 1)


def check_pooling(encoder, how):
    """Raises UserError where `how` asks for a pooler and none came with the encoder."""
    if how == "pooler" and not encoder.has_pooler:
        raise UserError(f"--pooling=pooler: {encoder.name} has no pooler; give --pooling=first or --pooling=mean")


def pool(encoder, how):
    """The symbolic text vector `<float>[batch, hidden]` of an Encoder.

    Args:
        encoder: Encoder, see trainer/models/encoder.py.
        how: "pooler", "first", "mean" or "auto": the pre-trained pooler where there is one, else the first token.
    """
    how = _resolved(encoder, how)
    return _computed(encoder, _pooled(encoder, how), how)


def tokens_and_pooled(encoder, *hows):
    """All at once, of one pass: token vectors as of `token_vectors`, then of each of `hows` a vector as of `pool`."""
    hows = tuple(_resolved(encoder, how) for how in hows)
    return _computed(encoder, [_sequence(encoder), *(_pooled(encoder, how) for how in hows)], ("tokens", *hows))


def token_vectors(encoder):
    """The symbolic token vectors `<float>[batch, length, hidden]` of an Encoder; what padding gets means nothing."""
    return _computed(encoder, _sequence(encoder), "tokens")


def _resolved(encoder, how):
    check_pooling(encoder, how)
    return ("pooler" if encoder.has_pooler else "first") if how == "auto" else how


def _computed(encoder, vectors, how):
    """The same vectors over real tokens alone, where the encoder is to be computed so."""
    if encoder.unpadded is None:
        return vectors
    padded = keras.Model(encoder.backbone.input, vectors, name="padded")
    layer = Unpadded(padded, encoder.backbone, how, **encoder.unpadded, name="unpadded", dtype="float32")
    return layer(encoder.backbone.input)


def _sequence(encoder):
    outputs = encoder.backbone.output
    return outputs["sequence_output"] if isinstance(outputs, dict) else outputs


def _pooled(encoder, how):
    sequence = _sequence(encoder)
    if how == "pooler":
        return encoder.backbone.output["pooled_output"]
    if how == "mean":
        mask = encoder.backbone.input["padding_mask"]
        # in float32: bfloat16 cannot count beyond 256 tokens
        return MeanOverTokens(name="mean_over_tokens", dtype="float32")(sequence, mask)
    return sequence[:, 0, :]
