"""Rows as an aligned table for a terminal, whatever the texts hold."""

import unicodedata

_WIDEST = 60  # columns of one cell


def table_of(rows):
    """Lines of a table of dicts with the same keys; a nested dict becomes `a 0.9  b 0.1`. "" for no rows."""
    if not rows:
        return ""
    names = list(rows[0])
    cells = [names] + [[_cell(row[name]) for name in names] for row in rows]
    widths = [max(map(_width, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(cell + " " * (width - _width(cell)) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    )


def _cell(value):
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4f}"
    if isinstance(value, list):
        return _shorten(f"[{' '.join(map(_cell, value))}]")
    if isinstance(value, dict):
        best = sorted(value.items(), key=lambda item: -item[1])
        return _shorten("  ".join(f"{_printable(name)} {_cell(part)}" for name, part in best))
    return _shorten(_printable(str(value)))


def _printable(text):
    """`text` with control, format and surrogate characters escaped: a terminal obeys some of them."""
    return "".join(char if char == " " or char.isprintable() else ascii(char)[1:-1] for char in text)


def _width(text):
    """Columns that a terminal gives `text`: two for East Asian wide characters, none for combining marks."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def _shorten(text):
    if _width(text) <= _WIDEST:
        return text
    kept, width = [], 0
    for char in text:
        width += _width(char)
        if width > _WIDEST - 1:
            break
        kept.append(char)
    return "".join(kept) + "…"
