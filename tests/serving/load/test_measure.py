"""Counts and latencies, in a time that the tests make up."""

import pytest

from serving.load.measure import OK, Measure


def test_latency_runs_from_when_a_request_was_due():
    measure = Measure(began=100.0)
    for number in range(1, 1001):  # 1 to 1000 ms
        measure.start(100.0, 100.0 + number / 2000)  # a start that is late shortens nothing
        measure.end(100.0, 100.0 + number / 1000, OK)
    found = measure.outcomes[OK].milliseconds((50, 90, 99, 99.9, 100))
    assert found == pytest.approx({50: 500, 90: 900, 99: 990, 99.9: 999, 100: 1000}, rel=2e-3)
    assert (measure.sent, measure.answered, measure.failed) == (1000, 1000, 0)
    assert measure.elapsed == pytest.approx(1.0)


def test_starts_later_than_ten_milliseconds_are_late():
    measure = Measure(began=0.0)
    for due, now in ((0.0, 0.0), (1.0, 1.0099), (2.0, 2.02), (3.0, 3.5)):
        measure.start(due, now)
    assert measure.late == 2 and measure.latest == pytest.approx(0.5)


def test_warm_up_is_left_out():
    measure = Measure(began=10.0)
    measure.start(9.99, 9.99)
    measure.end(9.99, 10.5, "INTERNAL", "words")
    assert (measure.sent, measure.failed, measure.seconds, measure.cpu_share) == (0, 0, [], None)
    assert measure.outcomes[OK].milliseconds((50,)) == {}


def test_errors_by_code_with_the_first_message_of_each():
    measure = Measure(began=0.0)
    for number, code in enumerate(["INTERNAL", "UNAVAILABLE", "INTERNAL", OK]):
        measure.start(0.0, 0.0)
        measure.end(0.0, 1.0 + number, code, f"words of {number}")
    told = {code: (outcome.count, outcome.message) for code, outcome in measure.outcomes.items() if code != OK}
    assert told == {"INTERNAL": (2, "words of 0"), "UNAVAILABLE": (1, "words of 1")}
    assert measure.outcomes["UNAVAILABLE"].milliseconds((50,))[50] == pytest.approx(2000, rel=2e-3)
    assert measure.seconds == [[4, 0, 0], [0, 0, 1], [0, 0, 1], [0, 0, 1], [0, 1, 0]]


def test_a_latency_beyond_an_hour_is_counted_as_an_hour():
    measure = Measure(began=0.0)
    measure.start(0.0, 0.0)
    measure.end(0.0, 90_000.0, OK)
    assert measure.answered == 1
    assert measure.outcomes[OK].milliseconds((100,))[100] == pytest.approx(3_600_000, rel=2e-3)


def test_the_cpu_share_is_of_this_process():
    measure = Measure(began=0.0)
    measure.start(0.0, 0.0)
    sum(range(2_000_000))
    measure.finish(1.0)
    assert 0 < measure.cpu_share
