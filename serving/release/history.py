"""Who published which version when and why: one JSON line each in `.slipway_history.jsonl` of model_base_path.

A number that stands here is never given again, even when its folder is gone. Written only under the lock.
"""

import contextlib
import datetime
import getpass
import json
import os
import socket

from serving.contract import ServingError

HISTORY_FILE = ".slipway_history.jsonl"


def read(base_path):
    """Every entry as a dict, oldest first; none where nothing was ever published."""
    path = os.path.join(base_path, HISTORY_FILE)
    try:
        with open(path, encoding="utf-8") as file:
            return [_parsed(line, path, number) for number, line in enumerate(file, start=1) if line.strip()]
    except FileNotFoundError:
        return []


def entry(action, version, fingerprint, reason="", source=None):
    """A new entry. action: publish, rollback, gc, or found for a version that was put there by other means."""
    return {
        "time": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "action": action,
        "version": version,
        "fingerprint": fingerprint,
        "who": _who(),
        "reason": reason,
        "source": source,
    }


def prepare(base_path, entries):
    """Writes the whole new history beside the old one, on disk; returns the path that `commit` takes."""
    path = os.path.join(base_path, f"{HISTORY_FILE}.new")
    try:
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(each, ensure_ascii=False) + "\n" for each in entries)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(path)
        raise
    return path


def commit(prepared):
    """Puts the prepared history in the old one's place: readers see the one or the other."""
    os.replace(prepared, prepared.removesuffix(".new"))


def _parsed(line, path, number):
    try:
        parsed = json.loads(line)
        return parsed | {"version": int(parsed["version"])}
    except (ValueError, KeyError, TypeError):
        raise ServingError(f"{path}:{number}: not an entry of the history; mend or remove that line") from None


def _who():
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())  # a container's user has no name
    return f"{user}@{socket.gethostname()}"
