"""Which source holds which split's rows: what --data names, before any row is read."""

import os
import pathlib

from trainer.config import CARRIED, TFDS, UserError, carried_path
from trainer.inputs import hf_folder
from trainer.inputs.columns import NESTED, RECORDS, SUFFIXES, TAGGED, kind_of, nearest, shard_of, stem_of
from trainer.inputs.parts import is_pattern

NAMES = {"train": ("train",), "dev": ("dev", "validation", "valid", "val"), "test": ("test",)}
ALL = "all"  # the name of rows that are yet to be split


def split_sources(data_config, cache_dir):
    """{split: source}, or {ALL: source} of rows that are yet to be split; a source is what read_table takes."""
    given = data_config.data
    if given.startswith(TFDS):
        from trainer.inputs import tfds_source

        return _known_splits(tfds_source.all_splits(given, data_config.tfds_dir), given, "@" in given)
    path = data_path(given, cache_dir)
    if hf_folder.is_dict(path):
        return _known_splits(hf_folder.splits(path), given)
    if path.is_dir() and not hf_folder.is_split(path):
        return find_files(path)
    return {ALL: path}


def _known_splits(found, given, is_one=False):
    """{split: source} of a data set's own splits; a data set that has nothing but train is split as one file is."""
    first = {name: next((own for own in names if own in found), None) for name, names in NAMES.items()}
    known = {name: found[own] for name, own in first.items() if own is not None}
    if is_one or (set(known) == {"train"} and len(found) == 1):
        return {ALL: next(iter(found.values()))}
    if "train" not in known:
        way = f"; give one of them to split, as in {given}@{next(iter(found), '')}" if given.startswith(TFDS) else ""
        raise UserError(f"--data={given}: no split 'train' among {', '.join(found)}{way}")
    return known


def data_path(given, cache_dir):
    """The folder, file or pattern for many files that --data names."""
    if not given:
        raise UserError("--data is empty: give a folder with train, dev and test files, or one file")
    if not given.startswith(CARRIED):
        path = pathlib.Path(os.path.expanduser(given))
        if not os.path.exists(path) and not is_pattern(path):
            raise UserError(f"--data={given}: no such file or folder; give one that exists")
        return path
    path = carried_path(given, cache_dir)
    if not path.exists():
        there = [CARRIED + other.name for other in path.parent.iterdir()] if path.parent.is_dir() else []
        near = nearest(given, there)
        hint = f"did you mean {near}? Else" if near else "to fetch it,"
        raise UserError(f"--data={given}: not in the cache ({path}); {hint} run: python -m data.fetch")
    return path


def find_files(folder):
    """{"train": path, …} of a folder's files for each split; a list of shards. Raises UserError without train."""
    found = _of_kinds(folder, (*SUFFIXES, *TAGGED, *NESTED, *RECORDS))
    if "train" not in found:
        found = _of_kinds(folder, (".txt",))  # texts alone, where there is nothing else
    if "train" not in found:
        there = ", ".join(path.name for path in _listed(folder)[:10]) or "nothing"
        kinds = ",".join((*SUFFIXES, *TAGGED, *NESTED, *RECORDS))
        raise UserError(f"{folder}: no train{{{kinds}}} (the first five also .gz); the folder holds {there}")
    return {name: _whole(folder, paths, name) for name, paths in found.items()}


def _of_kinds(folder, kinds):
    """{split: [path, …]} of a folder's files of these kinds."""
    found = {}
    for path in _listed(folder):
        name = next((name for name, stems in NAMES.items() if stem_of(path) in stems), None)
        if name is not None and kind_of(path) in kinds:
            found.setdefault(name, []).append(path)
    return found


def _listed(folder):
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise UserError(f"{folder}: {error.strerror or error}; give a folder that can be read") from error


def _whole(folder, paths, name):
    """The one file of a split, or its shards. Raises UserError for two files, and where a shard is missing."""
    shards = [shard_of(path) for path in paths]
    if shards == [None]:
        return paths[0]
    series = [(stem_of(path), shard and shard[1]) for path, shard in zip(paths, shards, strict=True)]
    other = next((i for i in range(1, len(paths)) if series[i] != series[0] or shards[i] in shards[:i]), 0)
    if other:
        raise UserError(f"{folder}: both {paths[0].name} and {paths[other].name} could be {name}; keep one of them")
    count = shards[0][1]
    missing = next((number for number in range(count) if (number, count) not in shards), None)
    if missing is not None:
        raise UserError(f"{folder}: {name} has {len(shards)} of {count} shards; number {missing:05} is missing")
    return paths
