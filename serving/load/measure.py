"""What became of the requests of a load: counts by second, and latencies in HdrHistograms by outcome.

Source: Gil Tene, "How NOT to measure latency" (2013): time counts from when a request was due.
"""

import time

from hdrh.histogram import HdrHistogram

OK = "OK"
LATE = 0.010  # seconds after its time from which on a start is late
_HIGHEST, _DIGITS = 3_600_000_000, 3  # an hour in microseconds; a latency is kept to a thousandth of itself


class Outcome:
    """Latencies of the requests that ended alike, and the first message that came with such an end."""

    def __init__(self, message=""):
        self.message, self.latencies = message, _histogram()

    @property
    def count(self):
        return self.latencies.get_total_count()

    def milliseconds(self, percentiles):
        """{percentile: milliseconds} for percentiles of 0 to 100; {} where nothing was recorded."""
        if not self.count:
            return {}
        found = self.latencies.get_percentile_to_value_dict(list(percentiles))
        return {percentile: value / 1000 for percentile, value in found.items()}


class Measure:
    """Requests that were due from `began` on, a moment of time.monotonic(); those before it are warm-up, and left out.

    outcomes: {gRPC status: Outcome}. seconds: [sent, answered, failed] in each second since `began`.
    late, latest: how many requests started LATE, and by how much the latest of all, in seconds. unsent: how many were
    due and never sent.
    """

    def __init__(self, began):
        self.began, self.sent, self.late, self.latest, self.unsent = began, 0, 0, 0.0, 0
        self.outcomes, self.seconds = {OK: Outcome()}, []
        self._ended = began
        self._cpu_began = self._cpu_ended = None

    @property
    def answered(self):
        return self.outcomes[OK].count

    @property
    def failed(self):
        return sum(outcome.count for code, outcome in self.outcomes.items() if code != OK)

    @property
    def elapsed(self):
        """Seconds from `began` to the last end of a request, or to `finish`."""
        return max(0.0, self._ended - self.began)

    @property
    def cpu_share(self):
        """CPU time of this process, all of its threads, by elapsed time: 1.0 is one core; None before `began`."""
        if self._cpu_began is None or not self.elapsed:
            return None
        return (self._cpu_ended - self._cpu_began) / self.elapsed

    def start(self, due, now):
        """A request that was due is about to be sent."""
        if due < self.began:
            return
        if self._cpu_began is None:
            self._cpu_began = time.process_time()
        self.sent += 1
        self.late += now - due > LATE
        self.latest = max(self.latest, now - due)
        self._second(now)[0] += 1

    def end(self, due, now, code, message=""):
        """The request that was due then has ended with a gRPC status."""
        if due < self.began:
            return
        outcome = self.outcomes.setdefault(code, Outcome(message))
        outcome.latencies.record_value(min(max(1, round((now - due) * 1e6)), _HIGHEST))
        self._second(now)[1 if code == OK else 2] += 1
        self.finish(now)

    def finish(self, now):
        """Nothing more is to come, or nothing has come until now."""
        self._ended, self._cpu_ended = max(self._ended, now), time.process_time()

    def _second(self, now):
        number = max(0, int(now - self.began))
        while len(self.seconds) <= number:
            self.seconds.append([0, 0, 0])
        return self.seconds[number]


def _histogram():
    return HdrHistogram(1, _HIGHEST, _DIGITS)
