"""McNemar's exact test, against the sum of binomial coefficients."""

import math

import pytest

from trainer.metrics.mcnemar import exact_p


@pytest.mark.parametrize("first, second", [(0, 5), (5, 0), (3, 9), (12, 4), (100, 130)])
def test_equals_the_binomial_sum(first, second):
    rows, less = first + second, min(first, second)
    tail = sum(math.comb(rows, k) for k in range(less + 1)) / 2**rows
    assert exact_p(first, second) == pytest.approx(min(1.0, 2 * tail))


def test_nothing_speaks_for_a_difference():
    assert exact_p(0, 0) == exact_p(7, 7) == 1.0
