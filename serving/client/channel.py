"""What carries calls to the targets: every call has a deadline, and one that a target fails may be tried at another.

What is asked is written once, as coroutines. `Channel` has two kinds, which differ only in how they wait:
`blocking.BlockingChannel`, whose coroutines never suspend, and `event_loop.EventLoopChannel` for asyncio.
"""

import abc
import time

import grpc

from . import protos
from .attempts import Attempts, Fault
from .bearer import without
from .budget import RetryBudget
from .errors import SlipwayError, call_failed
from .handshake import diagnosis
from .keepalive import Keepalive
from .stats import Stats
from .targets import Targets, addresses_of

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
# Where others can be asked instead, nobody waits 20 seconds for a connection to a machine that is gone.
_OF_SEVERAL = [("grpc.min_reconnect_backoff_ms", 3000)]
_LOOPBACK = ("localhost:", "127.", "[::1]:")


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
    """Calls the TensorFlow Serving servers of `target`; `model` is only named in errors. security: tls.Security.

    bearer: bearer.Bearer or None. stats: a stats.Stats, which counts every call.
    """

    def __init__(self, target, model, security, *, bearer=None, keepalive=None, retry_budget=None):
        self.targets = Targets(addresses_of(target))
        self.address, self.model, self.stats = ",".join(self.targets.addresses), model, Stats(model)
        self._budget, self._keepalive = retry_budget or RetryBudget(), keepalive or Keepalive()
        self._security, self._bearer, self._closed = security, bearer, False

    async def call(self, method, request, deadline):
        """The response to `request` within `deadline`; SlipwayError where there is none.

        These calls change nothing in the server, so one that was cut off may be asked again; what answers first is the
        only answer that is taken.
        """
        self.check_open()
        began, status = time.perf_counter(), "CANCELLED"
        try:
            response = await self._answer(method, request, deadline)
            status = "OK"
            return response
        except SlipwayError as error:
            status = error.code
            raise
        finally:
            self.stats.call(method, request.model_spec.signature_name, status, time.perf_counter() - began)

    async def _answer(self, method, request, deadline):
        attempts = Attempts(self.targets, self._budget)
        while True:
            target = attempts.now
            token = self._bearer and self._bearer.now()
            try:
                response = await self._send(target, method, request, deadline.left(), token)
            except grpc.RpcError as error:
                code, details = error.code().name, without(token, error.details() or "")
            else:
                self.targets.answered(target)
                return response
            address = self.targets.addresses[target]
            found = diagnosis(details, address, self._security) if code == "UNAVAILABLE" else None
            pause = attempts.pause(Fault(code, details, found), deadline.left())
            if pause is None:
                told = {"attempts": attempts.made, "found": found, "address": address}
                raise self.failed(code, deadline, details, **told) from None
            await self._try_again(pause, attempts)

    async def _try_again(self, pause, attempts):
        self.stats.count("retries")
        if attempts.elsewhere:
            self.stats.count("failovers")
        if pause:
            await self.pause(pause)
        self.check_open()

    def failed(self, code, deadline, details="", attempts=1, found=None, address=None):
        """The SlipwayError of a call, at `address` where one target is to blame, that ended with gRPC status `code`."""
        told = {"seconds": deadline.seconds, "attempts": attempts, "found": found}
        return call_failed(code, details, self.model, address or self.address, **told)

    def check_open(self):
        """Raises ValueError where this channel was closed."""
        if self._closed:
            raise ValueError(f"this client of {self.address} is closed; make a new one")

    @abc.abstractmethod
    async def _send(self, target, method, request, timeout, token):
        """The response of the target of that number, or grpc.RpcError. token: str or None."""

    @abc.abstractmethod
    async def pause(self, seconds):
        """Waits."""

    @abc.abstractmethod
    def home(self):
        """What callers must have in common to share a request: the event loop that runs, or nothing."""

    @abc.abstractmethod
    def start(self, coroutine):
        """Runs a coroutine beside its caller, which goes on at once."""

    @abc.abstractmethod
    def event(self):
        """Something that is set() once, for those of one home."""

    @abc.abstractmethod
    async def wait(self, event, seconds):
        """Waits until an event is set, or for that time."""

    @abc.abstractmethod
    def future(self):
        """A result that is still to come, with set_result, set_exception and done."""

    @abc.abstractmethod
    async def outcome(self, future, seconds):
        """The result of a future; TimeoutError where it does not come in time."""

    @abc.abstractmethod
    async def each(self, ask, batches):
        """Awaits ask(batch) of every batch; the first error ends it."""

    @abc.abstractmethod
    def alone(self, deadline):
        """Async context manager that one caller at a time is in; waits for it no longer than the deadline."""

    def _open(self, insecure_channel, secure_channel):
        """A gRPC channel to each target, made by one of two functions of `grpc` or `grpc.aio`."""
        options = _OPTIONS + self._security.options + self._keepalive.options
        options += _OF_SEVERAL if len(self.targets.addresses) > 1 else []
        return [self._dial(address, options, insecure_channel, secure_channel) for address in self.targets.addresses]

    def _dial(self, address, options, insecure_channel, secure_channel):
        if address.startswith(_LOOPBACK):  # a proxy of the environment would be asked for its own localhost
            options = [*options, ("grpc.enable_http_proxy", 0)]
        if self._security.credentials is None:
            return insecure_channel(address, options=options)
        return secure_channel(address, self._security.credentials, options=options)


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
