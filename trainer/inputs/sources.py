"""Reads labelled text from .csv, .tsv, .jsonl (each also .gz) and, for prediction, .txt.

CSV is RFC 4180: a quoted field may hold commas, quotes and line breaks. TSV has no quoting at all: a quote is a
character of the text, a row is a line (as in GLUE). JSONL has one object per line; numbers and booleans are taken as
they are written (1.0 is "1.0", true is "true"). All are UTF-8, with or without a byte order mark; blank lines between
rows are skipped. Labels are stripped of white space round them; texts are kept as they are, empty ones too.
"""

import csv
import dataclasses
import difflib
import gzip
import json
import os
import pathlib
import re
import zlib

import numpy as np

from trainer.config import UserError

SUFFIXES = (".csv", ".tsv", ".jsonl")
_FIELD_LIMIT = 2**31 - 1  # csv's own limit is 131,072 characters, less than a long document
# Some writers leave a lone CR unquoted, where csv.reader sees the end of a row: it travels as half a surrogate pair,
# which no UTF-8 file can hold.
_LONE_CR, _CR = re.compile("\r(?!\n)"), "\udc0d"


@dataclasses.dataclass(frozen=True)
class Table:
    """Rows of one file, or some of them; `lines`: <int64>[rows], where each row begins in `path`."""

    texts: list
    pairs: list | None
    labels: list | None
    path: str
    lines: np.ndarray

    def __len__(self):
        return len(self.texts)

    def where(self, row):
        """`file:line` of a row, for error messages."""
        return f"{self.path}:{self.lines[row]}"

    def take(self, rows):
        """The rows with these indices, in this order."""

        def pick(values):
            return None if values is None else [values[row] for row in rows]

        lines = self.lines[np.asarray(rows, np.int64)]
        return Table(pick(self.texts), pick(self.pairs), pick(self.labels), self.path, lines)


def read_table(path, text_column="text", pair_column="", label_column="label", need_labels=True):
    """All rows of a file as a Table; `pairs` is None without `pair_column`, `labels` is None unless `need_labels`.

    A .txt file, one text a line, has no columns and can only be predicted. Raises UserError, with file:line.
    """
    path = pathlib.Path(os.path.expanduser(path))
    columns = [text_column, *([pair_column] if pair_column else []), *([label_column] if need_labels else [])]
    try:
        rows = list(_rows(path, columns, need_labels))
    except UnicodeDecodeError as error:
        raise UserError(f"{path}:{_undecodable_line(path)}: not UTF-8; save the file as UTF-8") from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UserError(f"{path}: not a whole gzip file: {error}") from error
    except OSError as error:
        raise UserError(f"{path}: {error.strerror or error}; give a file that can be read") from error
    if not rows:
        raise UserError(
            f"{path}: {'holds no rows' if _opened_size(path) else 'is empty'}; give a file with rows of text"
        )
    return _table(path, rows, bool(pair_column), need_labels)


def kind_of(path):
    """`.csv`, `.tsv`, `.jsonl` or `.txt` of a file name, `.gz` taken off; "" for any other."""
    name = pathlib.Path(path).name.lower().removesuffix(".gz")
    return next((suffix for suffix in (*SUFFIXES, ".txt") if name.endswith(suffix)), "")


def nearest(word, known):
    """The known word that looks most like `word`, or None; case does not count."""
    folded = {other.casefold(): other for other in reversed(list(known))}
    near = difflib.get_close_matches(word.casefold(), folded, n=1)
    return folded[near[0]] if near else None


def _table(path, rows, has_pairs, has_labels):
    lines, cells = np.array([line for line, _ in rows], np.int64), [cells for _, cells in rows]
    labels = [row[-1].strip() for row in cells] if has_labels else None
    table = Table([row[0] for row in cells], [row[1] for row in cells] if has_pairs else None, labels, str(path), lines)
    empty = next((i for i, label in enumerate(labels or ()) if not label), None)
    if empty is not None:
        raise UserError(f"{table.where(empty)}: the label is empty; every row needs one")
    return table


def _rows(path, columns, need_labels):
    """Yields (line, the cells of `columns`) by the file's kind."""
    kind = kind_of(path)
    if path.is_dir():
        raise UserError(f"{path}: this is a folder; give a file")
    if not os.path.exists(path):
        raise UserError(f"{path}: no such file{_near_file(path)}")
    if kind == ".txt" and (need_labels or len(columns) > 1):
        raise UserError(
            f"{path}: a .txt file has only texts, no columns; give {', '.join(SUFFIXES)} or one of them as .gz"
        )
    readers = {".csv": _read_csv, ".tsv": _read_tsv, ".jsonl": _read_jsonl, ".txt": _read_txt}
    if kind not in readers:
        raise UserError(f"{path}: unknown kind of file; allowed are {', '.join(readers)}, each also with .gz")
    with _open(path) as file:
        yield from readers[kind](file, path, columns)


def _open(path):
    # newline="": line ends stay as they are, as the csv module needs and as texts should keep them
    opener = gzip.open if path.name.lower().endswith(".gz") else open
    return opener(path, "rt", encoding="utf-8-sig", newline="")


def _read_csv(file, path, columns):
    csv.field_size_limit(_FIELD_LIMIT)
    reader = csv.reader((_LONE_CR.sub(_CR, line) for line in _whole_lines(file)), strict=True)
    cells, line = None, 1
    try:
        for row in reader:
            if row and cells is None:
                cells = _Cells([name.replace(_CR, "\r") for name in row], columns, path, line)
            elif row:
                yield line, [cell.replace(_CR, "\r") for cell in cells.pick(row, line)]
            line = reader.line_num + 1
    except csv.Error as error:
        reason = "a quote is opened and never closed" if "end of data" in str(error) else str(error)
        raise UserError(f"{path}:{line}: not CSV (RFC 4180) in the row that begins here: {reason}") from error


def _read_tsv(file, path, columns):
    cells = None
    for line, text in enumerate(_whole_lines(file), 1):
        row = text.rstrip("\n").removesuffix("\r")
        if not row:
            continue
        if cells is None:
            cells = _Cells(row.split("\t"), columns, path, line)
        else:
            yield line, cells.pick(row.split("\t"), line)


def _read_jsonl(file, path, columns):
    decoder = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=lambda name: None, strict=False)
    for line, text in enumerate(_whole_lines(file), 1):
        if not text.strip():
            continue
        row = _json_object(decoder, text, f"{path}:{line}", columns[0])
        yield line, [_json_cell(row, column, f"{path}:{line}") for column in columns]


def _json_object(decoder, text, where, column):
    try:
        row = decoder.decode(text)
    except json.JSONDecodeError as error:
        raise UserError(f"{where}: not JSON at character {error.colno}: {error.msg}") from error
    except RecursionError as error:
        raise UserError(f"{where}: not JSON that can be read: nested too deeply") from error
    if not isinstance(row, dict):
        raise UserError(f'{where}: not a JSON object; every line must be {{"{column}": …}}')
    return row


def _json_cell(row, column, where):
    if column not in row:
        raise UserError(f"{where}: {unknown_column(column, list(row))}")
    value = row[column]
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        kind = "null" if value is None else "an array" if isinstance(value, list) else "an object"
        raise UserError(f"{where}: column '{column}' is {kind}; it must be a string")
    return _whole_characters(value)


def _whole_characters(text):
    """JSON escapes can spell half a surrogate pair, which UTF-8 cannot hold: it becomes U+FFFD."""
    try:
        text.encode("utf-8")
        return text
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _read_txt(file, path, columns):
    for line, text in enumerate(_whole_lines(file), 1):
        yield line, [text.rstrip("\n").removesuffix("\r")]


def _whole_lines(file):
    """Lines that end in a line feed and nowhere else, as editors count them: text files also split at a lone CR."""
    held = []
    for part in file:
        held.append(part)
        if part.endswith("\n"):
            yield "".join(held)
            held = []
    if held:
        yield "".join(held)


class _Cells:
    """Picks the wanted cells of each row, by the positions that the header gives."""

    def __init__(self, header, columns, path, line):
        self.path, self.width = path, len(header)
        if any("\r" in name for name in header):
            raise UserError(f"{path}:{line}: the lines end in CR alone, as on old Macs; save with LF or CRLF line ends")
        for column in columns:
            if header.count(column) > 1:
                raise UserError(f"{path}:{line}: two columns are called '{column}'; rename one of them")
            if column not in header:
                raise UserError(f"{path}:{line}: {unknown_column(column, header)}")
        self.places = [header.index(column) for column in columns]

    def pick(self, row, line):
        if len(row) != self.width:
            more = "few" if len(row) < self.width else "many"
            raise UserError(
                f"{self.path}:{line}: too {more} fields: {len(row)} where the header has {self.width}{self._hint()}"
            )
        return [row[place] for place in self.places]

    def _hint(self):
        if kind_of(self.path) == ".tsv":
            return "; TSV has no quoting, so texts with tabs or line breaks need CSV or JSONL"
        return "; a text with commas or line breaks must stand in double quotes"


def unknown_column(column, known):
    """What to say of a column that a file does not have: the nearest name, then all of them."""
    near = nearest(column, known)
    listed = ", ".join(f"'{name[:40]}'" for name in known[:20]) + (", …" if len(known) > 20 else "")
    hint = f"; did you mean '{near}'?" if near else ""
    if len(known) == 1 and any(mark in known[0] for mark in ";\t|"):
        hint = "; the columns seem to be separated by something else than the file's ending says"
    return f"no column '{column}'{hint} (columns: {listed})"


def _near_file(path):
    if not path.parent.is_dir():
        return f", nor a folder {path.parent}"
    near = nearest(path.name, [other.name for other in path.parent.iterdir() if kind_of(other)])
    return f"; did you mean {path.parent / near}?" if near else ""


def _undecodable_line(path):
    opener = gzip.open if path.name.lower().endswith(".gz") else open
    with opener(path, "rb") as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                return number
    return number


def _opened_size(path):
    with _open(path) as file:
        return len(file.read(4096).strip())
