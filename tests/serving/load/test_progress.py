"""What is shown while a load runs."""

import asyncio
import collections
import time
import types

import pytest

from serving.load import progress
from serving.load.measure import OK, Measure


@pytest.mark.parametrize(
    ("elapsed", "said"),
    [(-60, [" s left  warming up"]), (5, [" s left  sent "]), (600, ["waiting for the last answers  sent "])],
)
def test_a_line_now_and_then_where_there_is_no_terminal(monkeypatch, capsys, elapsed, said):
    monkeypatch.setattr(progress, "_PLAIN", 0.01)
    began = time.monotonic() - elapsed
    measure = Measure(began)
    for code in (OK, OK, "INTERNAL"):
        measure.start(began, began)
        measure.end(began, began + 0.25, code)
    said = said + ["sent 3  answered ", "errors 1  p50 250.1 ms  p99 250.1 ms"] * (elapsed > 0)

    async def watch():
        watching = asyncio.create_task(progress.watch(measure, began - 10, began + 300))
        while not (shown := capsys.readouterr().err):
            await asyncio.sleep(0.01)
        watching.cancel()
        return shown.splitlines()[0]

    shown = asyncio.run(watch())
    assert [part for part in said if part not in shown] == [], shown


def test_a_bar_in_a_terminal(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    began = time.monotonic() - 10

    async def watch():
        watching = asyncio.create_task(progress.watch(Measure(began), began - 145, began + 155))
        await asyncio.sleep(0)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        return capsys.readouterr().err

    assert "━━━━━━━━━━────────── 145 s left  sent 0" in asyncio.run(watch())


@pytest.mark.parametrize(("width", "bar"), [(120, "━━━━━━━━━━──────────"), (90, "━━━━━━──────"), (80, "")])
def test_the_bar_gives_way_to_the_numbers(monkeypatch, width, bar):
    monkeypatch.setattr(progress, "time", types.SimpleNamespace(monotonic=lambda: 10.0))
    measure = Measure(began=0.0)
    for _ in range(5000):
        measure.start(0.0, 0.0)
        measure.end(0.0, 0.25, OK)
    line = progress._line(measure, 0.0, 20.0, collections.deque([(0.0, 0)]), width).plain
    told = "10 s left  sent 5,000  answered 500.0/s  errors 0  p50 250.1 ms  p99 250.1 ms"
    assert line == f"{bar} {told}".lstrip()
