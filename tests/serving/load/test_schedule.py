"""When requests of an open loop are due."""

import itertools

import pytest

from serving.load.schedule import due_times


@pytest.mark.parametrize("rate", [0.3, 7, 1000 / 3, 2500])
def test_constant_arrivals_are_exact_however_long_it_runs(rate):
    found = list(due_times(rate, 400, "constant", 0))
    assert found == [number / rate for number in range(len(found))]
    assert found[-1] < 400 <= len(found) / rate


def test_poisson_arrivals_come_at_the_rate_with_gaps_of_an_exponential_distribution():
    found = list(due_times(50, 1000, "poisson", 1))
    gaps = sorted(after - before for before, after in itertools.pairwise(found))
    assert found == sorted(found) and 0 < found[0] and found[-1] < 1000
    assert len(found) == pytest.approx(50 * 1000, rel=0.02)
    assert gaps[len(gaps) // 2] == pytest.approx(0.6931 / 50, rel=0.03), "the median of an exponential is ln 2 / rate"
    assert gaps[len(gaps) * 9 // 10] == pytest.approx(2.3026 / 50, rel=0.03)


def test_a_seed_settles_poisson_arrivals():
    first, again, other = (list(due_times(20, 5, "poisson", seed)) for seed in (1, 1, 2))
    assert first == again != other
