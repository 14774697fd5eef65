"""The two loops against a server that stalls: what the open one sees, and the closed one does not."""

import asyncio
import json
import threading
import time

from serving.load.measure import OK, Measure
from serving.load.run import Asker, open_loop
from tests.serving.client.fake_server import FakeServer


class Stalling(FakeServer):
    """Holds all its answers back for a second, once, from its 25th request on."""

    def __init__(self, **settings):
        self.free, self._numbers = threading.Event(), iter(range(1, 1_000_000))
        self.free.set()
        super().__init__(**settings)

    def Predict(self, request, context):
        if next(self._numbers) == 25:
            self.free.clear()
            threading.Timer(1.0, self.free.set).start()
        self.free.wait(30)
        return super().Predict(request, context)


def test_a_stall_is_in_the_percentiles_of_the_open_loop_and_hidden_from_the_closed_one(load):
    found = {}
    for flag in ("--rate=50", "--concurrency=1"):
        with Stalling() as server:
            code, out, _ = load(server.address, flag, "--json", seconds=2)
        assert code == 0
        found[flag] = json.loads(out)
    opened, closed = found["--rate=50"], found["--concurrency=1"]
    assert opened["sent"] == opened["answered"] == 100
    # 50 of the 100 were due while it stalled, one each 20 ms: they waited for 1000, 980, … 20 ms
    assert opened["latency_ms"]["p90"] >= 750 and opened["latency_ms"]["max"] >= 950
    assert closed["latency_ms"]["max"] >= 950, "one request met the stall, and the caller sent no other meanwhile"
    assert closed["latency_ms"]["p90"] < opened["latency_ms"]["p90"] / 2


class Instant:
    """A client that answers at once."""

    async def predict(self, texts, text_pairs, signature):
        return texts


def test_a_generator_that_is_held_up_says_so_and_still_sends_everything():
    measure = Measure(began=time.monotonic())
    asker = Asker(Instant(), iter([[("a",)]] * 10), None, measure, None)

    class Busy:
        """The same, and blocks the event loop for 30 ms at the first request."""

        async def ask(self, due):
            if not measure.sent:
                time.sleep(0.03)
            await asker.ask(due)

    moments = [measure.began + number / 1000 for number in range(10)]
    assert asyncio.run(open_loop(Busy(), moments, measure.began + 0.01)) == 0
    assert measure.answered == 10 and measure.late == 10 and measure.latest >= 0.03 - 1e-6
    assert measure.outcomes[OK].milliseconds((100,))[100] >= 29, "what it was held up by is in its latencies"


def test_a_rate_beyond_all_reach_ends_and_says_how_many_were_never_sent(load, server):
    code, out, _ = load(server.address, "--rate=1e6", "--json", seconds=0.1)
    found = json.loads(out)
    # a gRPC server refuses, as CANCELLED, some of what it has not begun once a thousand requests wait
    assert code == 0 and 0 < found["sent"] == found["answered"] + found["failed"] < 100_000 and found["answered"]
    assert found["unsent"] + found["sent"] == 100_000
    assert f"and {found['unsent']:,} that were due were never sent" in found["warnings"][0]


def test_requests_are_sent_while_others_are_under_way():
    class Waiting:
        """A client that answers when the last of three requests has come."""

        def __init__(self):
            self.come, self.all = 0, asyncio.Event()

        async def predict(self, texts, text_pairs, signature):
            self.come += 1
            if self.come == 3:
                self.all.set()
            await self.all.wait()
            return texts

    async def run():
        began = time.monotonic()
        measure = Measure(began)
        asker = Asker(Waiting(), iter([[("a",)]] * 3), None, measure, None)
        await open_loop(asker, [began + number / 1000 for number in range(3)], began + 0.003)
        return measure

    assert asyncio.run(run()).answered == 3
