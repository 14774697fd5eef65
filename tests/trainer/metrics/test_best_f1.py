"""The threshold of the best F1, against a search over every threshold."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from trainer.metrics.best_f1 import best_threshold


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("digits", [1, 7])  # many equal scores, and none
def test_no_threshold_is_better(seed, digits):
    random = np.random.default_rng(seed)
    scores, hits = random.random(40).round(digits), random.random(40) < 0.3
    found = f1_score(hits, scores >= best_threshold(scores, hits), zero_division=0)
    assert found == max(f1_score(hits, scores >= each, zero_division=0) for each in [*scores, 2.0])


def test_it_lies_between_two_scores():
    scores, hits = np.float32([0.9, 0.6, 0.2, 0.1]), np.array([True, True, False, False])
    assert best_threshold(scores, hits) == pytest.approx(0.4)


def test_without_a_hit_it_is_a_half_and_with_hits_alone_everything_is_selected():
    assert best_threshold(np.float32([0.1, 0.9]), np.array([False, False])) == 0.5
    assert best_threshold(np.float32([0.1, 0.9]), np.array([True, True])) == pytest.approx(0.05)
