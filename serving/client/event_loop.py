"""The channel of `AsyncClient`: grpc.aio, with a connection for each event loop that asks."""

import asyncio
import contextlib
import dataclasses
import threading
from typing import Any

import grpc.aio

from .channel import Channel, methods_of


@dataclasses.dataclass(frozen=True)
class _Connection:
    """What belongs to one event loop and fails in any other."""

    channel: Any
    methods: dict
    lock: asyncio.Lock


class EventLoopChannel(Channel):
    """A Channel for asyncio. in_flight: most requests that one `each` has under way at once."""

    def __init__(self, target, model, security, in_flight):
        super().__init__(target, model, security)
        self._in_flight = in_flight
        self._connections = {}  # by event loop
        self._opening = threading.Lock()  # event loops of several threads may open theirs at once

    async def close(self):
        """Cuts off what is under way in this event loop and gives back its connection."""
        self._closed = True
        with self._opening:
            connection = self._connections.pop(asyncio.get_running_loop(), None)
        if connection:
            await connection.channel.close()

    def _connection(self):
        """The connection of the running loop, opened at its first call."""
        self._check_open()
        loop = asyncio.get_running_loop()
        with self._opening:
            if loop not in self._connections:
                self._connections = {other: at for other, at in self._connections.items() if not other.is_closed()}
                channel = self._open(grpc.aio.insecure_channel, grpc.aio.secure_channel)
                self._connections[loop] = _Connection(channel, methods_of(channel), asyncio.Lock())
            return self._connections[loop]

    async def _send(self, method, request, timeout):
        try:
            return await self._connection().methods[method](request, timeout=timeout)
        except asyncio.CancelledError:
            if not self._closed or asyncio.current_task().cancelling():
                raise
        # close() cut it off and nobody cancelled the task: a blocking channel ends such a call with this status
        nothing = grpc.aio.Metadata()
        raise grpc.aio.AioRpcError(grpc.StatusCode.CANCELLED, nothing, nothing, "Channel closed!")

    async def pause(self, seconds):
        await asyncio.sleep(seconds)

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
