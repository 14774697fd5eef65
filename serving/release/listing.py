"""What is and what was under model_base_path, as rows and as a table."""

import os

from serving.release import base_path as folder
from serving.release import history, source

_COLUMNS = ("version", "present", "action", "time", "who", "fingerprint", "reason")


def versions(base_path):
    """One dict per version, oldest first: its last entry of the history, and whether its folder is present."""
    folder.check_there(base_path)
    rows = {each["version"]: dict(each) for each in history.read(base_path)}
    present = folder.numbers_present(base_path)
    for number, name in present.items():
        unknown = {"version": number, "fingerprint": source.fingerprint(os.path.join(base_path, name))}
        rows.setdefault(number, unknown)
    return [row | {"present": number in present} for number, row in sorted(rows.items())]


def table(rows):
    """The rows as aligned text; fingerprints shortened."""
    if not rows:
        return "no version was ever published here"
    lines = [_COLUMNS] + [tuple(_cell(row, column) for column in _COLUMNS) for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = [[cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines]
    return "\n".join("  ".join(cells).rstrip() for cells in padded)


def _cell(row, column):
    value = row.get(column)
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = " ".join(str("-" if value in (None, "") else value).split())
    return text[:19] if column == "fingerprint" else text
