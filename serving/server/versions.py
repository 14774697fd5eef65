"""The versions of one model: polled, the new one loaded before the old one goes, each kept while requests use it.

As TensorFlow Serving's AspiredVersionsManager with the AvailabilityPreservingPolicy: a version that
cannot be loaded ends with its error and is not tried again while its folder stays; the one before it goes on serving.
"""

import contextlib
import dataclasses
import os
import threading

import grpc
from absl import logging

from serving.server import policies
from serving.server.options import present_versions
from serving.server.status import StatusError, status_of


@dataclasses.dataclass(frozen=True)
class VersionState:
    """What became of a version; `state` by its name in ModelVersionStatus, `error` None unless it failed to load."""

    number: int
    state: str
    error: StatusError | None = None


class Servable:
    """A loaded version that counts its users; the last one to leave a retired version closes it."""

    def __init__(self, number, loaded):
        self.number = number
        self.loaded = loaded
        self.users = 0
        self.retired = False


class Versions:
    """Every version of the model `name` below `base_path`; `load(version_dir)` gives a serving.loader.ServedVersion.

    policy: which of them are served, see policies.py; it may be changed between two looks. retries: how often a version
    that could not be loaded is tried again, retry_seconds after the last time. warms_up: whether warm-up is replayed.
    """

    def __init__(self, name, base_path, load, policy=None, retries=0, retry_seconds=60, warms_up=True):
        self.name, self.base_path, self.policy = name, base_path, policy
        self._load, self._retries, self._retry_seconds, self._warms_up = load, retries, retry_seconds, warms_up
        self._given_up = threading.Event()
        self._lock = threading.Lock()
        self._serving = {}
        self._states = {}
        self._failed = set()

    def poll(self):
        """Looks once: loads what is wanted and new, then lets go of what it replaced. One caller at a time."""
        try:
            present = present_versions(self.base_path)
        # A share that is away for a moment must not end what is being served; ValueError: a path that is none.
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            logging.warning("%r cannot be read (%s); goes on serving what is loaded", self.base_path, reason)
            return
        self._failed &= present.keys()  # a version published anew gets a new chance
        wanted = policies.wanted(self.policy, set(present))
        for number in sorted(wanted - self._serving.keys() - self._failed):
            self._start(number, os.path.join(self.base_path, present[number]))
        if not wanted or wanted & self._serving.keys():
            for number in sorted(self._serving.keys() - wanted):
                self._retire(number)

    @contextlib.contextmanager
    def use(self, number=None):
        """The Servable of that version, the newest for None, kept loaded until the block ends; NOT_FOUND without it."""
        with self._lock:
            servable = self._serving.get(max(self._serving, default=None) if number is None else number)
            if servable is None:
                wanted = f"Latest({self.name})" if number is None else f"Specific({self.name}, {number})"
                raise StatusError(grpc.StatusCode.NOT_FOUND, f"Servable not found for request: {wanted}")
            servable.users += 1
        try:
            yield servable
        finally:
            with self._lock:
                servable.users -= 1
                last = servable.retired and not servable.users
            if last:
                self._close(servable)

    def states(self):
        """The VersionState of every version ever seen, newest first."""
        with self._lock:
            return [self._states[number] for number in sorted(self._states, reverse=True)]

    def serving(self):
        """Numbers of the versions that answer, a set."""
        with self._lock:
            return set(self._serving)

    def newest(self):
        """Number of the version that requests without a version get; None while there is none."""
        with self._lock:
            return max(self._serving, default=None)

    def give_up(self):
        """Lets no version be tried again; may be called while one is being loaded."""
        self._given_up.set()

    def close(self):
        """Lets go of every version."""
        for number in sorted(self._serving):
            self._retire(number)

    def _start(self, number, folder):
        self._set(number, "LOADING")
        try:
            loaded, records = self._loaded_at_last(folder)
        except Exception as error:
            self._failed.add(number)
            self._set(number, "END", status_of(error))
            logging.error("version %d of %s cannot be loaded: %s", number, self.name, _one_line(error))
            return
        with self._lock:
            self._serving[number] = Servable(number, loaded)
            self._states[number] = VersionState(number, "AVAILABLE")
        logging.info("version %d of %s is served (%d warm-up records replayed)", number, self.name, records)

    def _loaded_at_last(self, folder):
        for tries in range(self._retries + 1):
            try:
                return self._loaded(folder)
            except Exception as error:
                last = tries == self._retries
                if last or self._given_up.wait(self._retry_seconds) or not os.path.isdir(folder):
                    raise
                logging.warning("%s could not be loaded (%s); trying it again", folder, _one_line(error))

    def _loaded(self, folder):
        loaded = self._load(folder)
        try:
            return loaded, loaded.replay_warmup() if self._warms_up else 0
        except Exception:
            loaded.close()
            raise

    def _retire(self, number):
        with self._lock:
            servable = self._serving.pop(number)
            servable.retired = True
            self._states[number] = VersionState(number, "UNLOADING")
            unused = not servable.users
        if unused:
            self._close(servable)

    def _close(self, servable):
        servable.loaded.close()
        self._set(servable.number, "END")
        logging.info("version %d of %s is unloaded", servable.number, self.name)

    def _set(self, number, state, error=None):
        with self._lock:
            self._states[number] = VersionState(number, state, error)


def _one_line(error):
    return " ".join(str(error).split()) or type(error).__name__
