"""Callers that ask one text after the other until they are told to stop, and what became of each call."""

import asyncio
import collections
import contextlib
import dataclasses
import statistics
import time

from serving.client import AsyncClient, SlipwayError


@dataclasses.dataclass
class Calls:
    """asked: calls that were made. answered: results that came of them.

    by_version: answers that are each version's own; other: that are nobody's. seconds: of each answered call.
    failures: [(when it began, by the monotonic clock, seconds that it took, SlipwayError)].
    """

    asked: int = 0
    answered: int = 0
    other: int = 0
    by_version: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    failures: list = dataclasses.field(default_factory=list)
    seconds: list = dataclasses.field(default_factory=list)

    def percentile(self, share):
        """Milliseconds below which that share of the answered calls took; NaN where there are none."""
        if len(self.seconds) < 2:
            return float("nan")
        return 1e3 * statistics.quantiles(self.seconds, n=1000, method="inclusive")[round(1000 * share) - 1]


@contextlib.asynccontextmanager
async def calling(target, model, told, count, **client_arguments):
    """`count` callers with one AsyncClient; yields their Calls, which is whole when the block has ended."""
    calls, stop = Calls(), asyncio.Event()
    async with AsyncClient(target, model, **client_arguments) as client:
        tasks = [asyncio.create_task(_ask(client, told, number, calls, stop)) for number in range(count)]
        try:
            yield calls
        finally:
            stop.set()
            await asyncio.gather(*tasks)


async def _ask(client, told, number, calls, stop):
    while not stop.is_set():
        number = (number + 7) % len(told.texts)
        start = time.monotonic()
        calls.asked += 1
        try:
            result = await client.predict(told.texts[number])
        except SlipwayError as error:
            calls.failures.append((start, time.monotonic() - start, error))
            await asyncio.sleep(0.05)  # who is told no at once must not keep the machine busy with asking
            continue
        calls.answered += 1
        calls.seconds.append(time.monotonic() - start)
        version = told.which(number, result)
        if version is None:
            calls.other += 1
        else:
            calls.by_version[version] += 1
