"""From one file to the next: rows mended, left out or passed on as they are, and every change in a log."""

import collections
import json
import pathlib

from data.clean.drops import Drops, TwoLabels, near_keys
from data.clean.repairs import Repairs, usual_spellings
from data.clean.rows import read_rows
from data.clean.writer import blank_lines, open_output, written
from data.doctor.sources import choose
from data.progress import Progress
from data.whole_file import check_place, whole_file
from trainer.config import UserError
from trainer.inputs.columns import kind_of

_NEED_LABELS = frozenset(["labels", "contradictions", "unlabelled"])


class Cleaning:
    """Reads a file once, and before that where the whole of it decides what happens to a row.

    Args:
        path: pathlib.Path. columns: names of the text, pair and label column; see data.doctor.sources.choose.
        fixes, drops: names of FIXES and DROPS. encoding: how bytes that are no UTF-8 are read.
        leaked_from: files whose texts must not occur.
    """

    def __init__(self, path, columns, fixes=(), drops=(), encoding="cp1252", leaked_from=()):
        text, pair, label = choose(path, columns)
        self.path, self.fixes, self.drops = path, fixes, drops
        self.texts = [text, *([pair] if pair else [])]
        self.label = label if _NEED_LABELS & {*fixes, *drops} else ""
        if not label and _NEED_LABELS & {*fixes, *drops}:
            raise UserError("--label_column is empty, but what is asked for needs labels")
        self.columns = [*self.texts, *([self.label] if self.label else [])]
        self.encoding = encoding if "encoding" in fixes else ""
        self.leaked = set()
        for file in leaked_from:
            self.leaked |= near_keys(file, choose(file, columns[: len(self.texts)]))

    def write(self, output, log_path):
        """Writes the cleaned file and its log, both whole or not at all; returns the figures of the Log."""
        repairs, drops = self._decided()
        progress = Progress(f"cleaning {self.path}", 0, unit="rows")
        with (
            whole_file(output) as beside,
            whole_file(log_path) as log_beside,
            open_output(beside) as out,
            open(log_beside, "w", encoding="utf-8", errors="backslashreplace") as log_file,
        ):
            log = Log(log_file)
            for row in read_rows(self.path, self.columns, self.encoding, log.mended):
                out.write(self._passed_on(row, repairs, drops, log))
                progress.reach(log.rows)
            if log.rows and log.rows == log.unreadable:
                raise UserError(f"{self.path}: not one row could be read; are --text_column and --label_column right?")
        if progress.live:  # else the result would be printed over it
            progress.close()
        return log.figures()

    def _passed_on(self, row, repairs, drops, log):
        """What becomes of a Row; "" of one that is left out."""
        if row.is_header:
            return row.raw
        log.rows += 1
        log.unreadable += not row.cells
        changes = repairs.apply(row.cells) if row.cells else []
        reason = drops.reason(row.cells) if row.cells else "malformed" if "malformed" in self.drops else ""
        if reason:
            log.dropped_row(row, reason)
            return blank_lines(row)
        for change in changes:
            log.fixed_cell(row, *change)
        return written(row, self.path, {column for _, column, *_ in changes}) if changes else row.raw

    def _decided(self):
        """(Repairs, Drops), once it is known how labels are spelt and which texts have two."""
        counts, two = collections.Counter(), TwoLabels(self.texts, self.label)
        if "labels" in self.fixes:
            counts.update(row.cells[self.label] for row in self._rows())
        repairs = Repairs(self.fixes, self.texts, self.label, usual_spellings(counts), kind_of(self.path) == ".tsv")
        if "contradictions" in self.drops:
            for row in self._rows():
                repairs.apply(row.cells)
                two.see(row.cells)
        return repairs, Drops(self.drops, self.texts, self.label, self.leaked, two.against)

    def _rows(self):
        return (row for row in read_rows(self.path, self.columns, self.encoding) if row.cells)


class Log:
    """One JSON object a change: line, what, column, before, after (null: the row was left out); and their counts."""

    def __init__(self, file):
        self.file, self.rows, self.unreadable = file, 0, 0
        self.fixed, self.dropped = collections.Counter(), collections.Counter()

    def fixed_cell(self, row, what, column, before, after):
        self._note(row.line, what, column, before, after)

    def mended(self, line, before, after):
        """Bytes of a line that were no UTF-8 are characters now."""
        self._note(line, "encoding", None, before, after)

    def dropped_row(self, row, reason):
        self.dropped[reason] += 1
        self._write(row.line, f"drop:{reason}", None, row.raw, None)

    def figures(self):
        """{"rows", "written", "unreadable", "fixed": {fix: cells}, "dropped": {reason: rows}}."""
        kept = self.rows - sum(self.dropped.values())
        found = {"rows": self.rows, "written": kept, "unreadable": self.unreadable}
        return found | {"fixed": dict(self.fixed), "dropped": dict(self.dropped)}

    def _note(self, line, what, *rest):
        self.fixed[what] += 1
        self._write(line, what, *rest)

    def _write(self, line, what, column, before, after):
        entry = {"line": line, "what": what, "column": column, "before": before, "after": after}
        self.file.write(json.dumps(entry, ensure_ascii=False) + "\n")


def check_paths(path, output, log_path):
    """Raises UserError unless `path` is a table, and `output` one of its kind that may be written."""
    path, output = pathlib.Path(path), pathlib.Path(output)
    if not path.is_file():
        raise UserError(f"{path}: no such file; give one that exists")
    if kind_of(output) != kind_of(path):
        raise UserError(f"--output={output}: the format stays the same; give a name that ends in {kind_of(path)}")
    check_place(output)
    for file in (output, pathlib.Path(log_path)):
        if file.exists():
            raise UserError(f"--output={output}: {file} is there already; give another name, or move it away")
