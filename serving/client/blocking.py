"""The channel of `Client`: its coroutines block instead of suspending, so a single step runs them to their end."""

import contextlib
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor

import grpc

from .bearer import metadata_of
from .channel import Channel, methods_of

_WORKERS = 8  # requests that are under way at once for callers who share them


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

    def __init__(self, target, model, security, **settings):
        super().__init__(target, model, security, **settings)
        self._lock, self._workers = threading.Lock(), None
        self._channels = self._open(grpc.insecure_channel, grpc.secure_channel)
        self._methods = list(map(methods_of, self._channels))

    def close(self):
        """Cuts off what is under way and gives back the connections."""
        self._closed = True
        for channel in self._channels:
            channel.close()
        if self._workers:
            self._workers.shutdown(wait=False)

    async def _send(self, target, method, request, timeout, token):
        return self._methods[target][method](request, timeout=timeout, metadata=metadata_of(token))

    async def pause(self, seconds):
        time.sleep(seconds)

    def home(self):
        return None

    def start(self, coroutine):
        with self._lock:
            if self._workers is None:
                self._workers = ThreadPoolExecutor(_WORKERS, "slipway-client")
        self._workers.submit(run, coroutine)

    def event(self):
        return threading.Event()

    async def wait(self, event, seconds):
        event.wait(seconds)

    def future(self):
        return Future()

    async def outcome(self, future, seconds):
        return future.result(seconds)

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
