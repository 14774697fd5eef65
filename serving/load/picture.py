"""The picture of a load: latency by percentile, and what was sent, answered and refused in each second."""

import warnings

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from serving.load.measure import OK
from serving.load.summary import PERCENTILES

_INK, _MUTED, _LINE, _BLUE, _RED = "#1b1f24", "#59636e", "#d1d9e0", "#1f6feb", "#cf222e"
_STYLE = {
    "font.size": 9,
    "axes.edgecolor": _LINE,
    "axes.labelcolor": _MUTED,
    "axes.titlecolor": _INK,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": _LINE,
    "grid.linewidth": 0.6,
    "text.color": _INK,
    "text.parse_math": False,  # a dollar in a model's name is a dollar
    "xtick.color": _MUTED,
    "ytick.color": _MUTED,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
}

_ABOVE = {"loc": "lower right", "bbox_to_anchor": (1, 0.98), "ncols": 4}  # of a legend: beside the title, off the data


def draw(path, title, measure):
    """Writes a PNG of the outcomes and seconds of a Measure; no state of pyplot is touched."""
    with matplotlib.rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # in a model's name
        figure = Figure(figsize=(9, 6.5))
        FigureCanvasAgg(figure)
        figure.suptitle(title, fontsize=9, color=_MUTED, x=0.01, ha="left")
        above, below = figure.subplots(2)
        _latencies(above, measure.outcomes)
        _over_time(below, measure.seconds, measure.elapsed)
        figure.savefig(path, dpi=130, format="png")


def _latencies(axes, outcomes):
    """As HdrHistogram is drawn: the rarer, the further to the right, each nine as wide as the last."""
    axes.set_title("Latency by percentile")
    axes.set_ylabel("ms")
    axes.set_xscale("log")
    axes.set_yscale("log")
    others = [code for code in outcomes if code != OK]
    for code, colour in [(OK, _BLUE), *((code, _RED) for code in others)]:
        outcome = outcomes[code]
        if outcome.count:
            rarity = np.geomspace(1, max(outcome.count, 10), 200)
            found = outcome.milliseconds(100 - 100 / rarity)
            style = "-" if code == OK else ("--", ":", "-.")[others.index(code) % 3]
            axes.plot(rarity, list(found.values()), style, color=colour, label="answered" if code == OK else code)
    for percentile, value in outcomes[OK].milliseconds(PERCENTILES).items():
        if 1 / (1 - percentile / 100) <= max(outcomes[OK].count, 10):
            place = 1 / (1 - percentile / 100)
            axes.plot([place], [value], "o", color=_BLUE, markersize=4)
            axes.annotate(_plain(value), (place, value), (0, 6), textcoords="offset points", ha="center")
    axes.set_xticks(list(_NINES), list(_NINES.values()), minor=False)
    axes.set_xticks([], minor=True)
    axes.set_xlim(1, max(10, max(outcome.count for outcome in outcomes.values())))
    axes.margins(y=0.15)
    _label_milliseconds(axes)
    if others:
        axes.legend(**_ABOVE)


def _label_milliseconds(axes):
    """Ticks of a logarithmic axis as plain numbers, as many as there is room for."""
    lowest, highest = axes.get_ylim()
    plain = FuncFormatter(lambda value, _: _plain(value))
    axes.yaxis.set_major_locator(LogLocator(subs=(1,) if highest / lowest > 500 else (1, 2, 5)))
    axes.yaxis.set_major_formatter(plain)
    axes.yaxis.set_minor_formatter(plain if highest / lowest < 3 else NullFormatter())


_NINES = {
    1: "0 %",
    2: "50 %",
    10: "90 %",
    100: "99 %",
    1e3: "99.9 %",
    1e4: "99.99 %",
    1e5: "99.999 %",
    1e6: "99.9999 %",
}


def _plain(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _over_time(axes, seconds, elapsed):
    """Steps of one second; the last is as narrow as the part of a second that it counts."""
    axes.set_title("Requests per second")
    axes.set_xlabel("seconds since the warm-up ended")
    if not seconds:
        return
    sent, answered, failed = np.asarray(seconds, float).T
    edges = np.append(np.arange(len(seconds)), min(len(seconds), max(elapsed, len(seconds) - 0.99)))
    axes.stairs(sent, edges, color=_MUTED, linestyle=":", baseline=None, label="sent")
    axes.stairs(answered, edges, color=_BLUE, linewidth=1.6, baseline=None, label="answered")
    if failed.any():
        axes.stairs(failed, edges, color=_RED, fill=True, alpha=0.35)
        axes.stairs(failed, edges, color=_RED, baseline=None, label="errors")
    axes.set_ylim(bottom=0)
    axes.set_xlim(0, edges[-1])
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(**_ABOVE)
