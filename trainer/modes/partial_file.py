"""A file of lines that takes long to make: it grows beside its place, and a run that was stopped continues it."""

import fcntl
import glob
import json
import os
import pathlib
import sys

from trainer.config import UserError
from trainer.modes.workdir import write_whole


class PartialFile:
    """The lines that will be `path`, with a journal of how many of them are safe. A context manager.

    What is not in the journal is cut off again, half lines too. The file is `path` only when `publish` has put all
    lines there, in one rename.

    Args:
        path: where the lines go in the end; beside it lie path.partial and path.journal until then.
        identity: {what: fingerprint} of everything the lines are made from; lines made from another are thrown away,
            and stderr says so.
    """

    def __init__(self, path, identity):
        path = pathlib.Path(path)
        self.path, self.identity = path, identity
        self._partial, self._journal = (path.with_name(path.name + end) for end in (".partial", ".journal"))
        self.counts = {}

    def __enter__(self):
        self._file = os.open(self._partial, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not os.path.samestat(os.fstat(self._file), os.stat(self._partial)):
                raise BlockingIOError  # published since it was opened: it is another run's output now
        except OSError as error:
            os.close(self._file)
            raise UserError(
                f"{self._partial} is being written by another run; wait for it, or give another --predict_output"
            ) from error
        for leftover in self.path.parent.glob(f".{glob.escape(self._journal.name)}.*"):
            # of a run that was killed while it wrote the journal
            leftover.unlink()
        size, self.counts = self._safe()
        os.truncate(self._file, size)
        os.lseek(self._file, 0, os.SEEK_END)
        return self

    def __exit__(self, *_):
        os.close(self._file)
        if not self.counts:  # nothing is safe in it
            self._partial.unlink(missing_ok=True)

    def append(self, text, counts):
        """Adds whole lines; `counts` is any dict of numbers that should be known when the run is continued.

        Raises OSError, with the file's name: whatever was added before stays.
        """
        try:
            left = memoryview(text.encode("utf-8"))
            while left:
                left = left[os.write(self._file, left) :]
            os.fsync(self._file)  # before the journal, which must never know of more than the disk does
            size = os.lseek(self._file, 0, os.SEEK_CUR)
            write_whole(self._journal, json.dumps({"bytes": size, "counts": counts, "identity": self.identity}) + "\n")
        except OSError as error:
            error.filename = error.filename or str(self._partial)
            raise
        self.counts = counts

    def publish(self):
        """Puts the lines in their place. Everything in them is on the disk already."""
        os.replace(self._partial, self.path)
        folder = os.open(self.path.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)
        self._journal.unlink(missing_ok=True)

    def _safe(self):
        """(bytes that may be kept, the counts that go with them)."""
        if not self._journal.exists():
            return 0, {}
        size, counts, identity = self._read_journal()
        differ = [what for what, value in self.identity.items() if identity.get(what) != value]
        if not differ and os.fstat(self._file).st_size >= size:
            return size, counts
        reason = f"was made from other {' and '.join(differ)}" if differ else "is shorter than its journal says"
        print(f"{self._partial} {reason}: beginning anew", file=sys.stderr)
        self._journal.unlink()
        return 0, {}

    def _read_journal(self):
        try:
            journal = json.loads(self._journal.read_text(encoding="utf-8"))
            return journal["bytes"], journal["counts"], journal["identity"]
        except (ValueError, TypeError, KeyError) as error:
            raise UserError(f"{self._journal} is not a journal of predictions; move it away") from error
