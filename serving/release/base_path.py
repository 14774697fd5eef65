"""The folder that the server is pointed at: who may write to it, and which version numbers are taken there.

Everything of ours in it starts with a dot; TF Serving reads only names that are numbers.
"""

import contextlib
import fcntl
import os
import sys

from serving.contract import ServingError
from serving.nearest import folder_beside

LOCK_FILE = ".slipway_lock"
STAGING_PREFIX = ".staging-"
LARGEST_NUMBER = 2**63 - 1  # TF Serving keeps version numbers in an int64


@contextlib.contextmanager
def locked(base_path):
    """The folder to itself, made where it is absent: one publisher at a time; a killed one leaves no lock behind."""
    try:
        os.makedirs(base_path, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise ServingError(f"--model_base_path={base_path} is a file; give a folder") from None
    if os.path.exists(os.path.join(base_path, "saved_model.pb")):
        raise ServingError(f"--model_base_path={base_path} is itself a version; give its parent")
    with open(os.path.join(base_path, LOCK_FILE), "ab") as file:
        _lock(file, base_path)
        yield


def numbers_present(base_path):
    """`{number: folder name}` of what TF Serving would take for a version, "007" among them."""
    names = [name for name in os.listdir(base_path) if name.isascii() and name.isdigit()]
    return {int(name): name for name in sorted(names, reverse=True) if int(name) <= LARGEST_NUMBER}


def check_there(base_path):
    """Raises ServingError, which names the nearest folder beside it, where there is no such folder."""
    if not os.path.isdir(base_path):
        advice = folder_beside(base_path) or "publish a version there first"
        raise ServingError(f"--model_base_path={base_path}: no such folder; {advice}")


def versions_there(base_path):
    """The same of a folder that must hold one. Raises ServingError."""
    check_there(base_path)
    present = numbers_present(base_path)
    if not present:
        raise ServingError(f"--model_base_path={base_path}: holds no version; publish one there first")
    return present


def listed(numbers):
    """Version numbers, as a message names them."""
    return ", ".join(map(str, sorted(numbers)))


def size(path):
    """Bytes of all files below a folder."""
    return sum(os.path.getsize(os.path.join(root, name)) for root, _, names in os.walk(path) for name in names)


def _lock(file, base_path):
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(f"waiting for another command that changes {base_path}", file=sys.stderr, flush=True)
        fcntl.flock(file, fcntl.LOCK_EX)
