"""The channel of `AsyncClient`: grpc.aio, with a connection for each event loop that asks."""

import asyncio
import contextlib
import dataclasses
import threading
from typing import Any

import grpc.aio

from .bearer import metadata_of
from .channel import Channel, methods_of


@dataclasses.dataclass(frozen=True)
class _Connection:
    """What belongs to one event loop and fails in any other."""

    channels: list[Any]
    methods: list[dict]
    lock: asyncio.Lock
    tasks: set[asyncio.Task]


class EventLoopChannel(Channel):
    """A Channel for asyncio. in_flight: most requests that one `each` has under way at once."""

    def __init__(self, target, model, security, in_flight, **settings):
        super().__init__(target, model, security, **settings)
        self._in_flight = in_flight
        self._connections = {}  # by event loop
        self._opening = threading.Lock()  # event loops of several threads may open theirs at once

    async def close(self):
        """Cuts off what is under way in this event loop and gives back its connections."""
        self._closed = True
        with self._opening:
            connection = self._connections.pop(asyncio.get_running_loop(), None)
        for channel in connection.channels if connection else ():
            await channel.close()

    def _connection(self):
        """The connection of the running loop, opened at its first call."""
        self.check_open()
        loop = asyncio.get_running_loop()
        with self._opening:
            if loop not in self._connections:
                self._connections = {other: at for other, at in self._connections.items() if not other.is_closed()}
                channels = self._open(grpc.aio.insecure_channel, grpc.aio.secure_channel)
                methods = list(map(methods_of, channels))
                self._connections[loop] = _Connection(channels, methods, asyncio.Lock(), set())
            return self._connections[loop]

    async def _send(self, target, method, request, timeout, token):
        ask = self._connection().methods[target][method]
        try:
            return await ask(request, timeout=timeout, metadata=metadata_of(token))
        except asyncio.CancelledError:
            if not self._closed or asyncio.current_task().cancelling():
                raise
        # close() cut it off and nobody cancelled the task: a blocking channel ends such a call with this status
        nothing = grpc.aio.Metadata()
        raise grpc.aio.AioRpcError(grpc.StatusCode.CANCELLED, nothing, nothing, "Channel closed!")

    async def pause(self, seconds):
        await asyncio.sleep(seconds)

    def home(self):
        return asyncio.get_running_loop()

    def start(self, coroutine):
        tasks, task = self._connection().tasks, asyncio.create_task(coroutine)
        tasks.add(task)  # else nobody holds it
        task.add_done_callback(tasks.discard)

    def event(self):
        return asyncio.Event()

    async def wait(self, event, seconds):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await event.wait()

    def future(self):
        return asyncio.get_running_loop().create_future()

    async def outcome(self, future, seconds):
        async with asyncio.timeout(seconds):
            return await future

    async def each(self, ask, batches):
        left = iter(batches)

        async def work():
            for batch in left:  # shared by all workers: each batch goes to whoever is free
                await ask(batch)

        workers = [asyncio.create_task(work()) for _ in range(min(self._in_flight, len(batches)))]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)

    @contextlib.asynccontextmanager
    async def alone(self, deadline):
        lock = self._connection().lock
        try:
            async with asyncio.timeout(deadline.left()):
                await lock.acquire()
        except TimeoutError:
            raise self.failed("DEADLINE_EXCEEDED", deadline) from None
        try:
            yield
        finally:
            lock.release()
