"""A file of texts too large for memory: read once to count and check its rows, then again in chunks."""

import hashlib

from trainer.config import UserError
from trainer.inputs.sources import read_chunks

_CHECKED_ROWS = 10_000  # that are in memory at once while the file is counted


class TextFile:
    """Every row of a file has been read when this is made, so that a fault in its last line costs no work before it.

    rows: int. fingerprint: str, of the cells themselves: the same rows in another kind of file have the same one.

    Args:
        path, text_column, pair_column: as in trainer.inputs.sources.read_chunks, which also says what is raised; `path`
            may be any source.
        progress: callable, rows read; called after each chunk.
    """

    def __init__(self, path, text_column="text", pair_column="", progress=lambda rows: None):
        self.path, self._columns = path, (text_column, pair_column)
        self.rows, digest = 0, hashlib.sha256()
        for table in self._read(_CHECKED_ROWS):
            self.rows += len(table)
            _add(digest, table)
            progress(self.rows)
        self.fingerprint = digest.hexdigest()

    def chunks(self, size, done=0):
        """Yields Tables of at most `size` rows of one file each, from row `done` on, cut alike wherever it begins.

        Raises UserError behind the last row where the file no longer holds what it held at first.
        """
        first, digest = 0, hashlib.sha256()
        for table in self._read(size):
            _add(digest, table)
            if first + len(table) > done:
                yield table.take(range(max(0, done - first), len(table)))
            first += len(table)
        if digest.hexdigest() != self.fingerprint:
            raise UserError(f"{self.path} changed while it was read; give the same command again")

    def _read(self, size):
        return read_chunks(self.path, *self._columns, need_labels=False, size=size)


def _add(digest, table):
    for column in (table.texts, table.pairs):
        for text in column or ():
            encoded = text.encode("utf-8", "surrogatepass")
            digest.update(b"%d:" % len(encoded) + encoded)
