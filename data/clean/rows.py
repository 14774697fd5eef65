"""Rows of a file with the very characters they were read from: what is not changed is written back as it was."""

import codecs
import dataclasses

from data.blemishes import has_undecoded, mend_undecoded
from trainer.config import UserError
from trainer.inputs.columns import kind_of, unknown_column
from trainer.inputs.readers import READERS, open_text, whole_gzip


@dataclasses.dataclass
class Row:
    """raw: all of the row, line end and blank lines before it; cells: {column: str}, None of what cannot be read and of
    what is no row (is_header: the header, a byte order mark, blank lines in the end)."""

    line: int
    raw: str
    cells: dict | None
    is_header: bool = False


class Tape:
    """The lines of an open file, which remembers those that were read since they were last taken.

    encoding: how bytes that are no UTF-8 are read; "" leaves them. mended: callable (line, before, after) for those.
    """

    def __init__(self, file, encoding, mended):
        self.file, self.encoding, self.mended = file, encoding, mended
        self.held, self.line = [], 1

    def __iter__(self):
        for part in self.file:
            if self.encoding and has_undecoded(part):
                before, part = part, mend_undecoded(part, self.encoding)
                if part != before:
                    self.mended(self.line, before, part)
            self.held.append(part)
            self.line += part.endswith("\n")
            yield part

    def take(self):
        """What was read since the last call."""
        taken, self.held = "".join(self.held), []
        return taken


def read_rows(path, columns, encoding="", mended=lambda line, before, after: None):
    """Yields each Row of a file; of .csv and .tsv first the header, as a Row without cells.

    Args:
        columns: names that a row must have. encoding, mended: see Tape.

    Raises:
        UserError: a column that is missing, two of one name.
    """
    kind = kind_of(path)
    header = columns if kind == ".jsonl" else None
    with whole_gzip(path), open_text(path) as file:
        if file.buffer.peek(len(codecs.BOM_UTF8)).startswith(codecs.BOM_UTF8):
            yield Row(1, "\ufeff", None, is_header=True)
        tape, faults = Tape(file, encoding, mended), []

        def fault(found):
            if found.kind == "columns" and header is None:
                raise UserError(f"{path}:{found.line}: {found.message}")
            if found.kind != "encoding":  # such a row comes all the same
                faults.append(Row(found.line, tape.take(), None))

        for line, cells in READERS[kind](tape, header, fault):
            yield from _emptied(faults)
            if header is None:
                header = _checked(path, line, cells, columns)
                yield Row(line, tape.take(), None, is_header=True)
            else:
                yield Row(line, tape.take(), dict(zip(header, cells, strict=True)))
        yield from _emptied(faults)
        if rest := tape.take():  # blank lines
            yield Row(tape.line, rest, None, is_header=True)


def _checked(path, line, header, columns):
    missing = next((column for column in columns if column not in header), None)
    if missing is not None:
        raise UserError(f"{path}:{line}: {unknown_column(missing, header)}")
    return header


def _emptied(faults):
    while faults:
        yield faults.pop(0)
