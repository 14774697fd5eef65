"""Writes rows back in the format they came in: an unchanged one as it was, a changed one as that format has it."""

import csv
import gzip
import io
import json
import re

from data.blemishes import has_undecoded
from trainer.inputs.columns import kind_of

_CRLF = "\r\n"
_LINE_END = re.compile(r"\r?\n\Z")
_BLANK_LINES = re.compile(r"(?:[ \t]*\r?\n)*")
_SPACE = " \t\r\n"
_JSON_SPACE = re.compile(f"[{_SPACE}]*")
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?")
_HALVES = re.compile("[\ud800-\udfff]")


def open_output(path):
    """A text file to write to, gzipped by its name; bytes that were no UTF-8 are written as they were."""
    raw = open(path, "wb")
    if path.name.lower().endswith(".gz"):
        raw = _Gzip(raw)
    return io.TextIOWrapper(raw, encoding="utf-8", errors="surrogateescape", newline="", write_through=False)


def written(row, path, changed):
    """The characters of a Row whose cells in the columns `changed` were."""
    end = _LINE_END.search(row.raw)
    return blank_lines(row) + _cells(row, path, changed) + (end[0] if end else "")


def blank_lines(row):
    """Those before a Row: they stay, whatever becomes of it."""
    return _BLANK_LINES.match(row.raw)[0]


def _cells(row, path, changed):
    kind = kind_of(path)
    if kind == ".jsonl":
        return _json(row, changed)
    if kind == ".tsv":
        return "\t".join(row.cells.values())
    out = io.StringIO()
    csv.writer(out, lineterminator=_CRLF).writerow(row.cells.values())  # without CRLF it leaves line breaks unquoted
    return out.getvalue().removesuffix(_CRLF)


def _json(row, changed):
    """The object of a Row with new values in the columns `changed`; all else stays as it is written."""
    raw = row.raw.strip()
    for column, (start, end) in sorted(_places(raw).items(), key=lambda item: -item[1][0]):
        if column in changed:
            raw = raw[:start] + _value(row.cells[column], raw[start:end], has_undecoded(row.raw)) + raw[end:]
    return raw


def _places(raw):
    """{key: (start, end)} of the values of a JSON object that is known to be one; of a repeated key the last."""
    found, decoder, at = {}, json.JSONDecoder(strict=False), raw.index("{") + 1
    while raw[at:].lstrip(_SPACE + ",").startswith('"'):
        key, at = decoder.raw_decode(raw, raw.index('"', at))
        start = _JSON_SPACE.match(raw, raw.index(":", at) + 1).end()
        _, at = decoder.raw_decode(raw, start)
        found[key] = (start, at)
    return found


def _value(cell, before, undecoded):
    """The JSON of a cell; of one that was a number, and still is, a number."""
    if not before.startswith('"') and _NUMBER.fullmatch(cell):
        return cell
    text = json.dumps(cell, ensure_ascii=False)
    # an escape may spell half a surrogate pair, which UTF-8 cannot hold
    return json.dumps(cell) if _HALVES.search(text) and not undecoded else text


class _Gzip(gzip.GzipFile):
    # without name and time: the same rows make the same file
    def __init__(self, raw):
        super().__init__(filename="", mode="wb", fileobj=raw, mtime=0)
        self.raw_file = raw

    def close(self):
        super().close()
        self.raw_file.close()
