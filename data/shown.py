"""The tables that `python -m data.fetch` prints."""

import sys

from rich.console import Console
from rich.table import Table

SPLITS = ("train", "dev", "test")


def print_tables(found, file=None):
    """Prints what lies in the cache and, for data sets, rows per split and label; `found` as --json has it."""
    stream = file or sys.stdout
    # Elsewhere than on a terminal nothing is folded: a path must stay one word.
    console = Console(file=stream, width=None if stream.isatty() else 200, highlight=False)
    console.print(folders(found))
    for entry in found:
        if "rows" in entry:
            console.print(row_table(entry))


def folders(found):
    """Table of one row per fetched folder."""
    table = Table("name", "state", "MB", "licence", "from", "folder")
    for entry in found:
        package = f"{entry['package']}=={entry['version']}"
        megabytes = f"{entry['bytes'] / 1e6:.1f}"
        table.add_row(entry["name"], entry["state"], megabytes, entry["licence"], package, entry["folder"])
    return table


def row_table(entry):
    """Table of rows per split and label, with sums."""
    rows = entry["rows"]
    labels = sorted({label for counts in rows.values() for label in counts})
    table = Table(f"{entry['name']}: rows", *labels, "all")
    for column in table.columns[1:]:
        column.justify = "right"
    for split in SPLITS:
        counts = [rows[split].get(label, 0) for label in labels]
        table.add_row(split, *map(str, counts), str(sum(counts)))
    sums = [sum(rows[split].get(label, 0) for split in SPLITS) for label in labels]
    table.add_row("all", *map(str, sums), str(sum(sums)))
    return table
