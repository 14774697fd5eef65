"""Places are dropped at their rate, by the seed alone, and the gradient passes where the value did."""

import numpy as np
import pytest
import tensorflow as tf

from trainer.models.dropout import dropout


@pytest.mark.parametrize("dtype", [tf.float32, tf.bfloat16])
@pytest.mark.parametrize("shape", [[300, 1000], [7, 3], [1]])
def test_values_are_dropped_or_scaled(dtype, shape):
    x = tf.cast(1 + tf.random.stateless_uniform(shape, [1, 2]), dtype)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = dropout(x, 0.25, tf.constant([3, 4]))
    gradient = tf.cast(tape.gradient(y, x), tf.float32).numpy()
    kept = tf.cast(y, tf.float32).numpy() != 0
    assert y.dtype == dtype and y.shape == shape
    np.testing.assert_allclose(tf.cast(y, tf.float32), kept * tf.cast(x, tf.float32) / 0.75, rtol=1e-2)
    np.testing.assert_allclose(gradient, kept / 0.75, rtol=1e-2)


def test_the_rate_holds_in_every_part():
    y = dropout(tf.ones([1000, 1000]), 0.1, tf.constant([5, 6])).numpy()
    halves = [y[:, ::2], y[:, 1::2], y[:500], y[500:]]  # even and odd places come from one number
    assert all(abs((half == 0).mean() - 0.1) < 0.002 for half in halves)
    assert abs(np.corrcoef(y[:, ::2].ravel(), y[:, 1::2].ravel())[0, 1]) < 0.01
    assert abs(y.mean() - 1) < 1e-3


def test_the_seed_decides():
    one, again, other = (dropout(tf.ones([64, 64]), 0.5, tf.constant([7, n])).numpy() for n in (1, 1, 2))
    assert (one == again).all() and (one != other).any()


def test_a_rate_of_nothing_drops_nothing():
    x = tf.ones([4, 4])
    assert dropout(x, 0.0, tf.constant([1, 1])) is x
