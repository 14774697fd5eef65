"""One line on stderr that says how far a download is."""

import sys
import time


class Progress:
    """Bytes, MB/s and time left: rewritten in place on a terminal, a new line every ten seconds elsewhere."""

    def __init__(self, name, total, stream=None, clock=time.monotonic):
        self.name, self.total = name, total  # bytes; total 0: unknown
        self.stream, self.clock = stream or sys.stderr, clock
        self.live = self.stream.isatty()
        self.began = self.shown = clock()
        self.done = 0

    def reach(self, done):
        """Takes note that `done` bytes are here, and shows it, four times a second at most."""
        self.done, now = done, self.clock()
        if now - self.shown >= (0.25 if self.live else 10):
            self._show(now, "\r" if self.live else "\n")

    def close(self):
        """Leaves the final count on a line of its own."""
        self._show(self.clock(), "\n")

    def _show(self, now, end):
        self.shown = now
        text = progress_text(self.name, self.done, self.total, now - self.began)
        self.stream.write(f"{text:<78}{end}" if self.live else f"{text}{end}")
        self.stream.flush()


def progress_text(name, done, total, seconds):
    """E.g. `encoder  41.5 of 83.0 MB  10.0 MB/s  4 s left`; `done` and `total` in bytes, total 0 where unknown."""
    speed = done / max(seconds, 1e-3)
    parts = [name, f"{done / 1e6:.1f} of {total / 1e6:.1f} MB" if total else f"{done / 1e6:.1f} MB"]
    parts.append(f"{speed / 1e6:.1f} MB/s")
    if total > done and speed:
        parts.append(f"{(total - done) / speed:.0f} s left")
    return "  ".join(parts)
