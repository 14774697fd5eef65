"""When the requests of an open loop are due: settled before the first is sent, whatever the server does."""

import itertools
import random


def due_times(rate, seconds, arrivals, seed):
    """Seconds after the beginning at which each of `rate` requests a second is due, rising, all below `seconds`.

    arrivals: one of ARRIVALS. "poisson" is how callers who know nothing of each other come; `seed` settles it.
    """
    return itertools.takewhile(lambda due: due < seconds, ARRIVALS[arrivals](rate, seed))


def _constant(rate, seed):
    return (number / rate for number in itertools.count())  # no sum of gaps, whose rounding would add up


def _poisson(rate, seed):
    draws, due = random.Random(seed), 0.0
    while True:
        due += draws.expovariate(rate)
        yield due


ARRIVALS = {"constant": _constant, "poisson": _poisson}
