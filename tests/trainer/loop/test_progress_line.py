"""The line says how far, how fast and how long; in a log it comes seldom, but always at the end."""

import pytest

from trainer.loop import progress_line
from trainer.loop.progress_line import ProgressLine


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass only when the test says so."""
    now = [100.0]
    monkeypatch.setattr(progress_line.time, "monotonic", lambda: now[0])
    return now


def work(line, clock, seconds, steps, first=1):
    for step in range(first, steps + 1):
        clock[0] += seconds
        line.update(step, f"loss {step}.0")


def test_a_log_gets_a_line_every_ten_seconds_and_the_last(clock, capsys):
    work(ProgressLine("training", 20, "steps"), clock, 2.0, 20)
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "training 3/20 steps  loss 3.0  0:34 left",
        "training 8/20 steps  loss 8.0  0:24 left",
        "training 13/20 steps  loss 13.0  0:14 left",
        "training 18/20 steps  loss 18.0  0:04 left",
        "training 20/20 steps  loss 20.0  0:00 left",
    ]


def test_the_first_step_compiles_and_is_no_measure(clock, capsys):
    line = ProgressLine("training", 1000, "steps")
    clock[0] += 60.0
    line.update(991)  # a continued run begins there
    work(line, clock, 6.0, 1000, first=992)
    assert [text.split("  ")[-1] for text in capsys.readouterr().err.splitlines()[:2]] == ["? left", "0:42 left"]


def test_a_terminal_gets_one_line_that_is_rewritten(clock, capsys, monkeypatch):
    monkeypatch.setattr(progress_line.sys.stderr, "isatty", lambda: True, raising=False)
    work(ProgressLine("predicting", 3, "texts"), clock, 1.0, 3)
    written = capsys.readouterr().err
    assert written.count("\n") == 1 and written.count("\r\x1b[K") == 3 and written.endswith("0:00 left\n")


def test_a_single_step_is_shown_once(clock, capsys):
    ProgressLine("tokenizing", 1, "texts").update(1)
    assert capsys.readouterr().err == "tokenizing 1/1 texts  0:00 left\n"


@pytest.mark.parametrize(
    "seconds, shown", [(0, "0:00"), (59.6, "1:00"), (61, "1:01"), (3661, "1:01:01"), (float("inf"), "?")]
)
def test_times_are_read_as_on_a_clock(seconds, shown):
    assert progress_line._clock(seconds) == shown


def test_a_total_that_nobody_knows_is_left_out_until_the_end(clock, capsys):
    line = ProgressLine("reading a.txt", None, "texts")
    for rows in (10, 20, 30):
        clock[0] += 6.0
        line.update(rows)
    line.finish(30)
    assert capsys.readouterr().err.splitlines() == [
        "reading a.txt 10 texts",
        "reading a.txt 30 texts",
        "reading a.txt 30/30 texts  0:00 left",
    ]
