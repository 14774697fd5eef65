"""How many retries all calls of a client may make together, so that they never multiply an overload."""

import threading


class RetryBudget:
    """A bucket of tokens, `reserve` at first and at most. A call puts `ratio` of one in, a retry takes a whole one out.

    So n calls make at most ratio·n + reserve retries, however long a server refuses. Clients may share a budget.
    Source: gRFC A6, "Throttling Retry Attempts and Hedged RPCs"; Finagle's RetryBudget.
    """

    def __init__(self, ratio=0.2, reserve=64):
        if not (0 <= ratio <= 1 and reserve >= 0):
            raise ValueError(f"a retry budget has a ratio of 0 to 1 and a reserve of 0 or more, not {ratio}, {reserve}")
        self.ratio, self.reserve = ratio, reserve
        self._tokens, self._lock = float(reserve), threading.Lock()

    def earn(self):
        """Puts in what one call brings."""
        if self._tokens < self.reserve:  # most calls find it full, and take no lock
            with self._lock:
                self._tokens = min(self.reserve, self._tokens + self.ratio)

    def spend(self):
        """Takes out one retry; False where none is left."""
        with self._lock:
            if self._tokens < 1:
                return False
            self._tokens -= 1
            return True
