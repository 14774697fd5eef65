"""One line on stderr that says how far a download, or the reading of rows, is."""

import sys
import time


class Progress:
    """How much is done, speed and time left: in place on a terminal, a line every ten seconds elsewhere."""

    def __init__(self, name, total, stream=None, clock=time.monotonic, unit="MB"):
        self.name, self.total, self.unit = name, total, unit  # total in bytes, or in `unit`; 0: unknown
        self.stream, self.clock = stream or sys.stderr, clock
        self.live = self.stream.isatty()
        self.began = self.shown = clock()
        self.done = 0

    def reach(self, done):
        """Takes note that `done` of `total` are here, and shows it, four times a second at most."""
        self.done, now = done, self.clock()
        if now - self.shown >= (0.25 if self.live else 10):
            self._show(now, "\r" if self.live else "\n")

    def close(self):
        """Leaves the final count on a line of its own."""
        self._show(self.clock(), "\n")

    def _show(self, now, end):
        self.shown = now
        text = progress_text(self.name, self.done, self.total, now - self.began, self.unit)
        self.stream.write(f"{text:<78}{end}" if self.live else f"{text}{end}")
        self.stream.flush()


def progress_text(name, done, total, seconds, unit="MB"):
    """E.g. `encoder  41.5 of 83.0 MB  10.0 MB/s  4 s left`; `done` and `total` in bytes, or in `unit`; 0: unknown."""
    speed = done / max(seconds, 1e-3)
    parts = [
        name,
        f"{_number(done, unit)} of {_number(total, unit)} {unit}" if total else f"{_number(done, unit)} {unit}",
    ]
    parts.append(f"{_number(speed, unit)} {unit}/s")
    if total > done and speed:
        parts.append(f"{(total - done) / speed:.0f} s left")
    return "  ".join(parts)


def _number(count, unit):
    return f"{count / 1e6:.1f}" if unit == "MB" else f"{count:,.0f}"
