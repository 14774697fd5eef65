"""Losses of the vectors of rows of texts, each a mean over the rows' weights and over the sizes of vectors.

Vectors come as `<float32>[rows · columns, hidden]`: the texts of a row one after the other, so that a batch may be cut
between rows. Shorter vectors are prefixes, normalised anew (Matryoshka, https://arxiv.org/abs/2205.13147).
"""

import dataclasses

import keras
from keras import ops

SCALE = 20.0  # of cosines before the softmax, as in sentence-transformers' MultipleNegativesRankingLoss


class _OfVectors(keras.losses.Loss):
    """sizes: tuple of int, dimensions of the prefixes."""

    def __init__(self, sizes):
        super().__init__(name="loss")
        self.sizes = sizes

    def __call__(self, target, vectors, sample_weight=None):
        rows = ops.shape(target)[0]
        weights = ops.ones([rows]) if sample_weight is None else ops.cast(sample_weight, "float32")
        texts = ops.reshape(vectors, (rows, -1, vectors.shape[-1]))
        losses = [self.of_rows(target, weights, _unit(texts[:, :, :size])) for size in self.sizes]
        mean = sum(losses) / len(losses)
        return ops.sum(mean * weights) / ops.maximum(ops.sum(weights), 1e-9)


class Ranking(_OfVectors):
    """Cross-entropy of each first text finding its second one among those, and the third ones, of all rows.

    target: `<int>[rows, columns - 1]`, number of each second and third text: the same text is no negative of itself;
    −1 stands for none. Source: https://arxiv.org/abs/1705.00652, 4.4.
    """

    def of_rows(self, target, weights, texts):
        rows = ops.shape(target)[0]
        numbers = ops.reshape(ops.transpose(target), (-1,))
        others = ops.reshape(ops.transpose(texts[:, 1:], (1, 0, 2)), (-1, texts.shape[-1]))
        cosine = SCALE * ops.matmul(texts[:, 0], ops.transpose(others))
        own = ops.arange(rows)
        is_own = own[:, None] == ops.arange(ops.shape(others)[0])[None, :]
        same = numbers[None, :] == target[:, 0][:, None]
        counts = ops.tile(weights > 0, (target.shape[1],)) & (numbers >= 0)
        kept = is_own | (counts[None, :] & ~same)
        logits = ops.where(kept, cosine, -1e9)
        return keras.losses.sparse_categorical_crossentropy(own, logits, from_logits=True)


class CosineScore(_OfVectors):
    """Squared distance of the cosine of two texts from what their score `<float>[rows]` is on a ScoreScale."""

    def __init__(self, sizes, scale):
        super().__init__(sizes)
        self.scale = scale

    def of_rows(self, target, weights, texts):
        wanted = self.scale.cosine(ops.cast(target, "float32"))
        return ops.square(ops.sum(texts[:, 0] * texts[:, 1], axis=-1) - wanted)


@dataclasses.dataclass(frozen=True)
class ScoreScale:
    """Scores from low to high as cosines: from 0 to 1, or from −1 where `low` is negative, an opposite."""

    low: float
    high: float

    @property
    def least(self):
        return -1.0 if self.low < 0 else 0.0

    def cosine(self, score):
        return self.least + (1 - self.least) * (score - self.low) / (self.high - self.low)

    def score(self, cosine):
        """The other way: what a cosine says in the unit of the scores."""
        return self.low + (self.high - self.low) * (cosine - self.least) / (1 - self.least)


def _unit(texts):
    return ops.normalize(texts, axis=-1)
