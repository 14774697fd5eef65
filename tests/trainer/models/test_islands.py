"""What XLA fuses gives what the plain ops give, whatever the number of tokens."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.models import islands


@pytest.mark.parametrize("dtype, tolerance", [("float32", 1e-6), ("bfloat16", 2e-2)])
@pytest.mark.parametrize("activation", [keras.activations.gelu, keras.activations.relu, keras.activations.silu])
def test_values_and_gradients(activation, dtype, tolerance):
    for tokens in (1, 64, 65, 200):
        x, toward = (tf.random.stateless_normal([tokens, 3], [seed, tokens]) for seed in (1, 2))
        given = tf.cast(x, dtype)
        expected, found = (
            differentiate(activation, x, toward),
            differentiate(islands.elementwise(activation), given, toward),
        )
        for plain, fused in zip(expected, found, strict=True):
            assert fused.dtype == dtype and fused.shape == [tokens, 3]
            np.testing.assert_allclose(tf.cast(fused, tf.float32), plain, atol=tolerance * 4)


def differentiate(function, x, toward):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    return y, tape.gradient(y, x, tf.cast(toward, x.dtype))


def test_all_layers_share_a_program():
    assert islands.elementwise(keras.activations.gelu) is islands.elementwise(keras.activations.gelu)
