"""The tries of one call: at which target, and whether and when there is another."""

import dataclasses
import random

from .handshake import Diagnosis
from .limits import is_too_large

MAX_ATTEMPTS = (
    3  # that reached a target; one that could not be connected to, while another can be asked, is not counted
)
_FIRST_BACKOFF = 0.1  # seconds; doubled each time, and from half to all of it is slept
_NOT_CONNECTED = ("failed to connect to all addresses", "errors resolving", "DNS resolution failed")


@dataclasses.dataclass(frozen=True)
class Fault:
    """How a try ended: the gRPC status, and what handshake.diagnosis makes of it."""

    code: str
    details: str
    found: Diagnosis | None = None

    @property
    def certain(self):
        """Asking the same target again cannot mend it."""
        return self.found is not None and self.found.certain

    @property
    def unsent(self):
        """No server has seen the request."""
        return self.code == "UNAVAILABLE" and (self.certain or self.details.startswith(_NOT_CONNECTED))


class Attempts:
    """Begins with no try made; targets.Targets and budget.RetryBudget are those of all calls.

    Only UNAVAILABLE is tried again. RESOURCE_EXHAUSTED is too at another target, which may have threads to spare. What a
    server has seen costs the budget; a dead target that is passed over costs nobody anything.
    """

    def __init__(self, targets, budget):
        self._targets, self._budget = targets, budget
        self.made, self._reached = 1, 0
        self._left, self._next = set(), None
        self.now = targets.pick()  # the number of the target to ask
        budget.earn()

    @property
    def elsewhere(self):
        """Whether the next try is at another target than the last."""
        return self._next is not None

    def pause(self, fault, seconds):
        """Seconds to wait before the next try, or None where there is none. seconds: those left to the call."""
        if fault.unsent:
            self._targets.refused(self.now)
        if fault.code not in ("UNAVAILABLE", "RESOURCE_EXHAUSTED") or is_too_large(fault.details):
            return None
        self._left.add(self.now)
        self._next = self._targets.another(self._left)
        if self._next is None and (fault.certain or fault.code != "UNAVAILABLE"):
            return None
        if self._next is not None and fault.unsent:
            return self._go_on(0.0)
        self._reached += 1
        pause = 0.0 if self._next is not None else _FIRST_BACKOFF * 2 ** (self._reached - 1) * random.uniform(0.5, 1)
        if self._reached == MAX_ATTEMPTS or pause >= seconds or not self._budget.spend():
            return None
        return self._go_on(pause)

    def _go_on(self, pause):
        self.made += 1
        if self._next is None:
            self._left.clear()
            self.now = self._targets.pick()
        else:
            self.now = self._next
        return pause
