"""--mode=compare: trained workdirs side by side."""

import pathlib
import sys

import rich.box
import rich.table

from trainer.config import UserError
from trainer.modes import tables
from trainer.modes.workdir import make_folder, write_whole
from trainer.report import comparison

_MOST_LABELS = 20


def run(config):
    """Compares the workdirs of --compare; nothing in them is touched."""
    found = comparison.compare(config.compare.workdirs())
    output = config.compare.compare_output
    if output:
        _write(pathlib.Path(output), found)
    for warning in found["warnings"]:
        print(f"warning: {warning}", file=sys.stderr)
    if config.run.json:
        tables.show(config, "", [], found)
        return 0
    for table in _tables(found):
        tables.console().print(table)
    if output:
        print(f"page: {output}", file=sys.stderr)
    return 0


def _write(output, found):
    if output.is_dir():
        raise UserError(f"--compare_output={output} is a folder; give a file")
    make_folder(output.parent, "--compare_output")
    write_whole(output, comparison.html(found))


def _tables(found):
    names = list(found["runs"])
    if found["flags"]:
        yield _table("flags that differ", ["", *names], [(f"--{name}", *each) for name, each in found["flags"].items()])
    yield _table("scores", ["", *names], [(name, *map(_number, each)) for name, each in found["metrics"].items()])
    if found["labels"]:
        labels = [(row["label"], *map(_number, row["f1"]), _number(row["difference"])) for row in found["labels"]]
        title = "F1 by label" + (f", {_MOST_LABELS} of {len(labels)}" if len(labels) > _MOST_LABELS else "")
        yield _table(title, ["", *names, "difference"], labels[:_MOST_LABELS])
    figures, data = found["figures"], found["data"]
    rows = [(key, *(_number(figures[name][key]) for name in names)) for key in figures[names[0]]]
    yield _table("figures", ["", *names], rows)
    splits = dict.fromkeys(split for name in names for split in data[name]["rows"])
    rows = [(f"{split} rows", *(str(data[name]["rows"].get(split, "–")) for name in names)) for split in splits]
    yield _table("data", ["", *names], [*rows, ("fingerprint", *(data[name]["fingerprint"][:19] for name in names))])
    columns = ["", "rows", "both right", "only the first", "only the second", "both wrong", "McNemar's p"]
    yield _table("same rows, different answers", columns, list(map(_pair, found["pairs"])))


def _pair(pair):
    counts = (str(pair[key]) for key in ("rows", "both_right", "only_first", "only_second", "both_wrong"))
    p = "no row in common" if pair["p_value"] is None else f"{pair['p_value']:.3g}"
    return (" / ".join(pair["runs"]), *counts, p)


def _number(value):
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.4f}" if 1e-3 <= abs(value) < 100 or value == 0 else f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _table(title, columns, rows):
    table = rich.table.Table(title=title, title_justify="left", box=rich.box.SIMPLE)
    for place, column in enumerate(columns):
        table.add_column(column, justify="right" if place else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table
