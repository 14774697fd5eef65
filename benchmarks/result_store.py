"""One JSON file per finished run, named by what was run: a benchmark that was cut off goes on where it stopped.

The name carries a fingerprint of all settings and of the data, so that a result is only ever reused for the very
same question. Files appear by one rename: there is no half-written result.
"""

import hashlib
import json
import pathlib


def fingerprint(settings):
    """12 hexadecimal digits for a dict of plain values, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:12]


def hash_files(paths):
    """sha256 over the names and contents of files, in the order of their names."""
    digest = hashlib.sha256()
    for path in sorted(map(pathlib.Path, paths)):
        digest.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


class ResultStore:
    """A folder of results; `settings` is the dict that says what was run: dataset, side, seed and all the rest."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)

    def path(self, settings):
        """Where the result of these settings lies, or will."""
        name = "{dataset}-{side}-seed{seed}".format(**settings)
        return self.folder / f"{name}-{fingerprint(settings)}.json"

    def read(self, settings):
        """The result of these settings, None where there is none."""
        path = self.path(settings)
        return json.loads(path.read_text(encoding="utf-8"))["result"] if path.is_file() else None

    def write(self, settings, result):
        """Keeps `result`, together with its settings, in one rename; returns the path."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.path(settings)
        unfinished = path.with_suffix(".unfinished")
        unfinished.write_text(json.dumps({"settings": settings, "result": result}, indent=1), encoding="utf-8")
        unfinished.replace(path)
        return path
