"""Calibration against worked examples, and on rows whose true temperature is known."""

import numpy as np
import pytest

from trainer.metrics.calibration import (
    TEMPERATURES,
    expected_calibration_error,
    fit_temperature,
    negative_log_likelihood,
    reliability,
)


def drawn(rows, temperature, labels=4, seed=0):
    """(logits, targets): targets drawn from the softmax of logits / temperature, so that this is the right one."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(scale=3, size=(rows, labels)).astype(np.float32)
    gumbel = rng.gumbel(size=logits.shape)
    return logits, (logits / temperature + gumbel).argmax(axis=1)


def scored(logits, targets, temperature=1.0):
    """(scores, right) of the softmax."""
    shares = np.exp(logits.astype(np.float64) / temperature)
    shares /= shares.sum(axis=1, keepdims=True)
    return shares.max(axis=1), logits.argmax(axis=1) == targets


def test_the_likelihood_is_that_of_the_softmax():
    logits, targets = np.array([[2.0, 0.0], [0.0, 0.0], [1e4, -1e4]], np.float32), np.array([0, 1, 1])
    expected = (np.log(1 + np.exp(-1.0)) + np.log(2) + 1e4) / 3
    assert negative_log_likelihood(logits, targets, 2.0) == pytest.approx(expected)


@pytest.mark.parametrize("true", [0.5, 1.0, 2.5])
def test_the_temperature_that_made_the_rows_is_found(true):
    logits, targets = drawn(20_000, true)
    found = fit_temperature(logits, targets)
    assert found == pytest.approx(true, rel=0.05)
    near = [negative_log_likelihood(logits, targets, found * factor) for factor in (0.99, 1.0, 1.01)]
    assert near[1] == min(near)
    after = expected_calibration_error(reliability(*scored(logits, targets, found)))
    assert after < 0.01
    if true != 1:
        assert expected_calibration_error(reliability(*scored(logits, targets))) > 5 * after


@pytest.mark.parametrize("rows", [8, 24, 100])
def test_the_likelihood_on_these_rows_never_gets_worse(rows):
    for seed in range(20):
        logits, targets = drawn(rows, 1.5, seed=seed)
        found = fit_temperature(logits, targets)
        before, after = (negative_log_likelihood(logits, targets, each) for each in (1.0, found))
        assert (after <= before + 1e-9 or (logits.argmax(axis=1) == targets).all()) and TEMPERATURES[
            0
        ] <= found <= TEMPERATURES[1]


@pytest.mark.parametrize("scale", [0.2, 1.0, 5.0])
def test_rows_without_an_error_give_no_certainty(scale):
    """However far apart the logits are, 50 rows without an error are taken as 51 in 52."""
    logits, _ = drawn(50, 1.0)
    logits *= scale
    targets = logits.argmax(axis=1)
    found = fit_temperature(logits, targets)
    assert 0.85 < scored(logits, targets, found)[0].mean() < 0.99
    assert TEMPERATURES[0] < found < TEMPERATURES[1]


def test_rows_of_one_label_give_no_temperature():
    assert fit_temperature(drawn(50, 1.0)[0], np.full(50, 2)) == 1.0


def test_a_model_worse_than_chance_stays_within_the_bounds():
    logits, _ = drawn(50, 1.0)
    assert fit_temperature(logits, logits.argmin(axis=1)) == pytest.approx(TEMPERATURES[1], rel=1e-3)
    nearly = logits.argmax(axis=1)
    nearly[0] = logits[0].argsort()[-2]
    assert TEMPERATURES[0] <= fit_temperature(logits * 1e3, nearly) <= TEMPERATURES[1]


def test_bins_are_half_open_and_empty_ones_are_left_out():
    scores = np.array([0.2, 0.2001, 0.4, 0.95, 1.0], np.float64)
    found = reliability(scores, np.array([True, False, True, True, False]), bins=5)
    assert [each["count"] for each in found] == [1, 2, 2]
    assert [each["accuracy"] for each in found] == [1.0, 0.5, 0.5]
    assert [each["confidence"] for each in found] == pytest.approx([0.2, 0.30005, 0.975])
    assert expected_calibration_error(found) == pytest.approx((1 * 0.8 + 2 * 0.19995 + 2 * 0.475) / 5)


def test_fifteen_bins_unless_asked_otherwise():
    scores = (np.arange(1500) + 0.5) / 1500
    found = reliability(scores, np.ones(1500, bool))
    assert [each["count"] for each in found] == [100] * 15
    assert expected_calibration_error(found) == pytest.approx(0.5)
