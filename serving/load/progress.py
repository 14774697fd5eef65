"""How a load is going, on stderr: one line that renews itself in a terminal, a line every ten seconds elsewhere."""

import asyncio
import collections
import math
import time

from rich.console import Console
from rich.live import Live
from rich.text import Text

from serving.load.measure import OK

_TICK, _PLAIN = 0.5, 10.0  # seconds between two lines in a terminal, and elsewhere
_BAR, _SHORTEST = 20, 5  # columns: fewer than 20 where the numbers need them, none below 5
_RECENT = 4  # ticks over which the answers per second are counted


async def watch(measure, began, until):
    """Shows `measure` until it is cancelled. began, until: of the whole load, moments of time.monotonic()."""
    console = Console(stderr=True, highlight=False)
    recent = collections.deque([(measure.began, 0)], maxlen=_RECENT + 1)
    if not console.is_terminal:
        while True:
            await asyncio.sleep(_PLAIN)
            console.print(_line(measure, began, until, recent, math.inf), soft_wrap=True)
    with Live(console=console, auto_refresh=False, transient=True) as live:
        while True:
            live.update(_line(measure, began, until, recent, console.width), refresh=True)
            await asyncio.sleep(_TICK)


def _line(measure, began, until, recent, width):
    """One line, its bar in what `width` leaves; takes down in `recent` how many answers there are by now."""
    now = time.monotonic()
    told = "  ".join((_left(until, now), *_counts(measure, now, recent)))
    bar = _bar((now - began) / (until - began), min(_BAR, width - len(told) - 1))
    return Text(f"{bar} {told}" if bar else told, no_wrap=True)


def _counts(measure, now, recent):
    if now < measure.began:
        return ["warming up"]
    recent.append((now, measure.answered))
    rate = (recent[-1][1] - recent[0][1]) / max(now - recent[0][0], 1e-9)
    return [
        f"sent {measure.sent:,}",
        f"answered {rate:,.1f}/s",
        f"errors {measure.failed:,}",
        *(f"p{name} {value:,.1f} ms" for name, value in measure.outcomes[OK].milliseconds((50, 99)).items()),
    ]


def _bar(share, columns):
    """A bar of so many columns; "" where they are too few for one."""
    if columns < _SHORTEST:
        return ""
    done = min(columns, int(columns * share))
    return "━" * done + "─" * (columns - done)


def _left(until, now):
    return f"{math.ceil(until - now):,} s left" if now < until else "waiting for the last answers"
