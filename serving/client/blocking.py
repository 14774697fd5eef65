"""The channel of `Client`: its coroutines block instead of suspending, so a single step runs them to their end."""

import contextlib
import threading
import time

import grpc

from .channel import Channel, methods_of


def run(coroutine):
    """The result of a coroutine over a BlockingChannel; it needs no event loop, and disturbs none that runs."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    finally:
        coroutine.close()
    raise RuntimeError("a coroutine over a blocking channel waited for an event loop")


class BlockingChannel(Channel):
    """A Channel that threads may share."""

    def __init__(self, target, model, security):
        super().__init__(target, model, security)
        self._lock = threading.Lock()
        self._channel = self._open(grpc.insecure_channel, grpc.secure_channel)
        self._methods = methods_of(self._channel)

    def close(self):
        """Cuts off what is under way and gives back the connection."""
        self._closed = True
        self._channel.close()

    async def _send(self, method, request, timeout):
        return self._methods[method](request, timeout=timeout)

    async def pause(self, seconds):
        time.sleep(seconds)

    async def each(self, ask, batches):
        for batch in batches:
            await ask(batch)

    @contextlib.asynccontextmanager
    async def alone(self, deadline):
        if not self._lock.acquire(timeout=deadline.left()):
            raise self.failed("DEADLINE_EXCEEDED", deadline)
        try:
            yield
        finally:
            self._lock.release()
