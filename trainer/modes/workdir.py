"""The folder of a run: its flags, what it learned, what it wrote; one process at a time, one set of flags."""

import contextlib
import dataclasses
import fcntl
import json
import os
import pathlib
import time

from trainer import flagfile
from trainer.config import FREE_TO_CHANGE, UserError

FLAGS, TASK, RESULTS, MANIFEST, LOCK = "flags.txt", "task.json", "results.json", "manifest.json", ".lock"
DOCTOR = "doctor.json"  # what the doctor found at the start, as python -m data.doctor --json has it
_UNTRAINED = "--workdir={}: nothing was trained here; run --mode=train first"


class Workdir:
    """Paths and small files of one run; `with open_workdir(config) as workdir` locks it."""

    def __init__(self, path):
        self.path = pathlib.Path(path)

    def __truediv__(self, name):
        return self.path / name

    def read(self, name):
        """A JSON file of the workdir as a dict; {} where there is none yet."""
        path = self.path / name
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}

    def write(self, name, content):
        """Writes a JSON file whole: a reader sees the old one or the new one."""
        write_whole(self.path / name, json.dumps(content, indent=1, ensure_ascii=False) + "\n")

    def merge(self, name, content):
        """Replaces the given keys of a JSON file, keeps the others, and returns the result."""
        merged = self.read(name) | content
        self.write(name, merged)
        return merged

    def task_file(self):
        """task.json of a trained run. Raises UserError where nothing was trained here."""
        if not (self.path / TASK).is_file():
            raise UserError(_UNTRAINED.format(self.path))
        return self.read(TASK)


@contextlib.contextmanager
def open_workdir(config, create=False):
    """The Workdir of --workdir, held by this process alone.

    Args:
        create: bool; whether the folder may be made, and with --overwrite moved aside first.

    Raises:
        UserError: it belongs to other flags, is in use, or does not exist.
    """
    path = pathlib.Path(config.run.workdir)
    if not create and not path.is_dir():
        raise UserError(f"--workdir={path}: no such folder; run --mode=train first")
    if not create and not (path / FLAGS).is_file():
        raise UserError(_UNTRAINED.format(path))
    if create and config.run.overwrite and path.is_dir():
        _check_movable(path)
        with _locked(path):
            _move_aside(path)
    make_folder(path, "--workdir")
    with _locked(path):
        _check_flags(path, config)
        if create:
            for leftover in path.glob(".*.*"):  # of a run that was killed while it wrote
                leftover.unlink()
            write_whole(path / FLAGS, _replayable(config))
        yield Workdir(path)


def make_folder(path, flag):
    """Makes the folder that `flag` names; UserError where a file stands in its place."""
    path = pathlib.Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        file = next(place for place in (path, *path.parents) if place.exists())
        raise UserError(f"{flag}={path}: {file} is a file; give a folder") from error


def write_whole(path, content):
    """Text, or bytes, to a file by one rename, so that a kill leaves the old or the new content."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(partial, "wb") as file:
            file.write(content.encode("utf-8") if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def existing_parent(path):
    """The folder at `path`, or the nearest one above it that exists already."""
    path = pathlib.Path(path).absolute()
    while not path.is_dir():
        path = path.parent
    return path


@contextlib.contextmanager
def _locked(path):
    with open(path / LOCK, "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UserError(f"--workdir={path} is in use by another run; wait for it, or give another one") from error
        yield


def _replayable(config):
    """The flags of a run as a flagfile; given again it continues the run and never overwrites it."""
    return flagfile.render(dataclasses.replace(config, run=dataclasses.replace(config.run, overwrite=False)))


def _check_movable(path):
    """Raises UserError where --overwrite would move a folder that never was a workdir, or the one we are in."""
    path = path.resolve()
    if pathlib.Path.cwd().is_relative_to(path):
        raise UserError(f"--overwrite: {path} holds the current folder; give the command from elsewhere")
    if not (path / FLAGS).is_file() and any(other.name != LOCK for other in path.iterdir()):
        raise UserError(f"--overwrite: {path} is no workdir (it has no {FLAGS}); give another --workdir")


def _move_aside(path):
    path = path.resolve()
    aside = path.with_name(f"{path.name}.{time.strftime('%Y%m%d-%H%M%S')}")
    number = 1
    while aside.exists():
        number += 1
        aside = aside.with_name(f"{path.name}.{time.strftime('%Y%m%d-%H%M%S')}-{number}")
    path.rename(aside)


def _check_flags(path, config):
    """Refuses a workdir whose run had other flags than these, naming those that differ.

    A run that stopped before its first checkpoint has nothing to lose: its flags may be mended and given again.
    """
    if not (path / FLAGS).is_file() or not any((path / "checkpoints").glob("*.safetensors")):
        return
    before = flagfile.values((path / FLAGS).read_text(encoding="utf-8"))
    now = flagfile.values(flagfile.render(config))
    differ = [name for name in now if name in before and name not in FREE_TO_CHANGE and now[name] != before[name]]
    if differ:
        shown = ", ".join(f"--{name}={now[name]} (was {before[name]})" for name in differ[:5])
        more = f" and {len(differ) - 5} more" if len(differ) > 5 else ""
        raise UserError(
            f"--workdir={path} belongs to a run with other flags: {shown}{more}; "
            f"give --flagfile={path / FLAGS}, another --workdir, or --overwrite to train anew"
        )
