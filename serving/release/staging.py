"""A version's files brought into model_base_path without anybody seeing half of them: hidden, on disk, then renamed."""

import contextlib
import os
import shutil

from serving import contract
from serving.contract import ServingError
from serving.release.base_path import STAGING_PREFIX


def clear(base_path):
    """Removes what killed publishers left; only under the lock, when no living one has a staging folder."""
    for name in os.listdir(base_path):
        if name.startswith(STAGING_PREFIX):
            shutil.rmtree(os.path.join(base_path, name))


@contextlib.contextmanager
def staged(source, base_path, number):
    """A hidden copy of the version, all of it on disk and checked against its proof; gone when the block ends.

    ServingError (exit 5) where the copy is not what was proven, which its source was a moment ago.
    """
    folder = os.path.join(base_path, f"{STAGING_PREFIX}{number}")
    try:
        _copy_tree(source, folder)
        _check_copy(source, folder)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # not there any more once it was renamed


def sync_folder(path):
    """Makes names created or renamed in a folder survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _check_copy(source, folder):
    try:
        contract.check_proven(folder)
    except ServingError as error:
        reason = str(error).removeprefix(f"{folder}: ")
        message = (
            f"the copy of {source} came out different ({reason}); nothing was published: check the disk, try again"
        )
        raise ServingError(message, exit_code=5) from error


def _copy_tree(source, target):
    # os.mkdir and not tempfile: its 0700 would keep a server that runs as another user out.
    os.mkdir(target)
    with os.scandir(source) as entries:
        for entry in entries:
            copy = _copy_tree if entry.is_dir(follow_symlinks=False) else _copy_file
            copy(entry.path, os.path.join(target, entry.name))
    sync_folder(target)


def _copy_file(source, target):
    with open(source, "rb") as original, open(target, "xb") as copy:
        shutil.copyfileobj(original, copy, 1 << 20)
        copy.flush()
        os.fsync(copy.fileno())
