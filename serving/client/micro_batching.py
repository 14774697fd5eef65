"""Calls that come at once, from threads or tasks, joined in one request: a server answers 16 texts as fast as 4.

Each caller gets the answers of its own texts, and waits no longer than its own deadline. Where the server refuses a
request that was joined, each caller asks by itself, so that one text that is not taken fails nobody else.
"""

import dataclasses
import threading

from .channel import Deadline
from .errors import SlipwayError

# What may be the fault of one caller's texts; everything else would meet each of them alike.
_OF_THE_TEXTS = {"INVALID_ARGUMENT", "OUT_OF_RANGE", "INTERNAL", "UNKNOWN", "DATA_LOSS"}


@dataclasses.dataclass(frozen=True)
class MicroBatching:
    """max_rows: most texts that are joined in a request; a call with more goes as ever. max_wait: seconds that the first
    of them waits for others.
    """

    max_rows: int = 64
    max_wait: float = 0.002

    def __post_init__(self):
        if self.max_rows < 1:
            raise ValueError(f"max_rows must be 1 or more, not {self.max_rows}")
        if not 0 <= self.max_wait < float("inf"):
            raise ValueError(f"max_wait must be 0 or more seconds, not {self.max_wait}")


class _Joined:
    """A request that is still open to callers: its columns, and who asked which of its rows."""

    def __init__(self, count, leaves):
        self.columns, self.leaves = [[] for _ in range(count)], leaves
        self.deadline, self.callers = None, []

    @property
    def rows(self):
        return len(self.columns[0])

    def add(self, columns, deadline, future):
        """Takes in a caller; the request has as long as the most patient of them."""
        first = self.rows
        for all_rows, rows in zip(self.columns, columns, strict=True):
            all_rows.extend(rows)
        self.callers.append((slice(first, self.rows), future))
        if self.deadline is None or deadline.left() > self.deadline.left():
            self.deadline = deadline


class Joining:
    """Joins calls over `channel`. ask(signature, columns, deadline): awaits the results of a list for each column."""

    def __init__(self, channel, settings, ask):
        if not isinstance(settings, MicroBatching):
            raise TypeError(f"micro_batching is {type(settings).__name__}; give MicroBatching(max_rows=…, max_wait=…)")
        self._channel, self._settings, self._ask = channel, settings, ask
        self._open, self._lock = {}, threading.Lock()

    def takes(self, columns):
        """Whether a call is small enough to be joined with others."""
        return 0 < len(columns[0]) <= self._settings.max_rows

    async def results(self, signature, columns, deadline):
        """The results of these columns."""
        self._channel.check_open()
        future = self._channel.future()
        self._join(signature, columns, deadline, future)
        try:
            answer = await self._channel.outcome(future, deadline.left())
        except TimeoutError:
            raise self._channel.failed("DEADLINE_EXCEEDED", deadline) from None
        if answer is None:  # refused together with others
            return await self._ask(signature, columns, deadline)
        if isinstance(answer, BaseException):
            raise answer from None
        return answer

    def _join(self, signature, columns, deadline, future):
        key = (self._channel.home(), signature, len(columns))
        with self._lock:
            joined = self._open.get(key)
            is_new = joined is None or joined.rows + len(columns[0]) > self._settings.max_rows
            if is_new:
                if joined is not None:
                    joined.leaves.set()
                joined = self._open[key] = _Joined(len(columns), self._channel.event())
            joined.add(columns, deadline, future)
            if joined.rows == self._settings.max_rows:
                joined.leaves.set()
                del self._open[key]
        if is_new:
            self._channel.start(self._send(key, joined))

    async def _send(self, key, joined):
        """Waits for more callers, asks, and tells each its own."""
        try:
            await self._channel.wait(joined.leaves, self._settings.max_wait)
            with self._lock:
                if self._open.get(key) is joined:
                    del self._open[key]
            results = await self._ask(key[1], joined.columns, joined.deadline)
            answers = [results[rows] for rows, _ in joined.callers]
        except SlipwayError as error:
            alone = len(joined.callers) > 1 and error.code in _OF_THE_TEXTS
            answers = [None if alone else SlipwayError(*error.args) for _ in joined.callers]
        except Exception as error:  # the client was closed, or has no token: the callers' to know, who asked
            answers = [error] * len(joined.callers)
        except BaseException:  # the event loop ends
            answers = [self._channel.failed("CANCELLED", joined.deadline) for _ in joined.callers]
            raise
        finally:
            for (_, future), answer in zip(joined.callers, answers, strict=True):
                if not future.done():  # a task that was cancelled waits no more
                    future.set_result(answer)
