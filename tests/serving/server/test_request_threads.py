import asyncio
import threading

import grpc
import pytest

from serving.server import deadline
from serving.server.request_threads import RequestThreads
from serving.server.status import StatusError


def ran(scenario, most=1):
    async def within():
        threads = RequestThreads(most)
        try:
            return await asyncio.wait_for(scenario(threads), 60)
        finally:
            threads.close()

    return asyncio.run(within())


def test_more_than_it_may_is_refused_at_once_and_taken_again_afterwards():
    held = threading.Event()

    async def scenario(threads):
        first = asyncio.create_task(threads.work(None, held.wait))
        await asyncio.sleep(0)
        with pytest.raises(StatusError) as refused:
            await threads.work(None, int)
        held.set()
        return refused.value.code, await first, await threads.work(None, int, "7")

    assert ran(scenario) == (grpc.StatusCode.RESOURCE_EXHAUSTED, True, 7)


def test_a_caller_that_has_gone_keeps_its_thread_until_the_work_ends():
    held, ended = threading.Event(), threading.Event()

    def work():
        held.wait()
        ended.set()

    async def scenario(threads):
        gone = asyncio.create_task(threads.work(None, work))
        await asyncio.sleep(0.01)
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
        with pytest.raises(StatusError):
            await threads.work(None, int)
        held.set()
        while True:  # the thread is free a moment after its work has ended
            try:
                return await threads.work(None, ended.is_set)
            except StatusError:
                await asyncio.sleep(0.001)

    assert ran(scenario) is True


def test_the_work_knows_how_long_its_caller_waits():
    async def scenario(threads):
        return await threads.work(30, deadline.left), await threads.work(None, deadline.left)

    given, none = ran(scenario)
    assert 20 < given <= 30 and none is None


def test_work_whose_caller_waits_no_more_is_not_begun():
    begun = []

    async def scenario(threads):
        with pytest.raises(StatusError) as refused:
            await threads.work(-1, begun.append, 1)
        return refused.value.code

    assert ran(scenario) == grpc.StatusCode.DEADLINE_EXCEEDED and not begun
