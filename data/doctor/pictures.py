"""Pictures of a report as SVG, which a page can hold without asking anybody for anything."""

import io
import re
import warnings

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot  # noqa: E402  (the backend must be chosen first)

_LABELS = 30  # bars of one picture
_STYLE = {
    "svg.fonttype": "none",  # text stays text: any script the reader's browser can show
    "svg.hashsalt": "slipway",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
_COLOURS = {"train": "#2f6f9f", "dev": "#e0913a", "test": "#5a9e5f", None: "#777777"}


def pictures(report):
    """[(title, SVG)] of what there is to draw in a Report."""
    drawn = [("Rows per label", _labels(report)), ("Lengths", _lengths(report)), ("Languages", _languages(report))]
    return [(title, svg) for title, svg in drawn if svg]


def _labels(report):
    files = [file for file in report.files if file["labels"]]
    if not files:
        return None
    totals = {}
    for file in files:
        for label, count in file["labels"].items():
            totals[label] = totals.get(label, 0) + count
    names = sorted(totals, key=lambda label: -totals[label])[:_LABELS]
    with _figure(height=0.9 + 0.22 * len(names) * min(3, len(files))) as (figure, axes):
        thickness = 0.8 / len(files)
        for place, file in enumerate(files):
            heights = [row + place * thickness for row in range(len(names))]
            counts = [file["labels"].get(label, 0) for label in names]
            axes.barh(heights, counts, thickness, label=file["split"] or file["path"], color=_COLOURS[file["split"]])
        middle = (len(files) - 1) * thickness / 2
        axes.set_yticks([row + middle for row in range(len(names))], [_plain(label) for label in names])
        axes.invert_yaxis()
        axes.set_xlabel(
            "rows" + (f", the {_LABELS} most frequent of {len(totals)} labels" if len(totals) > _LABELS else "")
        )
        axes.legend(frameon=False)
        return _svg(figure)


def _lengths(report):
    histogram, lengths = report.lengths["histogram"], report.lengths
    if not histogram["counts"]:
        return None
    with _figure(height=2.6) as (figure, axes):
        axes.stairs(histogram["counts"], histogram["edges"], fill=True, color="#2f6f9f")
        if lengths["limit"] <= histogram["edges"][-1]:
            axes.axvline(lengths["limit"], color="#c0392b")
            axes.text(
                lengths["limit"], max(histogram["counts"]), f" --sequence_length={lengths['limit']}", color="#c0392b"
            )
        axes.set_xlabel(f"{lengths['unit']} per text (the longest 0.5 % in the last bar)")
        axes.set_ylabel("texts")
        return _svg(figure)


def _languages(report):
    counts = dict(list(report.languages.get("counts", {}).items())[:12])
    if len(counts) < 2:
        return None
    with _figure(height=0.9 + 0.22 * len(counts)) as (figure, axes):
        axes.barh(list(counts), list(counts.values()), color="#2f6f9f")
        axes.invert_yaxis()
        axes.set_xscale("log")
        axes.set_xlabel(f"texts of a sample of {report.languages['sample']:,}")
        return _svg(figure)


class _figure:
    """An axes in this file's style, closed afterwards."""

    def __init__(self, height, width=7.5):
        self.size = (width, height)

    def __enter__(self):
        self.style = matplotlib.rc_context(_STYLE)
        self.style.__enter__()
        self.figure, axes = pyplot.subplots(figsize=self.size, layout="constrained")
        return self.figure, axes

    def __exit__(self, *error):
        pyplot.close(self.figure)
        self.style.__exit__(*error)


def _svg(figure):
    out = io.StringIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # glyphs that matplotlib's own font lacks: the browser has them
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return re.sub(r"^.*?(?=<svg)", "", out.getvalue(), flags=re.S)  # an XML header is not allowed inside HTML


def _plain(label):
    """A label that matplotlib does not read as mathematics."""
    return (label if len(label) <= 40 else label[:39] + "…").replace("$", r"\$")
