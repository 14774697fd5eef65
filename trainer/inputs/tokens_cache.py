"""Token ids on disk: one file per list of texts, found again by what the ids depend on, mapped instead of read.

A file is whole or not there: it is written beside and renamed. Its layout: ids, padding to eight bytes, starts, first,
truncated (see TokenIds), then a footer with the counts and the checksum of all that stands before it.
"""

import contextlib
import hashlib
import importlib.metadata
import json
import os
import pathlib
import secrets
import struct
import sys
import time
import zlib

import numpy as np

from trainer.inputs import tokens as tokens_lib
from trainer.inputs.tokens import TokenIds, encodable

_SUFFIX = ".tokens"
_FOOTER = struct.Struct("<8sQQI4x")
_MAGIC = b"slipway1"
_ABANDONED_SECONDS = 3600.0  # since a run last wrote to a file that is not whole
_LIBRARIES = ("tensorflow", "tensorflow-text", "keras-hub")
_PIECE = 1 << 20  # bytes that are checked together


class TokensCache:
    """Files of token ids up to `limit_mb`; beyond it those go that were not used for longest.

    A file that goes while it is mapped stays readable to the process that mapped it.
    """

    def __init__(self, folder, limit_mb):
        self.folder = pathlib.Path(folder)
        self.limit = limit_mb << 20

    def key(self, preprocess, texts, pairs=None):
        """A name for all that the ids depend on: texts, vocabulary, longest input, and the code that tokenizes."""
        digest = hashlib.sha256()
        settings = [preprocess.fingerprint, preprocess.sequence_length, pairs is not None, _code(preprocess)]
        digest.update(json.dumps(settings).encode())
        for column in (texts, pairs or ()):
            for text in column:
                raw = encodable(text)
                digest.update(b"%d:" % len(raw) + raw)
        return digest.hexdigest()

    def find(self, key):
        """TokenIds of a file that is there and whole, else None; a spoilt one is deleted."""
        path = self._path(key)
        try:
            found = _opened(np.memmap(path, np.uint8, mode="r"))
        except OSError:  # not there, or not to be read now, which does not make it spoilt
            return None
        except ValueError:  # an empty file
            found = None
        with contextlib.suppress(OSError):  # a folder that others fill may be read all the same
            if found is None:
                path.unlink()
            else:
                os.utime(path)
        return found

    def keep(self, key, write):
        """TokenIds mapped from a new file.

        Args:
            write: callable that gives arrays of ids to the callable that it gets, and returns starts, first and
                truncated of their rows.

        Raises:
            OSError: the folder cannot be written, or is full; nothing is left there.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._sweep()
        partial = self.folder / f".{key}.{secrets.token_hex(4)}"  # two machines may share the folder
        try:
            with open(partial, "w+b") as file:
                _fill(file, write)
                os.replace(partial, self._path(key))
                mapped = np.memmap(file, np.uint8, mode="r")
        finally:
            partial.unlink(missing_ok=True)
        self._trim()
        return _views(mapped)

    def _path(self, key):
        return self.folder / (key + _SUFFIX)

    def _trim(self):
        """Deletes the files that were not used for longest, until the others fit the limit."""
        entries = sorted(self._stats(f"*{_SUFFIX}"), key=lambda entry: -entry[1].st_mtime_ns)
        size = 0
        for path, stat in entries:
            size += stat.st_size
            if size > self.limit:
                _remove(path)

    def _sweep(self):
        """Deletes what runs that were killed left half-written."""
        for path, stat in self._stats(".*.*"):
            if stat.st_mtime < time.time() - _ABANDONED_SECONDS:
                _remove(path)

    def _stats(self, pattern):
        for path in self.folder.glob(pattern):
            with contextlib.suppress(FileNotFoundError):  # another run may delete it meanwhile
                yield path, path.stat()


def _remove(path):
    with contextlib.suppress(OSError):  # another user's in a shared folder, or gone already
        path.unlink()


def _code(preprocess):
    """`sha256` over the source of what turns text into ids, and over the libraries that it calls."""
    modules = {type(preprocess).__module__, type(preprocess.tokenizer).__module__, tokens_lib.__name__}
    digest = hashlib.sha256(str([_version(name) for name in _LIBRARIES]).encode())
    for name in sorted(modules):
        digest.update(pathlib.Path(sys.modules[name].__file__).read_bytes())
    return digest.hexdigest()


def _version(distribution):
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:  # TensorFlow for TPU goes by another name
        return ""


def _fill(file, write):
    checksum, size = 0, 0

    def append(array):
        nonlocal checksum, size
        raw = memoryview(np.ascontiguousarray(array)).cast("B")
        checksum, size = zlib.crc32(raw, checksum), size + len(raw)
        file.write(raw)

    starts, first, truncated = write(append)
    append(np.zeros(-size % 8, np.uint8))
    for array, kind in ((starts, np.int64), (first, np.int32), (truncated, np.uint8)):
        append(array.astype(kind))
    file.write(_FOOTER.pack(_MAGIC, len(first), int(starts[-1]), checksum))
    file.flush()
    os.fsync(file.fileno())


def _opened(mapped):
    """TokenIds of a mapped file, or None where its size or its checksum is wrong."""
    body = len(mapped) - _FOOTER.size
    if body < 0:
        return None
    magic, rows, count, checksum = _FOOTER.unpack(mapped[body:].tobytes())
    if magic != _MAGIC or body != _places(rows, count)[-1]:
        return None
    found = 0
    for start in range(0, body, _PIECE):
        found = zlib.crc32(mapped[start : min(start + _PIECE, body)], found)
    return _views(mapped, reused=True) if found == checksum else None


def _views(mapped, reused=False):
    plain = mapped.view(np.ndarray)  # slices of a memmap are slow
    _, rows, count, _ = _FOOTER.unpack(plain[-_FOOTER.size :].tobytes())
    ids, starts, first, truncated = _places(rows, count)
    return TokenIds(
        plain[: 4 * count].view(np.int32),
        plain[ids:starts].view(np.int64),
        plain[starts:first].view(np.int32),
        plain[first:truncated].view(bool),
        reused,
    )


def _places(rows, count):
    """Where ids with their padding, starts, first and truncated end in a file of `count` ids in `rows` rows."""
    ids = 4 * count + -4 * count % 8
    starts = ids + 8 * (rows + 1)
    return ids, starts, starts + 4 * rows, starts + 5 * rows
