"""Charts as matplotlib figures, drawn alike for TensorBoard (pixels) and for pages (SVG)."""

import contextlib
import io
import re
import warnings

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from trainer.report import fonts

INK, MUTED, LINE = "#1b1f24", "#59636e", "#d1d9e0"
SERIES = ("#1f6feb", "#bf5700", "#1a7f37", "#8250df", "#cf222e", "#0e7c86", "#9a6700", "#bc4c91", "#57606a")
# In a page these colours follow its light or dark theme.
_VARIABLES = {INK: "--ink", MUTED: "--muted", LINE: "--line"} | {c: f"--series-{i}" for i, c in enumerate(SERIES)}
_STYLE = {
    "font.size": 9,
    "axes.edgecolor": LINE,
    "axes.labelcolor": MUTED,
    "axes.titlecolor": INK,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "text.color": INK,
    "text.parse_math": False,  # a dollar in a label is a dollar
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "svg.fonttype": "none",  # text stays text: the browser has fonts for it, and readers can search it
    "figure.constrained_layout.use": True,
}


@contextlib.contextmanager
def canvas(width, height, families=(fonts.DEFAULT,)):
    """A Figure of inches in our style, drawn within the block; no state of pyplot is touched."""
    with matplotlib.rc_context(_STYLE | {"font.family": list(families)}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # of SVG, whose text the browser draws
        figure = Figure(figsize=(width, height))
        FigureCanvasAgg(figure)
        yield figure


def pixels(draw, *args, **kwargs):
    """`draw(…)`, one of the functions of trainer.report.figures, as `<uint8>[1, height, width, 3]`."""
    with draw(*args, **kwargs) as figure:
        figure.set_dpi(110)
        figure.canvas.draw()
        return np.asarray(figure.canvas.buffer_rgba())[None, :, :, :3].copy()


def svg(draw, *args, title, **kwargs):
    """`draw(…)` as an `<svg>` element with an accessible title, for a page that names the colours' variables."""
    out = io.StringIO()
    with draw(*args, **kwargs) as figure, matplotlib.rc_context({"svg.hashsalt": title}):
        empty = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(out, format="svg", transparent=True, metadata=empty)
    text = out.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<style.*?</style>", "", text, flags=re.S)  # it would hold for the whole page
    text = re.sub(r' style="[^"]*"', lambda style: _themed(style[0]), text)
    return text.replace("<svg ", f'<svg role="img" aria-label="{_attribute(title)}" ', 1)


def _themed(style):
    """A style attribute whose colours are the page's, and whose text has the page's font."""
    for colour, variable in _VARIABLES.items():
        style = style.replace(colour, f"var({variable})")
    return re.sub(r"font-family: [^;\"]*;? ?", "", style)


def _attribute(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
