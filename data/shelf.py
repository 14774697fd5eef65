"""The cache's shelf of fetched folders: a folder that stands there is complete, whatever was killed on the way.

Everything is made in a hidden folder beside, synced to the disk and renamed once. `source.json` in each folder says
where it came from and the size and sha256 of every file, by which a damaged one is found and fetched anew.
"""

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import secrets
import shutil
import time

from trainer.config import EnvironmentFault, carried_path

SOURCE = "source.json"
ABSENT = "absent"
STAGING = ".fetch-"  # + name + random: `artifact` and `folder` of one run, with the `lock` that it holds
BIRTH = 3600  # seconds: a staging folder without its lock is just being born, unless it is older than this
FULL = (errno.ENOSPC, errno.EDQUOT)


def complaint(carried, cache):
    """Empty where the folder of `carried` is whole, ABSENT where there is none, else what is wrong with it."""
    folder = carried_path(carried.name, cache)
    if not folder.exists():
        return ABSENT
    try:
        source = json.loads((folder / SOURCE).read_text("utf-8"))
        if (source["sha256"], source["recipe"]) != (carried.sha256, carried.recipe):
            return "made from another artifact or by another release"
        for name, expected in source["files"].items():
            if fingerprint(folder / name, expected["bytes"]) != expected["sha256"]:
                return f"{name} was changed"
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return f"{type(error).__name__}: {error}"
    return ""


def sweep(cache):
    """Removes what killed runs left behind; that of living ones, and what may not be removed, stays."""
    for place in carried_path("", cache).glob(f"{STAGING}*"):
        try:
            lock = os.open(place / "lock", os.O_RDWR)
        except OSError:
            with contextlib.suppress(OSError):
                if time.time() - place.stat().st_mtime > BIRTH:
                    shutil.rmtree(place, ignore_errors=True)
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(place, ignore_errors=True)
        except OSError:
            pass  # its run lives
        finally:
            os.close(lock)


def fingerprint(path, size):
    """sha256 of a file of `size` bytes, "" where it has another size."""
    if path.stat().st_size != size:
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_source(carried, cache):
    """The content of a folder's source.json."""
    return json.loads((carried_path(carried.name, cache) / SOURCE).read_text("utf-8"))


@contextlib.contextmanager
def staging(carried, cache):
    """A hidden folder of this run alone, gone afterwards."""
    shelf = carried_path(carried.name, cache).parent
    with in_one_line(cache):
        shelf.mkdir(parents=True, exist_ok=True)
        place, lock = _locked_folder(shelf, carried.name)
    try:
        with in_one_line(cache):
            yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)
        os.close(lock)


def write_folder(carried, place, artifact):
    """Unpacks `artifact` into `place/folder`, source.json included, all of it on the disk; returns that folder."""
    folder, facts, files = place / "folder", {}, {}
    folder.mkdir()
    for name, chunks in carried.unpack(artifact, facts):
        files[name] = _write(folder / name, chunks)
        if files[name]["sha256"] != carried.pinned.get(name, files[name]["sha256"]):
            raise EnvironmentFault(f"{carried.name}: {name} came out other than everywhere else; please report it")
    source = {
        "name": carried.name,
        "about": carried.about,
        "package": carried.package,
        "version": carried.version,
        "artifact": carried.artifact,
        "sha256": carried.sha256,
        "licence": carried.licence,
        "recipe": carried.recipe,
        **facts,
        "files": files,
    }
    _write(folder / SOURCE, [(json.dumps(source, indent=1, ensure_ascii=False) + "\n").encode("utf-8")])
    for path in [folder, *(path for path in folder.rglob("*") if path.is_dir())]:
        _sync_folder(path)
    return folder


def put(carried, cache, folder):
    """Renames the finished `folder` to its place; a damaged one there is moved aside, a whole one wins.

    Returns the path to which a damaged folder was moved, None where there was none.
    """
    target = carried_path(carried.name, cache)
    aside = None
    with _lock(target.parent / ".lock"):  # for the two renames: nobody moves aside what another has just put there
        wrong = complaint(carried, cache)
        if not wrong:
            return None
        if wrong != ABSENT:
            aside = target.with_name(f"{target.name}.damaged-{time.strftime('%Y%m%dT%H%M%S')}-{secrets.token_hex(2)}")
            os.rename(target, aside)
        os.rename(folder, target)
        _sync_folder(target.parent)
    return aside


@contextlib.contextmanager
def in_one_line(cache):
    """Turns what the disk refuses into one line; `cache` is what the user can change about it."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise EnvironmentFault(
                f"no space left for the cache {cache}; free some 200 MB, or give another "
                "with --cache_dir or $SLIPWAY_CACHE"
            ) from None
        raise EnvironmentFault(
            f"cannot write to the cache {cache} ({error.strerror or error}); give another "
            "with --cache_dir or $SLIPWAY_CACHE"
        ) from None


def _write(path, chunks):
    path.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with path.open("xb") as file:
        for chunk in chunks:
            file.write(chunk)
            digest.update(chunk)
            size += len(chunk)
        file.flush()
        os.fsync(file.fileno())
    return {"bytes": size, "sha256": digest.hexdigest()}


def _sync_folder(path):
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _locked_folder(shelf, name):
    # The lock goes with the process, however it ends: a folder whose lock can be had belongs to nobody.
    while True:
        place = shelf / f"{STAGING}{name}-{secrets.token_hex(6)}"
        place.mkdir()
        lock = os.open(place / "lock", os.O_CREAT | os.O_RDWR, 0o666)
        with contextlib.suppress(OSError):  # a file system without locks: then nothing is swept
            fcntl.flock(lock, fcntl.LOCK_EX)
        if (place / "lock").exists():  # else a sweeper was quicker
            return place, lock
        os.close(lock)


@contextlib.contextmanager
def _lock(path):
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o666)
    try:
        with contextlib.suppress(OSError):  # a file system without locks: the rename itself is still atomic
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
