"""Of which files one source of rows consists: one file, those that a pattern matches, the shards of a split."""

import glob
import os
import pathlib

from trainer.config import TFDS, UserError
from trainer.inputs import hf_folder


def opened(given, tfds_dir=""):
    """The source that a flag names: itself, but for tfds:NAME@SPLIT, which is looked for in `tfds_dir`."""
    if not str(given).startswith(TFDS):
        return given
    from trainer.inputs import tfds_source

    return tfds_source.one_split(given, tfds_dir)


def parts_of(source):
    """The parts of a source in the order of their rows; each is what sources.read_rows takes.

    Args:
        source: a path; a pattern as `logs/*.jsonl` (`**` for all folders below); the folder of one split of Hugging
            Face `datasets`; tfds:NAME@SPLIT; a list of paths; a tfds_source.Split.

    Raises:
        UserError: the pattern matches no file, or a part is missing.
    """
    if isinstance(source, (list, tuple)):
        return list(source)
    if not isinstance(source, (str, os.PathLike)):
        return [source]
    if str(source).startswith(TFDS):
        return [opened(str(source))]
    path = pathlib.Path(os.path.expanduser(source))
    if hf_folder.is_split(path):
        return hf_folder.files(path)
    return _matches(path) if is_pattern(path) else [path]


def is_pattern(source):
    """Whether a path that does not exist as it stands is a pattern for many."""
    return glob.has_magic(str(source)) and not os.path.exists(source)


def _matches(pattern):
    found = sorted(path for path in glob.glob(str(pattern), recursive=True) if os.path.isfile(path))
    if not found:
        raise UserError(f"{pattern}: no file matches this pattern; quote it, or the shell takes it apart")
    return [pathlib.Path(path) for path in found]
