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
        content = json.loads(row.raw, strict=False)
        content.update({column: row.cells[column] for column in changed})
        text = json.dumps(content, ensure_ascii=False)
        # an escape may spell half a surrogate pair, which UTF-8 cannot hold
        return json.dumps(content) if _HALVES.search(text) and not has_undecoded(row.raw) else text
    if kind == ".tsv":
        return "\t".join(row.cells.values())
    out = io.StringIO()
    csv.writer(out, lineterminator=_CRLF).writerow(row.cells.values())  # without CRLF it leaves line breaks unquoted
    return out.getvalue().removesuffix(_CRLF)


class _Gzip(gzip.GzipFile):
    # without name and time: the same rows make the same file
    def __init__(self, raw):
        super().__init__(filename="", mode="wb", fileobj=raw, mtime=0)
        self.raw_file = raw

    def close(self):
        super().close()
        self.raw_file.close()
