"""Shares of masked tokens that are named right, and of texts whose segments' order is."""

import keras
from keras import ops


class MaskedAccuracy(keras.metrics.Mean):
    """Of `<float32>[batch, 3 or 6]`, first losses, right ones and number of each row's masked tokens.

    They are those of models/masked_head.py. The weight of a row is that number, or 0 for one that fills up a batch.
    """

    def __init__(self):
        super().__init__(name="masked_accuracy", dtype="float32")

    def update_state(self, target, told, sample_weight=None):
        return super().update_state(told[:, 1] / ops.maximum(told[:, 2], 1.0), sample_weight)


class OrderAccuracy(keras.metrics.Mean):
    """Of `<float32>[batch, 6]`, whose last three are of each row's segments; see models/masked_head.py."""

    def __init__(self):
        super().__init__(name="order_accuracy", dtype="float32")

    def update_state(self, target, told, sample_weight=None):
        return super().update_state(told[:, 4], told[:, 5])
