"""The result for people."""

import types

import pytest

from serving.load.answers import Answers
from serving.load.measure import OK, Measure
from serving.load.summary import summary_of
from serving.load.table import lines_of

OPEN = types.SimpleNamespace(
    target="localhost:8500",
    model="reviews",
    rate=500.0,
    arrivals="poisson",
    concurrency=None,
    batch_size=2,
    warmup_seconds=1.0,
)


def measured(*ends):
    """A Measure of requests that were due at 0, from (seconds, code) of each."""
    measure = Measure(began=0.0)
    for seconds, code in ends:
        measure.start(0.0, 0.0)
        measure.end(0.0, seconds, code, "" if code == OK else "a line\nof words")
    return measure


def test_a_table_of_outcomes_and_the_facts_below():
    measure = measured(*[(0.010, OK)] * 3, (2.0, "UNAVAILABLE"))
    measure.start(0.0, 0.0)
    summary = summary_of(measure, OPEN, None, interrupted=True)
    summary["cpu_share"] = 0.25
    assert list(lines_of(summary)) == [
        "reviews at localhost:8500: open loop, 500 requests/s (poisson), 2 texts each; latency from when each request "
        "was due",
        "",
        "outcome      requests  p50 ms    p90 ms    p99 ms    p99.9 ms  max ms\n"
        "answered     3         10.01     10.01     10.01     10.01     10.01\n"
        "UNAVAILABLE  1         2,000.89  2,000.89  2,000.89  2,000.89  2,000.89",
        "",
        "requests     5 sent, 3 answered, 1 failed, 1 unfinished in 2.0 s",
        "throughput   1.5 answers/s, 3.0 texts/s",
        "schedule     0 requests started late, the latest by 0.0 ms",
        "generator    25% of a core",
        "UNAVAILABLE  first: a line of words",
        "warning      interrupted: this is what had been measured until then",
    ]


def test_nothing_measured_is_no_number():
    lines = "\n".join(lines_of(summary_of(Measure(began=0.0), OPEN, None, interrupted=True)))
    assert "answered  0         -       -" in lines and "0 sent, 0 answered, 0 failed, 0 unfinished in 0.0 s" in lines


def test_distinct_answers_and_the_texts_that_had_too_many():
    answers = Answers(allowed=1, tolerance=0.0)
    for value in (1, 2, 2):
        answers.add(("a text",), types.SimpleNamespace(to_dict=lambda value=value: {"value": value}))
    lines = list(lines_of(summary_of(measured((1.0, OK)), OPEN, answers, interrupted=False)))
    assert "verify      3 answers to 1 text; distinct answers to a text: 1 with 2" in lines
    assert "            1 + 2 times different: a text" in lines
    assert "warning     1 of 1 texts got more than 1 distinct answers" in lines


@pytest.mark.parametrize(("late", "told"), [(1, False), (2, True)])
def test_a_schedule_that_was_not_kept_is_said_plainly(late, told):
    measure = measured(*[(1.0, OK)] * 100)
    measure.late, measure.latest = late, 0.25
    warnings = summary_of(measure, OPEN, None, interrupted=False)["warnings"]
    start = (
        "the load generator could not keep the schedule: 2.0% of the requests started more than 10 ms late, by 250 ms"
    )
    assert any(warning.startswith(start) for warning in warnings) == told


def test_a_generator_that_has_no_core_left_says_so():
    class Busy(Measure):
        cpu_share = 0.97

    warnings = summary_of(Busy(0.0), OPEN, None, interrupted=False)["warnings"]
    assert [warning.startswith("the load generator used 97% of a core") for warning in warnings] == [True]
