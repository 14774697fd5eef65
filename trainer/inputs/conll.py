"""Rows of .conll files: a word and its tag a line, an empty line behind each text.

Columns stand between tabs, or white space where there is no tab; the word is the first, the tag the last. Lines of
`-DOCSTART-` part documents and are no text.
"""

import json

from trainer.inputs.readers import Fault, lines_of, open_text
from trainer.inputs.span_column import SpanColumn
from trainer.inputs.tags import spans_of_tags, text_of_words

_DOCUMENT = "-DOCSTART-"


def read(path, wanted, fault):
    """Yields (line where a text begins, cells): the text, and its spans as JSON for a SpanColumn among `wanted`."""
    if [column for column in wanted[1:] if not isinstance(column, SpanColumn)]:
        fault(Fault(1, "columns", "a .conll file has words and tags, for --task=tagging, and no other columns"))
        return
    with open_text(path) as file:
        for line, rows in _texts(file, fault):
            try:
                yield line, [_cell(rows, column) for column in wanted]
            except ValueError as error:
                fault(Fault(line, "tag", f"in the text that begins here, {error}"))


def _texts(file, fault):
    """Yields (first line, [[cell of each column] of each word])."""
    first, rows = 1, []
    for number, text in enumerate(lines_of(file, fault), 1):
        row = text.split("\t") if "\t" in text else text.split()
        row = [cell.strip() for cell in row]
        if not any(row) or row[0] == _DOCUMENT:
            if rows:
                yield first, rows
            rows = []
        elif rows and len(row) != len(rows[0]):
            fault(Fault(number, "fields", f"{len(row)} columns where the text's first word has {len(rows[0])}"))
        else:
            first = first if rows else number
            rows.append(row)
    if rows:
        yield first, rows


def _cell(rows, column):
    text, bounds = text_of_words([row[0] for row in rows])
    if not isinstance(column, SpanColumn):
        return text
    if len(rows[0]) < 2:
        raise ValueError("each line must have a word and a tag; this one has a word alone")
    return json.dumps(spans_of_tags([row[-1] for row in rows], bounds, column.scheme), ensure_ascii=False)
