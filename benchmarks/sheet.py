"""What a benchmark leaves behind: one table, its notes, a JSON file and a picture, with the machine and its load."""

import dataclasses
import importlib.metadata
import json
import os
import pathlib
import platform
import sys

import rich.box
import rich.table
from absl import flags

from benchmarks.quality_run import ROOT, machine
from trainer.modes.tables import console

FLAGS = flags.FLAGS
PACKAGES = ("tensorflow", "keras", "numpy", "protobuf", "grpcio", "pyarrow")


def define_flags():
    """Where a Sheet goes."""
    flags.DEFINE_string("output", str(ROOT / "benchmarks/results"), "Folder of the JSON file and the picture.")
    flags.DEFINE_bool("json", False, "Print one JSON object instead of the table.")
    for name in ("output", "json"):  # --help of the benchmark shows them as its own
        FLAGS.register_key_flag_for_module(sys.argv[0], FLAGS[name])


@dataclasses.dataclass
class Sheet:
    """One benchmark's findings. Made before anything is measured: it looks at the load of the machine then.

    name: of the files. title, heads, rows: the table, cells as they are printed. figures: what the JSON file holds.
    met: {claim: whether the run bears it out}. notes: lines below the table.
    """

    name: str
    title: str
    heads: tuple = ()
    rows: list = dataclasses.field(default_factory=list)
    figures: dict = dataclasses.field(default_factory=dict)
    met: dict = dataclasses.field(default_factory=dict)
    notes: list = dataclasses.field(default_factory=list)
    load: float = dataclasses.field(default_factory=lambda: os.getloadavg()[0])

    def publish(self, draw):
        """Prints the table (with --json: one object), keeps the JSON file and the picture.

        draw: callable that draws on the axes that it gets.
        """
        stem = pathlib.Path(FLAGS.output) / self.name
        stem.parent.mkdir(parents=True, exist_ok=True)
        result = {"benchmark": self.name, "figures": self.figures, "met": self.met, "notes": self.notes}
        result |= {"versions": versions(), "machine": f"{machine()}; {self._loads()}"}
        kept = json.dumps(result, ensure_ascii=False, indent=1)
        stem.with_suffix(".json").write_text(kept, encoding="utf-8")
        self._draw(stem.with_suffix(".png"), draw, result["machine"])
        if FLAGS.json:
            print(json.dumps(result, ensure_ascii=False))
        else:
            self._print(result, stem)

    def _loads(self):
        return f"load {self.load:.2f} before, {os.getloadavg()[0]:.2f} after"

    def _print(self, result, stem):
        found = console()
        table = rich.table.Table(title=self.title, title_justify="left", box=rich.box.SIMPLE)
        for number, head in enumerate(self.heads):
            table.add_column(head, justify="right" if number else "left")
        for row in self.rows:
            table.add_row(*row)
        found.print(table)
        for claim, holds in self.met.items():
            found.print(f"{'reached' if holds else 'NOT reached'}: {claim}")
        for note in self.notes:
            found.print(note)
        found.print(", ".join(f"{name} {version}" for name, version in result["versions"].items()))
        found.print(result["machine"])
        found.print(f"kept: {stem}.json, {stem}.png")

    def _draw(self, path, draw, machine):
        from trainer.report.charts import canvas

        with canvas(8, 4.5) as figure:
            draw(figure.subplots())
            figure.suptitle(self.title, fontsize=11)
            figure.supxlabel(machine, fontsize=7)
            figure.savefig(path, dpi=150)


def versions():
    """{package: version} of what the figures depend on, Python first."""
    return {"python": platform.python_version()} | {name: importlib.metadata.version(name) for name in PACKAGES}


def spread_text(figures, scale=1.0, digits=2):
    """`median (min–max)` of a spread as `paired.spread` gives it."""
    return "{:.{d}f} ({:.{d}f}–{:.{d}f})".format(*(figures[k] * scale for k in ("median", "min", "max")), d=digits)
