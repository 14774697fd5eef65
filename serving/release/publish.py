"""Publishing: a proven version under the next number, by one rename, so that no server ever sees half of it."""

import dataclasses
import errno
import os
import shutil

from serving.contract import ServingError
from serving.release import base_path as folder
from serving.release import history, staging
from serving.release import source as sources

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclasses.dataclass(frozen=True)
class Published:
    """Where a version is now; `already` where it had been published before, `newest` what a server serves."""

    version: int
    newest: int
    path: str
    fingerprint: str
    already: bool

    def as_dict(self):
        """For --json."""
        return dataclasses.asdict(self)

    def line(self):
        """For people."""
        verb = "already published as" if self.already else "published as"
        served = "" if self.version == self.newest else f"; version {self.newest} is newer and is what servers take"
        hint = "; --force publishes it again as the newest" if served and self.already else ""
        return f"{verb} version {self.version} at {self.path}{served}{hint}"


def publish(source, base_path, version=None, reason="", force=False, restores=None):
    """Puts what `source` means under `base_path` and returns Published.

    Version number: `version`, else one more than any present or in the history. What is already published keeps its
    number unless `force`. restores: number of the version that a rollback brings back, for the history. ServingError:
    exit 3 unproven, 2 a number that is taken, 5 disk full (nothing is left).
    """
    proven = sources.find(source)
    base_path = os.path.abspath(base_path)
    with folder.locked(base_path):
        staging.clear(base_path)
        fingerprint = sources.fingerprint(proven)
        entries = _complete_history(base_path)
        before = None if force else _already(base_path, fingerprint, version)
        if before is not None:
            return _published(base_path, before, fingerprint, already=True)
        number = _number(base_path, entries, version)
        back = {} if restores is None else {"restores": restores}
        entries.append(history.entry("rollback" if back else "publish", number, fingerprint, reason, proven) | back)
        _put(proven, base_path, number, entries)
        return _published(base_path, number, fingerprint, already=False)


def _put(proven, base_path, number, entries):
    try:
        with staging.staged(proven, base_path, number) as staged:
            prepared = history.prepare(base_path, entries)  # all that needs space comes before the rename
            os.rename(staged, os.path.join(base_path, str(number)))
            history.commit(prepared)
            staging.sync_folder(base_path)
    except OSError as error:
        if error.errno not in _FULL:
            raise
        need, free = folder.size(proven) >> 20, shutil.disk_usage(base_path).free >> 20
        raise ServingError(
            f"{base_path}: {error.strerror}: the version takes {need} MB, {free} MB are free; nothing was published, "
            "free some space and run the same command again",
            exit_code=5,
        ) from None


def _complete_history(base_path):
    """The history, with versions added that are there but not in it: put by hand, or by a publisher that was killed."""
    entries = history.read(base_path)
    known = {each["version"] for each in entries}
    for number, name in sorted(folder.numbers_present(base_path).items()):
        if number not in known:
            entries.append(history.entry("found", number, sources.fingerprint(os.path.join(base_path, name))))
    return entries


def _already(base_path, fingerprint, version):
    """The newest number under which this very version is present; only `version` itself counts where it is given."""
    for number, name in sorted(folder.numbers_present(base_path).items(), reverse=True):
        path = os.path.join(base_path, name)
        if version in (None, number) and sources.fingerprint(path) == fingerprint and sources.is_intact(path):
            return number
    return None


def _number(base_path, entries, version):
    used = {each["version"] for each in entries} | set(folder.numbers_present(base_path))
    following = max(used, default=0) + 1
    if version is None:
        return following
    if version in used:
        where = "is" if version in folder.numbers_present(base_path) else "was"
        raise ServingError(
            f"--version={version} {where} already there and is never given again; {following} is the next"
        )
    return version


def _published(base_path, number, fingerprint, already):
    present = folder.numbers_present(base_path)
    path = os.path.join(base_path, present[number])
    return Published(number, max(present), path, fingerprint, already)
