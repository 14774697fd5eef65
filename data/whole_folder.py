"""A folder that is there whole or not at all: filled beside its place, synced, then renamed."""

import contextlib
import os
import pathlib
import secrets
import shutil

from trainer.config import UserError


@contextlib.contextmanager
def whole_folder(path, replace=False):
    """A folder beside `path` to fill; when the block ends it takes that name, on an error nothing does.

    replace: whether a folder that stands there gives way. Raises UserError where something else stands there.
    """
    path = check_place(path, replace)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}-{os.getpid()}")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir()
    try:
        yield beside
        _sync(beside)
        _rename(beside, path)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def check_place(path, replace=False):
    """The path of a folder to be written. Raises UserError where something stands there that is not to give way."""
    path = pathlib.Path(path)
    if path.exists() and not path.is_dir():
        raise UserError(f"{path}: this is a file; give a folder")
    if path.is_dir() and not replace and any(path.iterdir()):
        raise UserError(f"{path}: this folder holds files already; give another, or move it away")
    return path


def _rename(beside, path):
    """Whoever looks sees the old folder, none for a moment, or the new one; never half of one."""
    aside = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    if path.is_dir():
        os.rename(path, aside)
    os.rename(beside, path)
    shutil.rmtree(aside, ignore_errors=True)


def _sync(folder):
    for path in (*folder.rglob("*"), folder):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
