"""Pages of one file: HTML from the templates beside this module, everything inside, nothing fetched."""

import pathlib
import re

import jinja2
from markupsafe import Markup

from trainer.report import charts

_UNSHOWABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def page(template, **values):
    """The text of a page; values are escaped, but for the charts of `chart`."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(pathlib.Path(__file__).parent),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": _percent, "thousands": _thousands, "size": _size, "duration": _duration}
    return _UNSHOWABLE.sub("\ufffd", environment.get_template(template).render(**values))


def chart(draw, *args, title, **kwargs):
    """A figure of trainer.report.figures for a page."""
    return Markup(charts.svg(draw, *args, title=title, **kwargs))


def _percent(share, digits=1):
    return f"{share:.{digits}%}"


def _thousands(number):
    return f"{number:,.0f}"


def _size(count):
    """Bytes as people say them."""
    for unit, power in (("GB", 30), ("MB", 20), ("KB", 10)):
        if count >= 1 << power:
            return f"{count / (1 << power):.1f} {unit}"
    return f"{count} bytes"


def _duration(seconds):
    """Seconds as people say them."""
    if seconds < 100:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
