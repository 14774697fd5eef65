"""A folder that appears whole or not at all: written beside its place under a hidden name, synced, renamed once."""

import contextlib
import errno
import fcntl
import os
import pathlib
import shutil
import tempfile

from trainer.config import EnvironmentFault, UserError

_PREFIX = ".staging-"
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


@contextlib.contextmanager
def staged(parent):
    """A hidden working folder in `parent`, removed in the end whatever happened.

    What a killed export left behind is removed first; the lock keeps two exports from doing that to each other.
    Raises EnvironmentFault where the disk is full.
    """
    parent = pathlib.Path(parent)
    with _no_space_explained(parent):
        parent.mkdir(parents=True, exist_ok=True)
        with _locked(parent):
            for left_behind in parent.glob(f"{_PREFIX}*"):
                shutil.rmtree(left_behind, ignore_errors=True)
            with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=parent, ignore_cleanup_errors=True) as folder:
                yield pathlib.Path(folder)


def publish(folder, place):
    """Moves a finished folder to its place on the same filesystem, on the disk for good before it can be seen."""
    for root, _, names in os.walk(folder):
        for name in names:
            _sync(os.path.join(root, name))
        _sync(root)
    os.rename(folder, place)
    _sync(place.parent)


def check_free(parent, needed):
    """EnvironmentFault where the disk of `parent` has fewer than `needed` bytes free."""
    free = shutil.disk_usage(parent).free
    if free < needed:
        raise EnvironmentFault(
            f"disk full at {parent}: the export needs {needed >> 20} MB, {free >> 20} MB are free; "
            "free some space, then give the same command again"
        )


@contextlib.contextmanager
def _locked(parent):
    with open(parent / ".lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(
                f"{parent}: another export is writing there; wait for it, or give another --workdir"
            ) from None
        yield


@contextlib.contextmanager
def _no_space_explained(parent):
    try:
        yield
    except Exception as error:
        # TensorFlow reports a full disk as one of several errors, by its words only.
        if getattr(error, "errno", None) in _NO_SPACE or "No space left on device" in str(error):
            raise EnvironmentFault(
                f"disk full at {parent}: free some space, then give the same command again"
            ) from error
        raise


def _sync(path):
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
