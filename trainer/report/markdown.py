"""Markdown tables whose cells may hold any text: pipes, tags, backticks, line breaks."""

import re

_SPECIAL = re.compile(r"([\\`*_\[\]])")  # within a line: what begins a block never stands at the beginning of one
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;", "~": "&#126;"})


def escaped(text):
    """A text that Markdown shows as it stands, on one line; line breaks become ⏎, other control characters �."""
    text = re.sub(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]", " ⏎ ", str(text)).replace("\t", " ")
    text = re.sub(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]", "\ufffd", text)
    return _SPECIAL.sub(r"\\\1", text).translate(_ENTITIES)


def table(columns, rows):
    """A Markdown table; `rows`: sequences of values, escaped here."""
    lines = [columns, ["---"] * len(columns), *([escaped(value) for value in row] for row in rows)]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)
