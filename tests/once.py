"""Folders that all workers of a test run share: the first that needs one makes it, the others wait for it."""

import fcntl
import os
import shutil


def made_once(tmp_path_factory, name, make):
    """Folder `name` of this test run, after one make(folder) in whichever worker came first.

    Leave its files as they are: tests of other processes read them at the same time.
    """
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:  # each worker has a folder of its own below that of the run
        root = root.parent
    folder, done = root / "shared" / name, root / "shared" / f"{name}.done"
    folder.parent.mkdir(exist_ok=True)
    with open(root / "shared" / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)  # half made, by a worker that failed
            make(folder)
            done.touch()
    return folder
