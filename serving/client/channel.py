"""One gRPC channel to one server: every call has a deadline, and only UNAVAILABLE is tried again.

What is asked is written once, as coroutines. `Channel` has two kinds, which differ only in how they wait:
`blocking.BlockingChannel`, whose coroutines never suspend, and `event_loop.EventLoopChannel` for asyncio.
"""

import abc
import random
import time

import grpc

from . import protos
from .errors import call_failed
from .handshake import diagnosis

MAX_ATTEMPTS = 3
_FIRST_BACKOFF = 0.1  # seconds; doubled each time, and from half to all of it is slept

_SERVICES = {  # of what is asked; its messages are called <name>Request and <name>Response
    "Predict": "tensorflow.serving.PredictionService",
    "GetModelMetadata": "tensorflow.serving.PredictionService",
    "GetModelStatus": "tensorflow.serving.ModelService",
}
_OPTIONS = [
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),  # 4 MB unless told, which an answer to 10,000 texts passes
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2000),  # 2 minutes unless told: a server that comes back is found at once
]
_LOOPBACK = ("localhost:", "127.", "[::1]:")


def check_target(target):
    """Raises ValueError with one line where `target` is no gRPC address."""
    if target.startswith(("http://", "https://")):
        raise ValueError(f"target {target!r} is a web address; give HOST:PORT, for example localhost:8500")
    host, colon, port = target.rpartition(":")
    if "/" not in target and not target.startswith("unix:") and not (host and colon and port.isdigit()):
        raise ValueError(f"target {target!r} has no port; give HOST:PORT, for example localhost:8500")


class Deadline:
    """A moment by which everything must be done, however many calls that takes."""

    def __init__(self, seconds):
        if not 0 < seconds < float("inf"):
            raise ValueError(f"deadline must be a positive number of seconds, not {seconds}")
        self.seconds = seconds
        self._until = time.monotonic() + seconds

    def left(self):
        """Seconds that are left, never below 0."""
        return max(0.0, self._until - time.monotonic())


class Channel(abc.ABC):
    """Calls a TensorFlow Serving server at `target`; `model` is only named in errors. security: tls.Security."""

    def __init__(self, target, model, security):
        check_target(target)
        self.address, self.model = target, model
        self._security, self._closed = security, False

    async def call(self, method, request, deadline):
        """The response to `request` within `deadline`; SlipwayError where there is none.

        These calls change nothing in the server, so one that was cut off may be asked again.
        """
        for attempt in range(1, MAX_ATTEMPTS + 1):
            self._check_open()
            try:
                return await self._send(method, request, deadline.left())
            except grpc.RpcError as error:
                code, details = error.code().name, error.details()
            found = diagnosis(details, self.address, self._security) if code == "UNAVAILABLE" else None
            pause = _FIRST_BACKOFF * 2 ** (attempt - 1) * random.uniform(0.5, 1)
            again = code == "UNAVAILABLE" and (found is None or not found.certain)
            if not again or attempt == MAX_ATTEMPTS or pause >= deadline.left():
                raise self.failed(code, deadline, details, attempts=attempt, found=found) from None
            await self.pause(pause)

    def failed(self, code, deadline, details="", attempts=1, found=None):
        """The SlipwayError of a call here that ended with gRPC status `code`."""
        told = {"seconds": deadline.seconds, "attempts": attempts, "found": found}
        return call_failed(code, details, self.model, self.address, **told)

    def _check_open(self):
        if self._closed:
            raise ValueError(f"this client of {self.address} is closed; make a new one")

    @abc.abstractmethod
    async def _send(self, method, request, timeout):
        """The response, or grpc.RpcError."""

    @abc.abstractmethod
    async def pause(self, seconds):
        """Waits."""

    @abc.abstractmethod
    async def each(self, ask, batches):
        """Awaits ask(batch) of every batch; the first error ends it."""

    @abc.abstractmethod
    def alone(self, deadline):
        """Async context manager that one caller at a time is in; waits for it no longer than the deadline."""

    def _open(self, insecure_channel, secure_channel):
        """A gRPC channel made by one of two functions of `grpc` or `grpc.aio`."""
        options = _OPTIONS + self._security.options
        if self.address.startswith(_LOOPBACK):  # a proxy of the environment would be asked for its own localhost
            options = [*options, ("grpc.enable_http_proxy", 0)]
        if self._security.credentials is None:
            return insecure_channel(self.address, options=options)
        return secure_channel(self.address, self._security.credentials, options=options)


def methods_of(channel):
    """{name: callable} of what is asked over a gRPC channel of either kind."""
    return {
        name: channel.unary_unary(
            f"/{service}/{name}",
            request_serializer=getattr(protos, f"{name}Request").SerializeToString,
            response_deserializer=getattr(protos, f"{name}Response").FromString,
        )
        for name, service in _SERVICES.items()
    }
