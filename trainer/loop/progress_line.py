"""One line on stderr that says how far long work has come and how long it will take."""

import sys
import time

_EVERY_SECONDS = 10.0  # between lines where stderr is no terminal


class ProgressLine:
    """Counts up to `total`; rewrites its line on a terminal, prints one every ten seconds into a log.

    Args:
        name: what is being done. total: int, in `unit`; None where nobody knows it before `finish`.
    """

    def __init__(self, name, total, unit):
        self.name, self.total, self.unit = name, total, unit
        self._began, self._shown = time.monotonic(), 0.0
        self._mark = None  # (done, time) after the first piece of work, most of whose time goes into compiling
        self._terminal = sys.stderr.isatty()

    def update(self, done, details=""):
        """Shows `done` of `total`, with `details` before the time left."""
        now = time.monotonic()
        self._mark = self._mark or (done, now)
        pause = 0.2 if self._terminal else _EVERY_SECONDS
        last = self.total is not None and done >= self.total
        if not last and now - max(self._shown, self._began - pause / 2) < pause:
            return
        self._shown = now
        of, left = ("", "") if self.total is None else (f"/{self.total}", _clock(self._left(done, now)) + " left")
        line = "  ".join(part for part in (f"{self.name} {done}{of} {self.unit}", details, left) if part)
        end = "" if self._terminal and not last else "\n"
        sys.stderr.write(("\r\x1b[K" if self._terminal else "") + line + end)
        sys.stderr.flush()

    def finish(self, total):
        """Shows that all is done, where the total was not known."""
        self.total = total
        self.update(total)

    def _left(self, done, now):
        """Seconds that the rest takes at the rate since the mark."""
        rate = (done - self._mark[0]) / max(1e-9, now - self._mark[1])
        return (self.total - done) / rate if rate else float("inf") if done < self.total else 0.0


def _clock(seconds):
    if seconds == float("inf"):
        return "?"
    minutes, seconds = divmod(int(seconds + 0.5), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
