"""A file that is there whole or not at all: written beside its place, synced, then renamed."""

import contextlib
import os
import pathlib

from trainer.config import UserError


@contextlib.contextmanager
def whole_file(path):
    """A path beside `path` to write to; what is there when the block ends takes its name, on an error nothing does."""
    path = check_place(path)
    beside = path.with_name(f".{os.getpid()}.{path.name}")  # the ending stays: it says how the file is written
    try:
        yield beside
        with open(beside, "rb") as file:
            os.fsync(file.fileno())
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def check_place(path):
    """The path of a file to be written. Raises UserError where its folder is missing, or a folder stands there."""
    path = pathlib.Path(path)
    if not path.parent.is_dir():
        raise UserError(f"{path}: no folder {path.parent}; make it first")
    if path.is_dir():
        raise UserError(f"{path}: this is a folder; give a file")
    return path
