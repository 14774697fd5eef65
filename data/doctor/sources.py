"""Which files are examined, under which columns, and as which split."""

import os
import pathlib

from data.doctor.rows import SPLITS, Source
from data.doctor.similar import MOST_FILES
from trainer.config import CARRIED, TFDS, DataConfig, UserError, carried_path
from trainer.inputs import hf_folder
from trainer.inputs.columns import RECORDS, SUFFIXES, kind_of, stem_of
from trainer.inputs.parts import is_pattern, parts_of
from trainer.inputs.sources import read_rows
from trainer.inputs.split_sources import ALL, NAMES, split_sources


class _Refused(Exception):
    pass


def find_sources(given, columns, cache):
    """[Source] of all that is given, splits of one data set in the order train, dev, test.

    Args:
        given: what --data takes: files, folders, quoted patterns, tfds:NAME, pip:NAME of a fetched data set.
        columns: names of the text, pair and label column; "" for none. A name may be several with commas between
            them: each file has the first of them that it holds.

    Raises:
        UserError: no such file, a kind that is not known, no tables in a folder, a file given twice, too many files.
    """
    found = [each for name in given for each in _found(name, cache)]
    paths = [str(path) for path, _, _ in found]
    twice = next((path for path in paths if paths.count(path) > 1), None)
    if twice:
        raise UserError(f"{twice} is given twice; give every file once")
    if len(paths) > MOST_FILES:
        raise UserError(f"{len(paths)} files; at most {MOST_FILES} are compared at once")
    for path, _, _ in found:
        holds_column(path, "")  # no such file, or one of an unknown kind, is said before any is read
    return [Source(str(path), *choose(path, columns), split, group, path) for path, split, group in found]


def choose(path, columns):
    """Of each of `columns`, the first of its names that a file holds; the first name where it holds none."""
    chosen = []
    for names in columns:
        several = [names, *names.split(",")] if "," in names else []  # a column may have a comma in its name
        chosen.append(next((name for name in several if holds_column(path, name)), names.partition(",")[0]))
    return chosen


def holds_column(path, column):
    """Whether the first row that can be read has this column."""

    def refuse(fault):
        if fault.kind == "columns":
            raise _Refused

    try:
        next(read_rows(path, [column], refuse), None)
    except _Refused:
        return False
    return True


def split_of(path):
    """train, dev or test by the name of a file, else None."""
    return next((split for split, stems in NAMES.items() if stem_of(path) in stems), None)


def _found(given, cache):
    """[(what read_rows takes, its split or None, the data set that it belongs to), …]."""
    path = carried_path(given, cache) if given.startswith(CARRIED) else pathlib.Path(os.path.expanduser(given))
    if given.startswith(CARRIED) and not path.is_dir():
        raise UserError(f"{given}: not in the cache ({path}); to fetch it, run: python -m data.fetch")
    is_one_file = not (given.startswith(TFDS) or path.is_dir() or is_pattern(path))
    tables = [path] if is_one_file else _tables(path) if path.is_dir() else []
    if is_one_file or (tables and not any(map(split_of, tables))):
        return [(table, split_of(table), str(table.parent)) for table in tables]
    data_set = DataConfig(data=given if given.startswith(TFDS) else str(path))
    splits = split_sources(data_set, cache)
    return [
        (part, None if split == ALL else split, given)
        for split in (ALL, *SPLITS)
        if split in splits
        for part in parts_of(splits[split])
    ]


def _tables(folder):
    """The files of a folder that hold rows; none where it is one data set of Hugging Face `datasets`."""
    if hf_folder.is_dict(folder) or hf_folder.is_split(folder):
        return []
    return sorted(other for other in folder.iterdir() if kind_of(other) in (*SUFFIXES, *RECORDS))
