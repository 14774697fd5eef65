"""The figures themselves: confusion, precision and recall, reliability, curves, risk against coverage."""

import contextlib

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, PowerNorm
from sklearn import metrics

from trainer.report.charts import INK, LINE, MUTED, SERIES, canvas
from trainer.report.fonts import drawn

_COUNTED = 16  # labels up to which each cell of a confusion matrix shows its rows
_NAMED = 120  # labels up to which each has its name at the edge
_CURVES = 8  # labels of a precision–recall picture
# From nothing, so that it lies on light and on dark pages alike.
_HEAT = LinearSegmentedColormap.from_list("heat", [(0.12, 0.44, 0.92, 0.0), (0.12, 0.44, 0.92, 1.0)])


@contextlib.contextmanager
def confusion(matrix, labels):
    """Share of each true label's rows by predicted label. matrix: `<int>[labels, labels]`, rows are true."""
    names, families = drawn(labels)
    count = len(labels)
    side = 2.2 + max(count * (0.42 if count <= _COUNTED else 0.15), 1.6)
    with canvas(min(side, 16) + 0.6, min(side, 16), families) as figure:
        axes = figure.subplots()
        share = matrix / np.maximum(1, matrix.sum(axis=1, keepdims=True))
        image = axes.imshow(share, cmap=_HEAT, norm=PowerNorm(0.5, 0, 1), interpolation="nearest")
        size = 9 if count <= _COUNTED else 6
        ticks = np.arange(0, count, 1 if count <= _NAMED else count // 40)
        axes.set_xticks(ticks, [names[i] for i in ticks], rotation=90 if count > 3 else 0, fontsize=size)
        axes.set_yticks(ticks, [names[i] for i in ticks], fontsize=size)
        axes.grid(False)
        axes.spines[:].set_visible(False)
        axes.set(xlabel="predicted", ylabel="true")
        if count <= _COUNTED:
            for (i, j), rows in np.ndenumerate(matrix):
                if rows:
                    axes.text(j, i, str(rows), ha="center", va="center", color="white" if share[i, j] > 0.3 else INK)
        bar = figure.colorbar(image, ax=axes, shrink=0.6, format=lambda value, _: f"{value:.0%}")
        bar.outline.set_visible(False)
        yield figure


@contextlib.contextmanager
def precision_recall(targets, probabilities, labels):
    """One curve per label against the rest; of many labels, those with the least area below, and the mean of all.

    Args:
        targets: `<int>[rows]`, or `<bool>[rows, labels]` where a row may have several. probabilities:
            `<float>[rows, labels]`.
    """
    names, families = drawn(labels)
    hits = targets if np.ndim(targets) > 1 else targets[:, None] == np.arange(len(labels))
    present = np.flatnonzero(hits.any(axis=0))
    area = {i: metrics.average_precision_score(hits[:, i], probabilities[:, i]) for i in present}
    shown = sorted(present, key=lambda i: (area[i], i))[:_CURVES]
    with canvas(5.6, 4.2, families) as figure:
        axes = figure.subplots()
        for i, colour in zip(shown, SERIES, strict=False):
            _curve(axes, hits[:, i], probabilities[:, i], f"{names[i]} ({area[i]:.3f})", colour)
        if len(present) > _CURVES:
            _curve(axes, hits.ravel(), probabilities.ravel(), "all labels, by rows", INK)
            axes.set_title(f"the {_CURVES} weakest of {len(present)} labels")
        axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02))
        lines = axes.get_lines()  # matplotlib's own search leaves out names that begin with _, as fastText's labels do
        style = {"loc": "lower left", "fontsize": 8, "title_fontsize": 8, "title": "label (average precision)"}
        axes.legend(lines, [line.get_label() for line in lines], **style)
        yield figure


@contextlib.contextmanager
def found(ranks):
    """Share of the texts whose own text is among the nearest ones. ranks: `<int>[rows]`, its place, from 1."""
    with canvas(4.8, 3.2) as figure:
        axes = figure.subplots()
        places = np.arange(1, max(2, min(100, int(ranks.max()))) + 1)
        axes.step(places, [np.mean(ranks <= place) for place in places], where="post", color=SERIES[0])
        axes.set(xscale="log", xlabel="nearest texts looked at", ylabel="share that finds its own", ylim=(0, 1.02))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
        yield figure


@contextlib.contextmanager
def scores(targets, values):
    """Predicted against true scores, both `<float>[rows]`; on the line they are equal."""
    low, high = min(targets.min(), values.min()), max(targets.max(), values.max())
    with canvas(4.8, 4.6) as figure:
        axes = figure.subplots()
        axes.plot([low, high], [low, high], color=LINE, linewidth=1)
        axes.scatter(targets, values, s=9, alpha=0.4, color=SERIES[0], linewidths=0)
        axes.set(xlabel="true score", ylabel="predicted score")
        yield figure


def _curve(axes, hits, scores, name, colour):
    precision, recall, _ = metrics.precision_recall_curve(hits, scores)
    keep = np.unique(np.linspace(0, len(recall) - 1, min(len(recall), 400)).astype(int))
    axes.step(recall[keep], precision[keep], where="post", label=name, color=colour)


@contextlib.contextmanager
def reliability(series):
    """Accuracy against confidence, rows below. series: {name: bins of trainer.metrics.calibration}."""
    with canvas(4.6, 4.2) as figure:
        axes, below = figure.subplots(2, height_ratios=(4, 1), sharex=True)
        axes.plot((0, 1), (0, 1), color=MUTED, linewidth=1, linestyle="--")
        for (name, bins), colour, shift in zip(series.items(), SERIES, (-0.015, 0.015), strict=False):
            where = np.array([each["confidence"] for each in bins])
            axes.plot(where, [each["accuracy"] for each in bins], marker="o", markersize=4, label=name, color=colour)
            shift = shift if len(series) > 1 else 0
            below.bar(where + shift, [each["count"] for each in bins], width=0.025, color=colour)
        axes.set(ylabel="share that is right", xlim=(0, 1.02), ylim=(0, 1.02))
        below.set(ylabel="rows", xlabel="confidence (probability of the label given)")
        if len(series) > 1:
            axes.legend(loc="upper left", fontsize=8)
        yield figure


@contextlib.contextmanager
def in_and_out_of_scope(counts, limit, score):
    """Shares of texts in and out of scope by a score. counts: of trainer.metrics.out_of_scope; limit: where it ends."""
    with canvas(4.6, 3.2) as figure:
        axes = figure.subplots()
        for name, colour in zip(("in_scope", "out_of_scope"), SERIES, strict=False):
            shares = np.array(counts[name]) / max(1, sum(counts[name]))
            axes.stairs(shares, counts["edges"], fill=True, alpha=0.5, color=colour, label=name.replace("_", " "))
        axes.axvline(limit, color=MUTED, linewidth=1, linestyle=":")
        axes.annotate("limit", (limit, 1), (3, -2), xycoords=("data", "axes fraction"), textcoords="offset points",
                      va="top", color=MUTED, fontsize=8)  # fmt: skip
        axes.set(xlabel=f"{score.replace('_', ' ')}: the further right, the further out", ylabel="share of texts")
        axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.3g}%")
        axes.legend(fontsize=8)
        yield figure


@contextlib.contextmanager
def curves(series, ylabel, *, mark=None, percent=False):
    """Values over steps. series: {name: [(step, value)]}; mark: the step whose weights were kept."""
    with canvas(4.8, 2.7) as figure:
        axes = figure.subplots()
        if mark:
            axes.axvline(mark, color=MUTED, linewidth=1, linestyle=":")
            axes.annotate("best", (mark, 1), (-3, -2), xycoords=("data", "axes fraction"), textcoords="offset points",
                          ha="right", va="top", color=MUTED, fontsize=8)  # fmt: skip
        for (name, points), colour in zip(series.items(), SERIES, strict=False):
            steps, values = zip(*points, strict=True)
            axes.plot(steps, values, label=name, color=colour, marker="o" if len(points) < 20 else None, markersize=4)
        axes.set(xlabel="step", ylabel=ylabel)
        if percent:
            axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.3g}%")
        if len(series) > 1:
            axes.legend(fontsize=8)
        yield figure


@contextlib.contextmanager
def risk_coverage(points, mark=None):
    """Share of wrong answers against the share of rows answered; mark: (coverage, risk) of a threshold."""
    with canvas(4.6, 3.2) as figure:
        axes = figure.subplots()
        covered = [point["coverage"] for point in points]
        risk = [point["risk"] for point in points]
        axes.plot(covered, risk, color=SERIES[0])
        axes.fill_between(covered, risk, color=LINE, alpha=0.4)
        if mark:
            axes.plot(*mark, marker="o", color=SERIES[1])
            axes.annotate("abstain threshold", mark, (-6, 6), textcoords="offset points", ha="right", color=MUTED)
        axes.set(xlabel="share of rows answered, most confident first", ylabel="of these, wrong")
        axes.set(xlim=(0, 1.02), ylim=(0, None))
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(lambda value, _: f"{value:.0%}")
        yield figure
