"""How far a text's vector is from those of the labels' training texts."""

import numpy as np
import safetensors.numpy
import tensorflow as tf


class ClassDistance:
    """1 − the largest cosine of a vector and the mean of a label's vectors: from 0 to 2, larger being further.

    means: `<float32>[labels, hidden]`, of length 1; a label without training rows has none and is near nothing.
    """

    def __init__(self, means):
        self.means = means

    @classmethod
    def fit(cls, vectors, ids, labels):
        """Of training vectors `<float32>[rows, hidden]` and label ids `<int>[rows]`; labels: how many there are."""
        means = np.zeros((labels, vectors.shape[1]), np.float64)
        np.add.at(means, ids, vectors)
        return cls((means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)).astype(np.float32))

    def __call__(self, vectors):
        """`<float32>[batch]` of vectors `<float32>[batch, hidden]`, as TensorFlow ops."""
        unit = tf.math.l2_normalize(vectors, axis=1)
        return 1.0 - tf.reduce_max(tf.matmul(unit, self.means, transpose_b=True), axis=1)

    def dumps(self):
        """Bytes from which `loads` makes the same."""
        return safetensors.numpy.save({"means": self.means})

    @classmethod
    def loads(cls, content):
        return cls(safetensors.numpy.load(content)["means"])
