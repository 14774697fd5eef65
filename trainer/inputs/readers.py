"""Reads rows, one at a time, from .csv, .tsv, .jsonl and .txt files, each also .gz.

CSV is RFC 4180: a quoted field may hold commas, quotes and line breaks. TSV has no quoting at all: a quote is a
character of the text, a row is a line (as in GLUE). JSONL has one object per line; numbers and booleans are taken as
they are written (1.0 is "1.0", true is "true"). All are UTF-8, with or without a byte order mark; blank lines between
rows are skipped.

Each reader takes an open file, the wanted columns (None, of .csv and .tsv: all of them, under a first row that is the
header) and `fault`, a callable that is told of each row that cannot be read
and may raise to end it there; it yields (line where the row begins, the cells of the wanted columns).
"""

import contextlib
import csv
import dataclasses
import gzip
import json
import re
import zlib

from trainer.config import UserError
from trainer.inputs.cells import as_text, not_utf8
from trainer.inputs.columns import Columns, unknown_column

_FIELD_LIMIT = 2**31 - 1  # csv's own limit is 131,072 characters, less than a long document
# Some writers leave a lone CR unquoted, where csv.reader sees the end of a row: it travels as half a surrogate pair,
# which no UTF-8 file can hold.
_LONE_CR, _CR = re.compile("\r(?!\n)"), "\udc0d"


@dataclasses.dataclass(frozen=True)
class Fault:
    """A row that cannot be read. kind: encoding, columns, fields, csv, json or value; message: in one line."""

    line: int
    kind: str
    message: str


def open_text(path):
    """A file of any kind as text; bytes that are not UTF-8 come as lone surrogates U+DC80 to U+DCFF."""
    # newline="": line ends stay as they are, as the csv module needs and as texts should keep them
    opener = gzip.open if path.name.lower().endswith(".gz") else open
    return opener(path, "rt", encoding="utf-8-sig", errors="surrogateescape", newline="")


@contextlib.contextmanager
def whole_gzip(path):
    """Turns what a spoilt or cut .gz raises into a UserError."""
    try:
        yield
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UserError(f"{path}: not a whole gzip file: {error}") from error


def read_csv(file, wanted, fault):
    """Rows of RFC 4180; what follows a quote that is never closed cannot be read."""
    csv.field_size_limit(_FIELD_LIMIT)
    reader = csv.reader((_LONE_CR.sub(_CR, line) for line in lines_of(file, fault)), strict=True)
    columns, line = None, 1
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            reason = "a quote is opened and never closed" if "end of data" in str(error) else str(error)
            fault(Fault(line, "csv", f"not CSV (RFC 4180) in the row that begins here: {reason}"))
            row = []
        if row is None:
            return
        row = [cell.replace(_CR, "\r") for cell in row]
        if row and columns is None:
            columns = _header(row, wanted, line, fault, "a text with commas or line breaks must stand in double quotes")
            if columns is None:
                return
            if wanted is None:
                yield line, row
        elif row:
            yield from _picked(columns, row, line, fault)
        line = reader.line_num + 1


def read_tsv(file, wanted, fault):
    """Rows of one line each, cells between tabs, no quoting."""
    columns = None
    for line, text in enumerate(lines_of(file, fault), 1):
        row = text.rstrip("\n").removesuffix("\r")
        if not row:
            continue
        if columns is None:
            hint = "TSV has no quoting, so texts with tabs or line breaks need CSV or JSONL"
            columns = _header(row.split("\t"), wanted, line, fault, hint)
            if columns is None:
                return
            if wanted is None:
                yield line, row.split("\t")
        else:
            yield from _picked(columns, row.split("\t"), line, fault)


def read_jsonl(file, wanted, fault):
    """One object a line."""
    decoder = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=lambda name: None, strict=False)
    for line, text in enumerate(lines_of(file, fault), 1):
        if not text.strip():
            continue
        try:
            row = _json_object(decoder, text, wanted[0])
        except ValueError as error:
            fault(Fault(line, "json", str(error)))
            continue
        try:
            cells = [_json_cell(row, column) for column in wanted]
        except ValueError as error:
            fault(Fault(line, "value" if set(wanted) <= set(row) else "columns", str(error)))
            continue
        yield line, cells


def read_txt(file, wanted, fault):
    """A text a line: no columns, whatever the name of the wanted one."""
    for line, text in enumerate(lines_of(file, fault), 1):
        yield line, [text.rstrip("\n").removesuffix("\r")]


READERS = {".csv": read_csv, ".tsv": read_tsv, ".jsonl": read_jsonl, ".txt": read_txt}


def _header(row, wanted, line, fault, hint):
    try:
        return Columns(row, row if wanted is None else wanted, hint)
    except ValueError as error:
        fault(Fault(line, "columns", str(error)))
        return None


def _picked(columns, row, line, fault):
    try:
        yield line, columns.pick(row)
    except ValueError as error:
        fault(Fault(line, "fields", str(error)))


def _json_object(decoder, text, column):
    try:
        row = decoder.decode(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON at character {error.colno}: {error.msg}") from error
    except RecursionError as error:
        raise ValueError("not JSON that can be read: nested too deeply") from error
    if not isinstance(row, dict):
        raise ValueError(f'not a JSON object; every line must be {{"{column}": …}}')
    return row


def _json_cell(row, column):
    if column not in row:
        raise ValueError(unknown_column(column, list(row)))
    return as_text(row[column], column)


def lines_of(file, fault):
    """Lines that end in a line feed and nowhere else, as editors count them: text files also split at a lone CR."""
    number, held = 1, []
    for part in file:
        held.append(part)
        if part.endswith("\n"):
            yield _decoded("".join(held), number, fault)
            number, held = number + 1, []
    if held:
        yield _decoded("".join(held), number, fault)


def _decoded(line, number, fault):
    if not_utf8(line):
        fault(Fault(number, "encoding", "not UTF-8; save the file as UTF-8"))
    return line
