"""Counters and histograms, and the page that Prometheus reads, as the real server writes it.

Source: tensorflow_serving/util/prometheus_exporter.cc, and tensorflow/core/lib/histogram/histogram.cc for what falls
into which bucket. Line breaks in a label, which there end the line, are escaped.
"""

import bisect
import re
import threading

_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


def exponential(scale, growth, count):
    """Limits of buckets: scale, scale·growth, … , `count` of them; what is above all of them has a bucket, too."""
    limits = [float(scale)]
    while len(limits) < count:
        limits.append(limits[-1] * growth)
    return limits


def page(metrics):
    """The text of all metrics, in the order of their names."""
    lines = [line for each in sorted(metrics, key=lambda each: each.name) for line in each.lines()]
    return "\n".join(lines) + "\n"


class Counter:
    """Numbers that only grow, one for each tuple of label values; for many threads."""

    KIND = "counter"

    def __init__(self, name, *labels):
        self.name = re.sub("[^a-zA-Z0-9_]", ":", name)
        self._labels = labels
        self._cells = {}
        self._lock = threading.Lock()

    def add(self, values, amount=1):
        """Adds an amount to the cell of these label values."""
        with self._lock:
            self._cells[values] = self._cells.get(values, 0) + amount

    def lines(self):
        """Lines of the page."""
        with self._lock:
            cells = sorted(self._cells.items())
        yield f"# TYPE {self.name} {self.KIND}"
        for values, cell in cells:
            yield from self._cell_lines(self._label_text(values), cell)

    def _cell_lines(self, labels, amount):
        yield f"{self.name}{{{labels}}} {amount}"

    def _label_text(self, values):
        pairs = zip(self._labels, values, strict=True)
        return ",".join(f'{label}="{value.translate(_ESCAPES)}"' for label, value in pairs)


class Histogram(Counter):
    """How amounts are distributed, for each tuple of label values."""

    KIND = "histogram"

    def __init__(self, name, *labels, limits):
        super().__init__(name, *labels)
        self._limits = limits

    def add(self, values, amount=1):
        """Adds one amount to the cell of these label values."""
        bucket = bisect.bisect_right(self._limits, amount)
        with self._lock:
            counts, total = self._cells.get(values) or ((0,) * (len(self._limits) + 1), 0)
            self._cells[values] = (*counts[:bucket], counts[bucket] + 1, *counts[bucket + 1 :]), total + amount

    def _cell_lines(self, labels, cell):
        counts, total = cell
        below = 0
        for limit, count in zip([*map("{:g}".format, self._limits), "+Inf"], counts, strict=True):
            below += count
            yield f'{self.name}_bucket{{{labels},le="{limit}"}} {below}'
        yield f"{self.name}_sum{{{labels}}} {total:g}"
        yield f"{self.name}_count{{{labels}}} {below}"
