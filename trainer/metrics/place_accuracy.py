"""Share of windows in which both the first and the last token of the answer are found."""

import keras
from keras import ops


class PlaceAccuracy(keras.metrics.Mean):
    """Of logits `<float>[batch, length, 2]` against places `<int>[batch, 2]`."""

    def __init__(self):
        super().__init__(name="place_accuracy", dtype="float32")

    def update_state(self, target, logits, sample_weight=None):
        found = ops.cast(ops.argmax(logits, axis=1), "int32")
        right = ops.all(ops.equal(ops.cast(target, "int32"), found), axis=1)
        return super().update_state(ops.cast(right, "float32"), sample_weight)
