"""Labelled text of a file, or of many, as Tables: all of it, or in chunks of bounded size.

Labels are stripped of white space round them; texts are kept as they are, empty ones too.
"""

import dataclasses
import importlib
import itertools
import os
import pathlib
import tempfile
from collections.abc import Sequence

import numpy as np

from trainer.config import EnvironmentFault, UserError
from trainer.inputs.columns import NESTED, RECORDS, SUFFIXES, TAGGED, kind_of, nearest
from trainer.inputs.parts import parts_of
from trainer.inputs.readers import READERS, open_text, whole_gzip
from trainer.inputs.stored_texts import StoredTexts

# Each has read(path, wanted, fault), and libraries that are imported only where such a file is read.
_OWN_READERS = {
    ".conll": "trainer.inputs.conll",
    ".json": "trainer.inputs.squad",
    ".parquet": "trainer.inputs.parquet",
    ".arrow": "trainer.inputs.arrow",
    ".tfrecord": "trainer.inputs.tfrecord",
    ".tfrecords": "trainer.inputs.tfrecord",
}


@dataclasses.dataclass(frozen=True)
class Table:
    """Rows of one source, or some of them.

    texts, pairs: sequences of str, lists or StoredTexts. labels: one str object for each label that there is.
    path: the source. lines: `<int64>[rows]`, where each row begins in its file: a line, or the number of a record.
    files: the file of each row, or None where that is `path`.
    """

    texts: Sequence
    pairs: Sequence | None
    labels: list | None
    path: str
    lines: np.ndarray
    files: list | None = None

    def __len__(self):
        return len(self.texts)

    def where(self, row):
        """`file:line` of a row, for error messages."""
        return f"{self.files[row] if self.files else self.path}:{self.lines[row]}"

    def take(self, rows):
        """The rows with these indices, in this order."""

        rows = np.asarray(rows, np.int64)
        columns = (_picked(values, rows) for values in (self.texts, self.pairs, self.labels))
        return Table(*columns, self.path, self.lines[rows], _picked(self.files, rows))


def read_table(source, text_column="text", pair_column="", label_column="label", need_labels=True, empty=False):
    """All rows of a source as a Table; `pairs` is None without `pair_column`, `labels` is None unless `need_labels`.

    Texts that fill more than a chunk go to a temporary file. A .txt file, one text a line, has no columns and can only
    be predicted. Raises UserError, with file:line; EnvironmentFault where the temporary file cannot be written.

    Args:
        source: what parts.parts_of takes: a file, a pattern for many, tfds:NAME@SPLIT, …
        empty: whether a label may be.
    """
    return _joined(read_chunks(source, text_column, pair_column, label_column, need_labels, empty=empty), source)


def read_chunks(
    source, text_column="text", pair_column="", label_column="label", need_labels=True, size=10_000, empty=False
):
    """The same as Tables of at most `size` rows of one file each, read as they are asked for; at least one."""
    columns = [text_column, *([pair_column] if pair_column else []), *([label_column] if need_labels else [])]
    parts, some = parts_of(source), False
    for part in parts:
        rows = read_rows(part, columns)
        while chunk := list(itertools.islice(rows, size)):
            some = True
            yield _table(part, chunk, bool(pair_column), need_labels, empty)
    if not some:
        what = "is empty" if len(parts) == 1 and not _opened_size(parts[0]) else "holds no rows"
        raise UserError(f"{named(source)}: {what}; give a file with rows of text")


def read_rows(source, columns, faults=None):
    """Yields (line, [cell of each of `columns`]) of a file or tfds_source.Split, as they stand there.

    Args:
        faults: callable that is told, as a Fault, of each row that cannot be read, which is then left out; of a row
            that is not UTF-8 it is told, and the row comes all the same, its bad bytes as U+DC80 to U+DCFF. None: the
            first fault ends it.

    Raises:
        UserError: with file:line for a row; no such file, not a whole .gz, a kind that is not known.
    """
    if hasattr(source, "rows"):
        yield from source.rows(columns, faults or _refusing(source))
        return
    path = pathlib.Path(os.path.expanduser(source))
    fault = faults or _refusing(path)
    try:
        kind = _readable_kind(path, columns)
        with whole_gzip(path):
            if kind in _OWN_READERS:
                yield from importlib.import_module(_OWN_READERS[kind]).read(path, columns, fault)
            else:
                with open_text(path) as file:
                    yield from READERS[kind](file, columns, fault)
    except OSError as error:
        raise UserError(f"{path}: {error.strerror or error}; give a file that can be read") from error


def named(source):
    """What a source is called in messages."""
    if isinstance(source, (list, tuple)):
        return f"{source[0]} … {source[-1]}" if len(source) > 1 else str(source[0])
    return str(source)


def _refusing(path):
    def refuse(fault):
        raise UserError(f"{path}:{fault.line}: {fault.message}")

    return refuse


def _readable_kind(path, columns):
    kind = kind_of(path)
    if path.is_dir():
        raise UserError(f"{path}: this is a folder; give a file")
    if not os.path.exists(path):
        raise UserError(f"{path}: no such file{_near_file(path)}")
    if kind == ".txt" and len(columns) > 1:
        raise UserError(
            f"{path}: a .txt file has only texts, no columns; give {', '.join(SUFFIXES)} or one of them as .gz"
        )
    if not kind:
        raise UserError(
            f"{path}: unknown kind of file; allowed are {', '.join((*READERS, *TAGGED, *NESTED))} (each also with "
            f".gz), {', '.join(RECORDS)}"
        )
    return kind


def _table(path, rows, has_pairs, has_labels, empty_labels):
    lines, cells = np.array([line for line, _ in rows], np.int64), [cells for _, cells in rows]
    labels = [row[-1].strip() for row in cells] if has_labels else None
    table = Table([row[0] for row in cells], [row[1] for row in cells] if has_pairs else None, labels, str(path), lines)
    empty = next((i for i, label in enumerate(labels or ()) if not label), None)
    if empty is not None and not empty_labels:
        raise UserError(f"{table.where(empty)}: the label is empty; every row needs one")
    return table


def _joined(chunks, source):
    """One Table of all chunks; a single one stays as it is, in memory."""
    first = next(chunks)
    second = next(chunks, None)
    if second is None:
        return first
    whole, lines, files, known = _empty_like(first), [], [], {}
    for chunk in itertools.chain((first, second), chunks):
        for name in ("texts", "pairs"):
            _extend(getattr(whole, name), getattr(chunk, name))
        if chunk.labels is not None:
            whole.labels.extend(known.setdefault(label, label) for label in chunk.labels)
        lines.append(chunk.lines)
        files += [chunk.path] * len(chunk)
    paths = set(files)
    place = {"path": paths.pop(), "files": None} if len(paths) == 1 else {"path": named(source), "files": files}
    return dataclasses.replace(whole, lines=np.concatenate(lines), **place)


def _empty_like(table):
    """A Table without rows whose columns grow: those of `table`, texts in a file."""
    pairs = None if table.pairs is None else StoredTexts()
    labels = None if table.labels is None else []
    return Table(StoredTexts(), pairs, labels, table.path, table.lines[:0])


def _extend(stored, texts):
    if stored is None:
        return
    try:
        stored.extend(texts)
    except OSError as error:
        raise EnvironmentFault(
            f"{tempfile.gettempdir()}: {error.strerror or error}; texts are kept there: free some space, or set TMPDIR"
        ) from error


def _picked(values, rows):
    """The values with these indices `<int64>[…]`; None of None."""
    if values is None:
        return None
    return values.take(rows) if hasattr(values, "take") else [values[row] for row in rows]


def _near_file(path):
    if not path.parent.is_dir():
        return f", nor a folder {path.parent}"
    near = nearest(path.name, [other.name for other in path.parent.iterdir() if kind_of(other)])
    return f"; did you mean {path.parent / near}?" if near else "; give one that exists"


def _opened_size(part):
    if hasattr(part, "rows") or kind_of(part) in RECORDS:
        return 1  # a file without rows is no empty file
    with open_text(pathlib.Path(os.path.expanduser(part))) as file:
        return len(file.read(4096).strip())
