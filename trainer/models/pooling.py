"""Token vectors to one vector per text."""

import keras
from keras import ops


class MeanOverTokens(keras.layers.Layer):
    """Mean of `<float>[batch, length, hidden]` over the tokens that `padding_mask` `<int>[batch, length]` marks."""

    def call(self, sequence, padding_mask):
        weight = ops.cast(padding_mask, sequence.dtype)[:, :, None]
        return ops.sum(sequence * weight, axis=1) / ops.maximum(ops.sum(weight, axis=1), 1)


def pool(encoder, how):
    """The symbolic text vector `<float>[batch, hidden]` of an Encoder.

    Args:
        encoder: Encoder, see trainer/models/encoder.py.
        how: "pooler", "first", "mean" or "auto": the pre-trained pooler where there is one, else the first token.
    """
    outputs = encoder.backbone.output
    sequence = outputs["sequence_output"] if isinstance(outputs, dict) else outputs
    if how == "pooler" or (how == "auto" and encoder.has_pooler):
        return outputs["pooled_output"]
    if how == "mean":
        mask = encoder.backbone.input["padding_mask"]
        return MeanOverTokens(name="mean_over_tokens")(sequence, mask)
    return sequence[:, 0, :]
