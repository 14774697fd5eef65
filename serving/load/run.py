"""The two loops that send requests: open, at the times of a schedule, and closed, each caller after its last answer."""

import asyncio
import contextlib
import selectors
import time

from serving.client import SlipwayError
from serving.load.measure import OK
from serving.load.schedule import due_times

_GRACE = 1.0  # seconds after the end in which late requests may still start


def event_loop():
    """An event loop that wakes to a tenth of a millisecond: epoll, asyncio's own choice, rounds up to a whole one."""
    return asyncio.SelectorEventLoop(selectors.SelectSelector())


class Asker:
    """Sends the batches of texts.batches to an AsyncClient, one request each, and tells what became of them.

    measure: a Measure. answers: an Answers, or None where nobody compares them.
    """

    def __init__(self, client, batches, signature, measure, answers):
        self._client, self._batches, self._signature = client, batches, signature
        self.measure, self._answers = measure, answers

    async def ask(self, due):
        """One request, which was due at that moment of time.monotonic()."""
        rows = next(self._batches)
        self.measure.start(due, time.monotonic())
        try:
            results = await ask(self._client, rows, self._signature)
        except SlipwayError as error:
            self.measure.end(due, time.monotonic(), error.code, str(error))
            return
        self.measure.end(due, time.monotonic(), OK)
        if self._answers:
            for row, result in zip(rows, results, strict=True):
                self._answers.add(row, result)


async def ask(client, rows, signature):
    """The results of rows of texts.read_rows."""
    texts, *pairs = map(list, zip(*rows, strict=True))
    return await client.predict(texts, text_pairs=pairs[0] if pairs else None, signature=signature)


async def load(asker, settings, began, watch):
    """Runs the loop that the settings ask for until its last request has ended; `watch` is a coroutine beside it.

    settings: the flags of serving.load.flags. began: the moment at which it starts, warm-up first.
    """
    seconds, watching = settings.warmup_seconds + settings.seconds, asyncio.create_task(watch)
    try:
        if settings.rate:
            due = due_times(settings.rate, seconds, settings.arrivals, settings.seed)
            behind = await open_loop(asker, (began + each for each in due), began + seconds)
            asker.measure.unsent = round(behind * settings.rate)
        else:
            await closed_loop(asker, settings.concurrency, began + seconds)
        await asyncio.sleep(max(0.0, began + seconds - time.monotonic()))  # the last gap belongs to the rate, too
    finally:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError, OSError):  # a stderr that nobody reads ends no measurement
            await watching


async def open_loop(asker, moments, until):
    """Asks at each moment, however many requests are still under way; a late start does not put off the next.

    Returns the seconds before `until` whose requests were not sent: 0.0, unless this process was so slow that a second
    after it some were still waiting.
    """
    async with asyncio.TaskGroup() as group:
        for due in moments:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            if time.monotonic() > until + _GRACE:
                return until - due
            group.create_task(asker.ask(due))
    return 0.0


async def closed_loop(asker, callers, until):
    """So many callers, each of whom asks again as soon as it has its answer."""

    async def call():
        while (now := time.monotonic()) < until:
            await asker.ask(now)

    async with asyncio.TaskGroup() as group:
        for _ in range(callers):
            group.create_task(call())
