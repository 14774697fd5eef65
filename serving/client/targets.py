"""Where a client asks: addresses checked before anything is sent, and whose turn it is among those that answer.

Each target has a connection of its own, so that its name, certificate and state are its own too. A target that lets
nobody in is passed over for a moment, which doubles at each look until it answers.
"""

import ipaddress
import itertools
import random
import time

_WEB = ("http://", "https://")
_FIRST_PASS, _LONGEST_PASS = 0.1, 2.0  # seconds for which a target is passed over; gRPC dials it anew meanwhile


def addresses_of(target):
    """The addresses of "HOST:PORT,HOST:PORT" or of a list; ValueError with one line for what is none."""
    given = target.split(",") if isinstance(target, str) else list(target)
    addresses = tuple(address.strip() if isinstance(address, str) else address for address in given)
    if not addresses:
        raise ValueError("target is an empty list; give HOST:PORT, for example localhost:8500")
    for address in addresses:
        _check(address)
    twice = next((address for address in addresses if addresses.count(address) > 1), None)
    if twice:
        raise ValueError(f"target {twice!r} is given twice; give each once")
    if len({is_web(address) for address in addresses}) > 1:
        raise ValueError(
            f"targets {', '.join(addresses)} are of both kinds; give all as HOST:PORT or all as http(s)://"
        )
    return addresses


def is_web(address):
    """Whether a target is asked over REST."""
    return address.startswith(_WEB)


def _check(address):
    if not isinstance(address, str):
        raise ValueError(f"target {address!r} is no address; give HOST:PORT, for example localhost:8500")
    if is_web(address):
        if not address.partition("://")[2].strip("/"):
            raise ValueError(
                f"target {address!r} has no host; give http://HOST:PORT, for example http://localhost:8501"
            )
        return
    host, colon, port = address.rpartition(":")
    if ("/" not in address and not address.startswith("unix:")) and not (host and colon and port.isdigit()):
        raise ValueError(f"target {address!r} has no port; give HOST:PORT, for example localhost:8500")


def is_loopback(address):
    """Whether what goes to a target stays on this machine."""
    if address.startswith("unix:"):
        return True
    host = address.partition("://")[2].partition("/")[0] if is_web(address) else address
    host = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class Targets:
    """Round robin over the addresses that let callers in. Threads may share it."""

    def __init__(self, addresses):
        self.addresses = addresses
        self._turns = itertools.count(random.randrange(len(addresses)))  # not every client begins with the first
        self._until = [0.0] * len(addresses)  # when the next look is due, of those that are passed over
        self._pass = [_FIRST_PASS] * len(addresses)

    def pick(self):
        """The number of the target whose turn it is; one that is passed over only where all are."""
        if len(self.addresses) == 1:
            return 0
        open_ones = self._open()
        if open_ones:
            return self._taken(open_ones[next(self._turns) % len(open_ones)])
        return self._until.index(min(self._until))

    def another(self, left):
        """The number of one besides those `left` that is not passed over, or None; turns go on as if not asked."""
        open_ones = self._open(left)
        return self._taken(random.choice(open_ones)) if open_ones else None

    def _open(self, left=()):
        now = time.monotonic()
        return [number for number, until in enumerate(self._until) if until <= now and number not in left]

    def _taken(self, number):
        if self._until[number]:  # this caller has a look; the others wait for what it finds
            self._pass_over(number)
        return number

    def refused(self, number):
        """Passes over a target that could not be connected to."""
        if not self._until[number]:
            self._pass_over(number)

    def answered(self, number):
        """Takes a target back into the round."""
        if self._until[number]:
            self._until[number], self._pass[number] = 0.0, _FIRST_PASS

    def _pass_over(self, number):
        self._until[number] = time.monotonic() + self._pass[number] * random.uniform(0.5, 1)
        self._pass[number] = min(2 * self._pass[number], _LONGEST_PASS)
