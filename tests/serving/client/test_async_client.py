"""What AsyncClient does beyond its twin: requests at once, cancelling, event loops."""

import asyncio
import gc
import subprocess
import sys
import threading
import time
import warnings

import grpc
import pytest

from serving.client import AsyncClient, SlipwayError

from .fake_server import FakeServer

TEXTS = [f"0.{number:04d}" for number in range(100)]


def scores(answers):
    return [f"{answer.probabilities['positive']:.4f}" for answer in answers]


class Crowd(FakeServer):
    """A fake server that counts how many Predict requests are under way, and how many were cut off."""

    def __init__(self, **settings):
        self.now, self.most, self.cut_off = 0, 0, threading.Semaphore(0)
        self._counting = threading.Lock()
        super().__init__(**settings)

    def Predict(self, request, context):
        context.add_callback(lambda: context.code() or self.cut_off.release())
        with self._counting:
            self.now += 1
            self.most = max(self.most, self.now)
        try:
            return super().Predict(request, context)
        finally:
            with self._counting:
                self.now -= 1


@pytest.mark.parametrize("bound", [1, 3])
def test_batches_go_at_once_up_to_the_bound_and_keep_their_order(bound):
    async def ask(address):
        async with AsyncClient(address, "reviews", max_batch_size=7, max_in_flight=bound) as client:
            return await client.predict(TEXTS)

    with Crowd(seconds=0.05) as server:
        assert scores(asyncio.run(ask(server.address))) == TEXTS
        assert server.most == bound and len(server.asked("contract")) == 1


def test_the_event_loop_stays_free_while_the_server_works(server):
    server.seconds = 0.5

    async def ask():
        async with AsyncClient(server.address, "reviews") as client:
            answer = asyncio.create_task(client.predict(["0.5"]))
            turns = 0
            while not answer.done():
                await asyncio.sleep(0.01)
                turns += 1
            return turns, await answer

    turns, answer = asyncio.run(ask())
    assert turns > 20 and len(answer) == 1


def test_tasks_share_a_client(server):
    async def ask():
        async with AsyncClient(server.address, "reviews", max_batch_size=5) as client:
            return await asyncio.gather(*(client.predict(TEXTS[task : task + 17]) for task in range(32)))

    answers = asyncio.run(ask())
    assert [scores(answer) for answer in answers] == [TEXTS[task : task + 17] for task in range(32)]
    assert len(server.asked("contract")) == 1


def test_cancelling_a_task_cancels_its_requests():
    async def ask(server):
        async with AsyncClient(server.address, "reviews", max_batch_size=1, max_in_flight=2) as client:
            await client.predict("a")
            server.seconds = 3
            task = asyncio.create_task(client.predict(["a", "b", "c", "d"], deadline=60))
            while server.now < 2:
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            cut = [server.cut_off.acquire(timeout=2) for _ in range(2)]
            server.seconds = 0
            return cut, await client.predict("0.25")

    with Crowd() as server:
        cut, answer = asyncio.run(ask(server))
        assert cut == [True, True] and scores([answer]) == ["0.2500"]
        assert len(server.asked("serving_default")) == 4, "the two that waited were never sent"


def test_a_timeout_of_the_callers_own_is_a_timeout(server):
    async def ask():
        async with AsyncClient(server.address, "reviews") as client:
            await client.predict("a")
            server.seconds = 1
            async with asyncio.timeout(0.1):
                await client.predict("a")

    with pytest.raises(TimeoutError):
        asyncio.run(ask())


def test_the_first_request_that_fails_ends_the_others():
    async def ask(server):
        async with AsyncClient(server.address, "reviews", max_batch_size=1, max_in_flight=2) as client:
            await client.predict("a")
            server.seconds, server.failures = 3, [None, grpc.StatusCode.INTERNAL]
            began = time.monotonic()
            with pytest.raises(SlipwayError, match="INTERNAL"):
                await client.predict(["a"] * 9, deadline=60)
            assert time.monotonic() - began < 2 and server.cut_off.acquire(timeout=2)

    with Crowd() as server:
        asyncio.run(ask(server))
        assert len(server.asked("serving_default")) == 3


def test_closing_a_client_ends_what_is_under_way_in_its_error(server):
    async def ask():
        client = AsyncClient(server.address, "reviews")
        await client.predict("a")
        server.seconds = 2
        task = asyncio.create_task(client.predict("a", deadline=60))
        await asyncio.sleep(0.3)
        await client.close()
        with pytest.raises(SlipwayError) as caught:
            await task
        assert caught.value.code == "CANCELLED" and "this client was closed" in str(caught.value)

    asyncio.run(ask())


def test_a_closed_client_says_so(connect, server):
    with connect(server.address, "reviews") as client:
        client.predict("a")
        client.close()
        with pytest.raises(ValueError, match="is closed; make a new one"):
            client.predict("a")


def test_one_client_in_one_event_loop_after_another(server):
    client = AsyncClient(server.address, "reviews")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for text in ("0.2500", "0.7500", "0.1250"):
            assert scores([asyncio.run(client.predict(text))]) == [text]
        gc.collect()
    assert len(server.asked("contract")) == 1


def test_one_client_in_two_event_loops_at_once(server):
    client = AsyncClient(server.address, "reviews", max_batch_size=3)
    found = {}

    def work(name):
        found[name] = scores(asyncio.run(client.predict(TEXTS)))

    threads = [threading.Thread(target=work, args=[name]) for name in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == dict.fromkeys(range(3), TEXTS)


def test_no_task_waits_past_its_deadline_for_another_that_reads_the_contract(server):
    server.seconds = 1

    async def ask():
        async with AsyncClient(server.address, "reviews") as client:
            slow = asyncio.create_task(client.predict("a", deadline=60))
            await asyncio.sleep(0.1)
            with pytest.raises(SlipwayError, match="no answer within 0.2 s"):
                await client.predict("a", deadline=0.2)
            return await slow

    assert asyncio.run(ask())


def test_a_bound_below_one_is_a_mistake():
    with pytest.raises(ValueError, match="max_in_flight must be 1 or more, not 0"):
        AsyncClient("localhost:8500", "reviews", max_in_flight=0)


def test_a_program_that_never_closes_its_client_ends_quietly(server):
    program = f"""import asyncio
from serving.client import AsyncClient
client = AsyncClient("{server.address}", "reviews")
print(asyncio.run(client.predict("0.25")).label)
"""
    done = subprocess.run([sys.executable, "-W", "default", "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "negative\n", "")
