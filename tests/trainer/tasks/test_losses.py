"""Losses against their formulas in float64, and their gradients where logits are extreme."""

import numpy as np
import pytest
import tensorflow as tf

from trainer.tasks.losses import BinaryCrossEntropies, SmoothedCrossEntropy, SquaredError

LOGITS = np.array([[2.0, -1.0, 0.0], [-3.0, 5.0, 1.0], [90.0, -90.0, 0.0]], np.float32)


def sigmoid(logits):
    return 1 / (1 + np.exp(-logits.astype(np.float64)))


@pytest.mark.parametrize("gamma", [0.0, 2.0])
@pytest.mark.parametrize("weights", [None, [1.0, 3.0, 0.5]])
def test_several_labels(gamma, weights):
    targets = np.array([[1, 0, 1], [0, 1, 1], [1, 0, 0]], np.float32)
    p, w = np.clip(sigmoid(LOGITS), 1e-300, 1 - 1e-16), np.ones(3) if weights is None else np.array(weights)
    each = -(targets * w * (1 - p) ** gamma * np.log(p) + (1 - targets) * p**gamma * np.log(1 - p))
    loss = BinaryCrossEntropies(None if weights is None else np.float32(weights), gamma)
    rows = [0.5, 1.0, 2.0]
    expected = (each.mean(axis=1) * rows).sum() / np.sum(rows)
    np.testing.assert_allclose(loss(targets, LOGITS, sample_weight=np.float32(rows)), expected, rtol=1e-5, atol=1e-7)


def test_focal_loss_of_one_label():
    ids = np.array([0, 2, 0], np.int32)
    logits = LOGITS.astype(np.float64)
    p = np.exp(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True))[range(3), ids]
    expected = (-np.log(p) * (1 - p) ** 2).mean()
    np.testing.assert_allclose(SmoothedCrossEntropy(3, 0.0, 2.0)(ids, LOGITS), expected, rtol=1e-5)
    np.testing.assert_allclose(SmoothedCrossEntropy(3, 0.0, 0.0)(ids, LOGITS), -np.log(p).mean(), rtol=1e-5)


def test_easy_rows_count_less_in_focal_loss():
    easy, hard = np.float32([[4.0, 0.0]]), np.float32([[-4.0, 0.0]])
    shares = [
        SmoothedCrossEntropy(2, 0.0, gamma)([0], easy) / SmoothedCrossEntropy(2, 0.0, gamma)([0], hard)
        for gamma in (0.0, 2.0)
    ]
    assert shares[1] < shares[0] / 100


@pytest.mark.parametrize("loss", [SmoothedCrossEntropy(3, 0.1, 2.0), BinaryCrossEntropies(None, 2.0)])
@pytest.mark.parametrize("logit", [-1e4, 0.0, 1e4])
def test_gradients_are_numbers(loss, logit):
    logits = tf.Variable([[logit, 0.0, -logit]])
    target = tf.constant([1]) if isinstance(loss, SmoothedCrossEntropy) else tf.constant([[1.0, 0.0, 1.0]])
    with tf.GradientTape() as tape:
        value = loss(target, logits)
    assert np.isfinite(value) and np.isfinite(tape.gradient(value, logits)).all()


def test_squared_errors_are_in_units_of_the_deviation():
    loss = SquaredError(lambda logits: 10 + 2 * logits[:, 0], 2.0)
    np.testing.assert_allclose(loss(np.float32([10, 14]), np.float32([[1], [0]])), (1 + 4) / 2)
