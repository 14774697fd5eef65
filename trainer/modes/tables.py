"""Results on stdout: a table for people, or one JSON object with --json."""

import json

import rich.box
import rich.console
import rich.measure
import rich.table

_UNLIMITED = 10_000  # characters


def show(config, title, rows, result):
    """Prints `rows` (pairs of texts) under `title`, or `result` as JSON where --json was given."""
    if config.run.json:
        print(json.dumps(result, ensure_ascii=False))
        return
    table, found = two_columns(title, rows), console()
    if not found.is_terminal:  # where no window limits them, a path and a command stay in one piece, however long
        unlimited = found.options.update_width(_UNLIMITED)
        found.width = max(found.width, rich.measure.Measurement.get(found, unlimited, table).maximum)
    found.print(table)


def two_columns(title, rows):
    """A table of pairs of texts."""
    table = rich.table.Table(title=title, title_justify="left", show_header=False, box=rich.box.SIMPLE)
    for name, value in rows:
        table.add_row(str(name), str(value))
    return table


def console():
    """Standard output, never narrower than a table needs where it is no terminal."""
    found = rich.console.Console(highlight=False, markup=False)
    return found if found.is_terminal else rich.console.Console(width=120, highlight=False, markup=False)
