"""Losses of logits, each a mean over the weights of rows, or of tokens."""

import keras
from keras import ops


class SmoothedCrossEntropy(keras.losses.Loss):
    """Cross-entropy of ids `<int>[batch]` and logits `<float32>[batch, labels]`.

    smoothing: share of the target spread evenly. gamma: of focal loss (Lin et al., ICCV 2017), 0 for none.
    """

    def __init__(self, labels, smoothing, gamma=0.0):
        super().__init__(name="loss", reduction="mean_with_sample_weight")
        self.labels, self.smoothing, self.gamma = labels, smoothing, gamma

    def call(self, target, logits):
        true = ops.one_hot(ops.reshape(target, (-1,)), self.labels)
        smoothed = true * (1 - self.smoothing) + self.smoothing / self.labels
        loss = keras.losses.categorical_crossentropy(smoothed, logits, from_logits=True)
        if not self.gamma:
            return loss
        return loss * (1 - ops.sum(true * ops.softmax(logits), axis=-1)) ** self.gamma


class BinaryCrossEntropies(keras.losses.Loss):
    """Mean over the labels of the cross-entropy of `<float32>[batch, labels]` (0 or 1) and logits of that shape.

    weights: `<float32>[labels]`, what having a label counts; None for 1 each. gamma: of focal loss.
    """

    def __init__(self, weights=None, gamma=0.0):
        super().__init__(name="loss", reduction="mean_with_sample_weight")
        self.weights, self.gamma = weights, gamma

    def call(self, target, logits):
        # softplus(-x) is -log sigmoid(x), and finite for every x
        has, has_not = ops.softplus(-logits), ops.softplus(logits)
        if self.gamma:
            probability = ops.sigmoid(logits)
            has, has_not = has * (1 - probability) ** self.gamma, has_not * probability**self.gamma
        if self.weights is not None:
            has = has * self.weights
        return ops.mean(target * has + (1 - target) * has_not, axis=-1)


class SquaredError(keras.losses.Loss):
    """Squared distance of scores `<float32>[batch]` from what `value` makes of logits, in units of `deviation`."""

    def __init__(self, value, deviation):
        super().__init__(name="loss", reduction="mean_with_sample_weight")
        self.value, self.deviation = value, deviation

    def call(self, target, logits):
        return ops.square((self.value(logits) - ops.reshape(target, (-1,))) / self.deviation)


class TokenCrossEntropy(keras.losses.Loss):
    """Cross-entropy of ids `<int>[batch, length]`, where these are not negative, and logits `[batch, length, labels]`.

    A mean over the tokens of a batch: long texts count more, as in the reference.
    """

    def __init__(self):
        super().__init__(name="loss")

    def __call__(self, target, logits, sample_weight=None):
        counts = ops.cast(target >= 0, "float32")
        if sample_weight is not None:
            counts = counts * ops.cast(sample_weight, "float32")[:, None]
        losses = keras.losses.sparse_categorical_crossentropy(ops.maximum(target, 0), logits, from_logits=True)
        return ops.sum(losses * counts) / ops.maximum(ops.sum(counts), 1.0)


class MaskedCrossEntropy(keras.losses.Loss):
    """Mean cross-entropy of the masked tokens of a batch, of what `MaskedTokens` tells: `<float32>[batch, 3]`.

    Rows weigh as many tokens as are masked in them; the targets mean nothing.
    """

    def __init__(self):
        super().__init__(name="loss", reduction="mean_with_sample_weight")

    def call(self, target, told):
        return told[:, 0] / ops.maximum(told[:, 2], 1.0)


class MaskedAndOrder(MaskedCrossEntropy):
    """The same of `<float32>[batch, 6]`, and the mean cross-entropy of what `SegmentOrder` tells, over its texts."""

    def __call__(self, target, told, sample_weight=None):
        order = ops.sum(told[:, 3]) / ops.maximum(ops.sum(told[:, 5]), 1.0)
        return super().__call__(target, told, sample_weight) + order


class PlacesCrossEntropy(keras.losses.Loss):
    """Cross-entropy of places `<int>[batch, 2]` and logits `<float32>[batch, length, 2]`, a mean over both."""

    def __init__(self):
        super().__init__(name="loss")

    def __call__(self, target, logits, sample_weight=None):
        by_place = ops.transpose(logits, (0, 2, 1))
        losses = ops.mean(
            keras.losses.sparse_categorical_crossentropy(ops.cast(target, "int32"), by_place, from_logits=True), axis=1
        )
        weights = ops.ones_like(losses) if sample_weight is None else ops.cast(sample_weight, "float32")
        return ops.sum(losses * weights) / ops.maximum(ops.sum(weights), 1.0)


class PairCosine(keras.losses.Loss):
    """Squared distance of the cosines of all pairs of a batch from 1, of rows with one label, or 0, of rows with two.

    Of ids `<int>[batch]` and unit vectors `<float32>[batch, hidden]`. Pairs with one label count as much together as
    those with two, and each as much as the product of its rows' weights.
    """

    def __init__(self):
        super().__init__(name="loss")

    def __call__(self, target, vectors, sample_weight=None):
        target = ops.reshape(target, (-1,))
        weights = ops.ones_like(vectors[:, 0]) if sample_weight is None else ops.cast(sample_weight, "float32")
        same = ops.cast(target[:, None] == target[None, :], "float32")
        squares = ops.square(ops.matmul(vectors, ops.transpose(vectors)) - same)
        counts = (1 - ops.eye(ops.shape(target)[0])) * weights[:, None] * weights[None, :]
        alike, apart = counts * same, counts * (1 - same)
        return (_mean(squares, alike) + _mean(squares, apart)) / 2


def _mean(values, weights):
    """Weighted mean, 0 of nothing."""
    return ops.sum(values * weights) / ops.maximum(ops.sum(weights), 1e-9)
