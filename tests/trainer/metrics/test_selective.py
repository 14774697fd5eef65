"""Thresholds, and what their promise is worth on rows that they were not chosen on."""

import math

import numpy as np
import pytest
from scipy.stats import binom

from trainer.metrics import selective
from trainer.metrics.selective import (
    CONFIDENCE,
    Answered,
    area_under_risk_coverage,
    best_precision,
    risk_coverage,
    rows_needed,
    threshold_for_precision,
)

SCORES = np.array([0.5, 0.9, 0.7, 0.7, 0.6], np.float32)
RIGHT = np.array([False, True, False, True, True])


def calibrated(rows, seed):
    """(scores, right): a row of score s is right with probability s, as of a model of 88 % accuracy."""
    rng = np.random.default_rng(seed)
    scores = np.clip(rng.beta(6, 0.8, size=rows), 0.2, 1).astype(np.float32)
    return scores, rng.random(rows) < scores


def test_rows_of_one_score_are_answered_together():
    found = Answered.of(SCORES, RIGHT)
    assert found.scores.tolist() == pytest.approx([0.9, 0.7, 0.6, 0.5])
    assert found.answered.tolist() == [1, 3, 4, 5] and found.wrong.tolist() == [0, 1, 1, 2]


def test_risk_and_coverage():
    assert risk_coverage(SCORES, RIGHT) == [
        {"coverage": pytest.approx(coverage), "risk": pytest.approx(risk)}
        for coverage, risk in ((0.2, 0), (0.6, 1 / 3), (0.8, 0.25), (1.0, 0.4))
    ]
    assert area_under_risk_coverage(SCORES, RIGHT) == pytest.approx((0 + 1 / 3 + 1 / 3 + 0.25 + 0.4) / 5)


def test_a_long_curve_is_thinned_and_keeps_both_ends():
    scores, right = calibrated(5000, seed=0)
    curve = risk_coverage(scores, right)
    coverage = [each["coverage"] for each in curve]
    assert len(curve) == 101 and coverage == sorted(coverage)
    assert coverage[0] == pytest.approx(1 / 5000) and curve[-1] == {
        "coverage": 1,
        "risk": pytest.approx(1 - right.mean()),
    }


def test_the_bound_is_where_so_few_errors_would_be_a_chance_of_one_in_twenty():
    rng = np.random.default_rng(1)
    found = Answered.of(rng.random(60).astype(np.float32), rng.random(60) < 0.8)
    for bound, answered, wrong in zip(found.precision_bounds(), found.answered, found.wrong, strict=True):
        if wrong < answered:
            assert binom.cdf(wrong, answered, 1 - bound) == pytest.approx(1 - CONFIDENCE)
        else:
            assert bound == 0


def test_a_threshold_answers_all_rows_that_it_was_chosen_for_and_no_other():
    scores, right = calibrated(1000, seed=1)
    found = Answered.of(scores, right)
    for target in (0.9, 0.95, 0.97):
        threshold = threshold_for_precision(scores, right, target)
        answered = scores >= np.float32(threshold)
        place = found.answered.tolist().index(answered.sum())
        bounds = found.precision_bounds()
        assert bounds[place] >= target and (bounds[place + 1 :] < target).all()
        assert right[answered].mean() > target
        gap = min(abs(scores.astype(np.float64) - threshold))
        assert gap > 0 or math.isclose(threshold, scores[answered].min())


def test_scores_that_touch_are_told_apart():
    low = np.float32(0.5)
    high = np.nextafter(low, np.float32(1))
    scores = np.repeat(np.array([high, low], np.float32), [100, 50])
    threshold = np.float32(threshold_for_precision(scores, np.repeat([True, False], [100, 50]), 0.95))
    assert (scores >= threshold).sum() == 100


def test_rows_that_are_all_good_enough_need_no_threshold():
    assert threshold_for_precision(np.full(100, 0.3, np.float32), np.ones(100, bool), 0.9) == 0.0


@pytest.mark.parametrize("target", [0.8, 0.9, 0.99])
def test_few_rows_prove_nothing_even_without_an_error(target):
    scores = np.linspace(0.5, 1, rows_needed(target)).astype(np.float32)
    assert threshold_for_precision(scores, np.ones(len(scores), bool), target) == 0.0
    assert threshold_for_precision(scores[1:], np.ones(len(scores) - 1, bool), target) is None
    assert threshold_for_precision(scores[:0], np.ones(0, bool), target) is None


def test_what_cannot_be_reached_and_what_is_the_best():
    scores, right = np.linspace(0, 1, 200).astype(np.float32), np.arange(200) % 2 == 0
    assert threshold_for_precision(scores, right, 0.9) is None
    bound, coverage = best_precision(scores, right)
    assert bound < 0.5 and threshold_for_precision(scores, right, bound) is not None
    assert threshold_for_precision(scores, right, bound + 1e-6) is None and 0 < coverage <= 1


@pytest.mark.parametrize("rows", [300, 2000])
@pytest.mark.parametrize("target", [0.9, 0.95])
def test_the_promise_holds_on_rows_that_were_not_chosen_on(rows, target):
    """Of 300 dev sets, next to none leads to a threshold whose precision on new rows is below the target."""
    fresh_scores, fresh_right = calibrated(200_000, seed=10_000)
    reached, chosen = [], 0
    for seed in range(300):
        threshold = threshold_for_precision(*calibrated(rows, seed), target)
        if threshold is not None:
            chosen += 1
            reached.append(fresh_right[fresh_scores >= np.float32(threshold)].mean())
    assert chosen > 200
    assert np.mean(np.array(reached) < target) < 0.12  # one in twenty for each threshold, and the best of them is taken
    assert np.mean(np.array(reached) < target - 0.02) < 0.01


def test_the_precision_alone_would_not_keep_it(monkeypatch):
    """Without the bound every second threshold falls short: what the test above would say of a plain precision."""
    monkeypatch.setattr(Answered, "precision_bounds", lambda self: 1 - self.wrong / self.answered)
    fresh_scores, fresh_right = calibrated(200_000, seed=10_000)
    thresholds = [threshold_for_precision(*calibrated(300, seed), 0.95) for seed in range(300)]
    short = [fresh_right[fresh_scores >= np.float32(each)].mean() < 0.95 for each in thresholds]
    assert selective.CONFIDENCE == 0.95 and np.mean(short) > 0.4
