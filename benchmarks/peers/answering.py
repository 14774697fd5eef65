"""A worker's end of the line to its benchmark: requests in on stdin, replies out on stdout, one JSON line each.

It imports the standard library alone, so that every peer's interpreter can run it.
"""

import importlib.metadata
import json
import os
import sys
import time


def answer(prepare, packages):
    """Answers until stdin ends.

    Args:
        prepare: callable without arguments that imports and loads what takes long; returns a callable from one request
            `{name: value}` to its reply. Its ImportError makes the side a skipped one.
        packages: distributions whose versions the benchmark prints.
    """
    replies = _take_stdout()
    try:
        reply_to = prepare()
        _say(replies, {"versions": {name: importlib.metadata.version(name) for name in packages}})
    except ImportError as fault:
        return _say(replies, {"missing": f"{fault} (make bench)" if fault.name else str(fault)})
    except Exception as fault:
        return _say(replies, {"error": one_line(fault)})
    for line in sys.stdin:
        try:
            _say(replies, reply_to(json.loads(line)))
        except Exception as fault:
            return _say(replies, {"error": one_line(fault)})


def timed(call, runs, warm_up=0):
    """Seconds of each of `runs` calls, after `warm_up` calls that do not count."""
    for _ in range(warm_up):
        call()
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return seconds


def one_line(fault):
    """The kind of an exception and the first line of what it says."""
    said = [line.strip() for line in str(fault).splitlines() if line.strip()]
    return f"{type(fault).__name__}: {said[0] if said else 'no message'}"


def _take_stdout():
    """The stream of replies; whatever a library prints from here on goes to stderr."""
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    sys.stdout.reconfigure(line_buffering=True)  # what it said last is told of a worker that dies
    return replies


def _say(replies, reply):
    replies.write(json.dumps(reply) + "\n")
    replies.flush()
