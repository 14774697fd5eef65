"""The threads that requests are worked on in, while the event loop goes on reading from the network."""

import asyncio
import concurrent.futures
import threading

import grpc

from serving.server import deadline
from serving.server.status import StatusError


class RequestThreads:
    """Works on up to `most` requests at once, each in a thread of its own; more are refused, none waits for a thread.

    So does the real server, whose threads are a quota of gRPC's: a caller that is refused at once can go elsewhere.
    """

    def __init__(self, most):
        self._free = threading.Semaphore(most)
        self._pool = concurrent.futures.ThreadPoolExecutor(most, thread_name_prefix="request")

    async def work(self, seconds, work, *arguments):
        """What work(*arguments) gives, for a caller that waits so many seconds more (None: for ever)."""
        if not self._free.acquire(blocking=False):
            raise StatusError(grpc.StatusCode.RESOURCE_EXHAUSTED, "Server Threadpool Exhausted")
        future = self._pool.submit(self._within, deadline.end_of(seconds), work, *arguments)
        future.add_done_callback(lambda _: self._free.release())  # not when the caller has gone: the thread goes on
        return await asyncio.wrap_future(future)

    def close(self):
        """Returns when no thread works any more."""
        self._pool.shutdown(cancel_futures=True)

    @staticmethod
    def _within(end, work, *arguments):
        with deadline.until(end):
            return work(*arguments)
