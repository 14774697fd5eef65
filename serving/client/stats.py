"""What a client has asked and how it fared: counts and times by method, signature and status."""

import bisect
import collections
import threading

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # upper bounds in seconds
_CALLS = "slipway_client_call_seconds"
_COUNTERS = {
    "retries": "Tries after the first of a call.",
    "failovers": "Those of them at another target.",
    "halvings": "Requests that were split because the server takes smaller ones.",
}


class Stats:
    """Counts of one client. Threads may share it. A call is one request with all its tries, its time theirs together.

    retries, failovers, halvings: how many there were.
    """

    def __init__(self, model):
        self._model = model
        self.retries = self.failovers = self.halvings = 0
        self._lock = threading.Lock()
        # (method, signature, status): calls of each bucket, of those above the last, and the seconds of all
        self._calls = collections.defaultdict(lambda: [0] * (len(BUCKETS) + 1) + [0.0])

    def call(self, method, signature, status, seconds):
        """Counts a call that ended."""
        place = bisect.bisect_left(BUCKETS, seconds)
        with self._lock:
            counts = self._calls[method, signature, status]
            counts[place] += 1
            counts[-1] += seconds

    def count(self, name):
        """Counts one of retries, failovers, halvings."""
        with self._lock:
            setattr(self, name, getattr(self, name) + 1)

    def rows(self):
        """A dict for each method, signature and status: `calls`, and `mean` in seconds."""
        return [
            {"method": method, "signature": signature, "status": status, "calls": calls, "mean": counts[-1] / calls}
            for (method, signature, status), counts in self._copied()
            if (calls := sum(counts[:-1]))
        ]

    def prometheus(self):
        """All counts in the text format of Prometheus, version 0.0.4."""
        lines = [f"# HELP {_CALLS} Requests to the server, with all their tries.", f"# TYPE {_CALLS} histogram"]
        for (method, signature, status), counts in self._copied():
            names = {"model": self._model, "method": method, "signature": signature, "status": status}
            lines += _histogram(",".join(f'{name}="{_escaped(value)}"' for name, value in names.items()), counts)
        for name, told in _COUNTERS.items():
            full = f"slipway_client_{name}_total"
            lines += [f"# HELP {full} {told}", f"# TYPE {full} counter"]
            lines += [f'{full}{{model="{_escaped(self._model)}"}} {getattr(self, name)}']
        return "\n".join(lines) + "\n"

    def _copied(self):
        with self._lock:
            return sorted((key, list(counts)) for key, counts in self._calls.items())


def _histogram(labels, counts):
    below = 0
    for bound, calls in zip((*BUCKETS, "+Inf"), counts, strict=False):  # the last of counts is their seconds
        below += calls
        yield f'{_CALLS}_bucket{{{labels},le="{bound}"}} {below}'
    yield f"{_CALLS}_sum{{{labels}}} {counts[-1]!r}"
    yield f"{_CALLS}_count{{{labels}}} {below}"


def _escaped(value):
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
