"""Scores of texts in and out of scope: how well they are told apart, and where the limit lies."""

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from trainer.metrics.out_of_scope import auroc, best_limit, fpr_at_kept, histogram, limit_keeping


def drawn(seed=0):
    """Scores of 80 texts in scope and of 50 out of it, some of them equal."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=80).round(1), (1 + rng.normal(size=50)).round(1)


def test_auroc_is_the_chance_that_the_other_text_has_the_larger_score():
    inside, outside = drawn()
    pairs = outside[:, None] - inside[None, :]
    assert auroc(inside, outside) == pytest.approx(np.mean(pairs > 0) + np.mean(pairs == 0) / 2)
    labels = [0] * 80 + [1] * 50
    assert auroc(inside, outside) == pytest.approx(sklearn_metrics.roc_auc_score(labels, [*inside, *outside]))


def test_what_is_let_through_where_95_percent_are_kept():
    inside, outside = drawn()
    found = fpr_at_kept(inside, outside)
    limits = [limit for limit in inside if np.mean(inside <= limit) >= 0.95]
    assert found == np.mean(outside <= min(limits)) and 0 < found < 1
    # scikit-learn has the same point: out of scope is its negative class where scores are turned round
    rate, kept, _ = sklearn_metrics.roc_curve([1] * 80 + [0] * 50, [*-inside, *-outside], drop_intermediate=False)
    assert found == pytest.approx(rate[np.argmax(kept >= 0.95)])


@pytest.mark.parametrize("share", [0.5, 0.9, 0.95, 1.0])
def test_a_limit_keeps_the_share_and_not_more_than_it_must(share):
    inside = np.random.default_rng(1).permutation(100).astype(np.float32)
    limit = limit_keeping(inside, share)
    assert np.mean(inside <= limit) == share
    assert share == 1 or limit == 100 * share - 0.5, "midway between two scores"


def test_the_best_limit_has_the_best_balanced_accuracy():
    inside, outside = drawn(2)
    limit = best_limit(inside, outside)

    def balanced(limit):
        return (np.mean(inside <= limit) + np.mean(outside > limit)) / 2

    candidates = np.unique([*inside, *outside])
    assert balanced(limit) == pytest.approx(max(map(balanced, candidates))) and limit not in candidates


def test_scores_that_tell_nothing_refuse_nothing():
    assert best_limit(np.ones(5), np.ones(3)) == 1 and best_limit(np.full(5, 2.0), np.ones(3)) == 2


def test_a_histogram_holds_every_text():
    inside, outside = drawn()
    found = histogram(inside, outside)
    assert (sum(found["in_scope"]), sum(found["out_of_scope"])) == (80, 50)
    assert len(found["edges"]) == len(found["in_scope"]) + 1
