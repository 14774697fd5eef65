"""The report as one HTML page that asks nobody for anything: pictures, styles and all."""

import pathlib

import jinja2

from data.doctor import shown
from data.doctor.pictures import pictures
from data.whole_file import whole_file


def write(report, path):
    """Writes the page of a Report to `path`, whole or not at all."""
    with whole_file(path) as beside:
        beside.write_text(render(report), encoding="utf-8")


def render(report):
    """The page of a Report as text."""
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    template = environment.from_string(pathlib.Path(__file__).with_name("page.html").read_text(encoding="utf-8"))
    title = ", ".join(pathlib.Path(file["path"]).name for file in report.files)
    return template.render(report=report, title=title, verdict=shown.verdict(report), pictures=pictures(report))
