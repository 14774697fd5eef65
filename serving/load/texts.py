"""Real texts from files, a line each, in the order and the batches in which they are sent."""

import itertools
import random
import sys

from serving.contract import ServingError

_STDIN = "-"


def read_rows(texts, text_pairs=None):
    """[(text,), …] of the lines of a file, or [(text, pair), …] with a second file; "-" is stdin.

    Raises ServingError for files that cannot be read, that hold nothing, or whose lines do not pair up.
    """
    columns = [_lines(path) for path in (texts, text_pairs) if path is not None]
    if len(columns[0]) != len(columns[-1]):
        raise ServingError(
            f"{texts} has {len(columns[0])} lines but {text_pairs} has {len(columns[-1])}; give one pair per text"
        )
    return list(zip(*columns, strict=True))


def batches(rows, size, seed):
    """Endless lists of `size` rows: all rows in an order that `seed` settles, and again from the first."""
    order = list(rows)
    random.Random(seed).shuffle(order)
    endless = itertools.cycle(order)
    while True:
        yield list(itertools.islice(endless, size))


def _lines(path):
    try:
        with sys.stdin.buffer if path == _STDIN else open(path, "rb") as stream:
            found = [_decoded(path, number, line) for number, line in enumerate(stream, 1)]
    except OSError as error:
        raise ServingError(f"{path}: {error.strerror}; give a file of texts, one per line") from None
    if not found:
        raise ServingError(f"{path} is empty; give a file of texts, one per line")
    return found


def _decoded(path, number, line):
    try:
        return line.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise ServingError(f"{path}:{number} is not UTF-8; convert it first, for example with iconv") from None
