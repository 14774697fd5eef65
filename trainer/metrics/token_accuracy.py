"""Share of tokens with the right label."""

import keras
from keras import ops


class TokenAccuracy(keras.metrics.Mean):
    """Of logits `<float>[batch, length, labels]` against ids `<int>[batch, length]`, where these are not negative."""

    def __init__(self):
        super().__init__(name="token_accuracy", dtype="float32")

    def update_state(self, target, logits, sample_weight=None):
        counts = ops.cast(target >= 0, "float32")
        if sample_weight is not None:
            counts = counts * ops.cast(sample_weight, "float32")[:, None]
        right = ops.cast(
            ops.equal(ops.cast(target, "int32"), ops.cast(ops.argmax(logits, axis=-1), "int32")), "float32"
        )
        return super().update_state(right, counts)
