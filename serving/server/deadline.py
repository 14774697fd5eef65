"""How long the caller of the request that this thread works on still waits."""

import contextlib
import contextvars
import time

import grpc

from serving.server.status import StatusError

_END = contextvars.ContextVar("end", default=None)


@contextlib.contextmanager
def until(end):
    """Within it the caller waits until `end`, seconds of time.monotonic(), None: for ever.

    Raises StatusError (DEADLINE_EXCEEDED) where that is past.
    """
    token = _END.set(end)
    try:
        if end is not None and left() <= 0:
            raise exceeded()
        yield
    finally:
        _END.reset(token)


def end_of(seconds):
    """The end of a wait of so many seconds from now; None for None."""
    return None if seconds is None else time.monotonic() + seconds


def left():
    """Seconds that the caller still waits; None: for ever."""
    end = _END.get()
    return None if end is None else end - time.monotonic()


def exceeded():
    """What is answered to a caller that is likely gone."""
    return StatusError(grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline exceeded before the request was answered")
