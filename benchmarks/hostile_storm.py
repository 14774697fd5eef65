"""Hostile requests, made by hypothesis from a seed, sent over real sockets; how each ended."""

import asyncio
import collections
import dataclasses
import random
import re

import grpc
import hypothesis

from benchmarks.hostile_http import sendings
from benchmarks.hostile_protos import Call, calls

AT_ONCE = 32
_BATCH = 1000
_PATIENCE = 0.1  # seconds for an answer to what may wait for more, until the caller says that there is no more
_HTTP = re.compile(rb"HTTP/1\.[01] (\d{3}) ")
_DOCUMENTED = {200, 400, 403, 404, 405, 409, 413, 417, 429, 431, 499, 501, 503, 504}
# What tensorflow_model_server answers with these two codes, and gRPC itself.
_INTERNAL = re.compile("Exception deserializing request!|Expected prediction signature method_name|.*compress|.*frame")
_UNKNOWN = re.compile(r"\d+ servable\(s\) did not become available")
_PYTHON = re.compile(
    r"Traceback|<class '|\b[A-Z]\w+(Error|Exception):|object has no attribute|codec can't|invalid literal|unexpected "
    r"keyword|unsupported operand|cannot reshape|not subscriptable|embedded null|has no name defined|JSON serializable"
)


@dataclasses.dataclass
class Seen:
    """counts: {kind: Counter of statuses}; hangs, undocumented: what was sent there, with how it ended."""

    counts: dict = dataclasses.field(default_factory=lambda: collections.defaultdict(collections.Counter))
    hangs: list = dataclasses.field(default_factory=list)
    undocumented: list = dataclasses.field(default_factory=list)

    def add(self, kind, request, status, message=""):
        """One request that ended so."""
        self.counts[kind][status] += 1
        if status == "hang":
            self.hangs.append((kind, request))
        elif not documented(status, message):
            self.undocumented.append((kind, request, status, message))

    @property
    def total(self):
        """Requests that ended, or hung."""
        return sum(sum(each.values()) for each in self.counts.values())


def documented(status, message):
    """Whether the server, or the library below it, means to answer so: never in the words of a Python exception."""
    if _PYTHON.search(message):
        return False
    if status == "INTERNAL":
        return bool(_INTERNAL.match(message))
    if status == "UNKNOWN":
        return bool(_UNKNOWN.match(message))
    return int(status) in _DOCUMENTED if status.isdigit() else status not in ("no answer", "refused")


def generated(model, fed, count, seed):
    """[(kind, Call or Sent)]: `count` requests, as many of each kind as of the others, the same for the same seed.

    model: a name that is served; fed: one of its inputs.
    """
    strategies = calls(model, fed) | sendings(model)
    each = -(-count // len(strategies))
    made = [(kind, one) for kind, strategy in strategies.items() for one in _examples(strategy, each, f"{seed} {kind}")]
    random.Random(seed).shuffle(made)
    return made[:count]


def _examples(strategy, count, seed):
    made = []

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(strategy)
    def collect(each):
        made.append(each)

    collect()
    return made[:count]


class Storm:
    """Sends to a server's two addresses; a context manager (async)."""

    def __init__(self, address, rest_address, model, fed, deadline=5.0):
        self._ports = {"grpc": address, "rest": rest_address}
        self._asked, self._deadline = (model, fed), deadline
        self._channel = grpc.aio.insecure_channel(address, options=[("grpc.max_receive_message_length", -1)])

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        await self._channel.close()

    async def run(self, count, seed, told=lambda seen: None, maker=None):
        """Seen of `count` requests; told(Seen) after each batch of them. maker: the executor that draws them."""
        seen, number = Seen(), 0
        following = self._drawn(count, seed, number, maker)
        while seen.total < count:
            batch, number = (await following)[: count - seen.total], number + 1
            if seen.total + len(batch) < count:
                following = self._drawn(count, seed, number, maker)
            waiting = iter(batch)
            await asyncio.gather(*(self._send_all(waiting, seen) for _ in range(AT_ONCE)))
            told(seen)
        return seen

    def _drawn(self, count, seed, number, maker):
        asked = (*self._asked, min(_BATCH, count), f"{seed} {number}")
        return asyncio.get_running_loop().run_in_executor(maker, generated, *asked)

    async def _send_all(self, requests, seen):
        for kind, each in requests:
            try:
                async with asyncio.timeout(self._deadline + 1):
                    ended = await (self._call(each) if isinstance(each, Call) else self._exchange(each))
            except TimeoutError:
                ended = ("hang",)
            seen.add(kind, each, *ended)

    async def _call(self, call):
        packing = grpc.Compression.Gzip if call.packed else grpc.Compression.NoCompression
        ask = self._channel.unary_unary(call.method)
        try:
            await ask(call.message, timeout=self._deadline, metadata=call.headers, compression=packing)
        except grpc.aio.AioRpcError as error:
            return error.code().name, error.details() or ""
        return ("OK",)

    async def _exchange(self, sent):
        host, _, port = self._ports[sent.port].rpartition(":")
        try:
            reader, writer = await asyncio.open_connection(host, int(port))
        except ConnectionError:
            return ("refused",)
        try:
            writer.write(sent.raw)
            received = await self._received(reader, writer, sent.whole)
        except ConnectionError:
            received = b""
        finally:
            writer.close()
        found = _HTTP.match(received)
        if found:
            return found[1].decode(), received.decode(errors="replace")
        return ("no answer" if sent.whole else "closed",)

    @staticmethod
    async def _received(reader, writer, whole):
        """All that comes back; where the request is not whole, its end is said when nothing came for a while."""
        received = b""
        while True:
            try:
                async with asyncio.timeout(None if whole else _PATIENCE):
                    piece = await reader.read(1 << 16)
            except TimeoutError:
                whole = True
                writer.write_eof()
                continue
            if not piece:
                return received
            received += piece
