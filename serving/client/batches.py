"""Texts in, requests out: what is checked, how they are laid out in columns, and where they are split."""

import numbers

from .tensors import encode_text

_BYTES_PER_ROW = 16  # what protobuf puts round a text, generously


def columns_of(texts, text_pairs):
    """(columns, one): one list of UTF-8 bytes per input column; one says that a single str was asked.

    Raises TypeError for anything but str, naming its place, and ValueError for pairs of another number than the texts.
    """
    one = isinstance(texts, str)
    if text_pairs is not None and isinstance(text_pairs, str) != one:
        raise TypeError("texts and text_pairs must both be one str or both be lists of str")
    columns = [_encoded("texts", [texts] if one else texts)]
    if text_pairs is not None:
        columns.append(_encoded("text_pairs", [text_pairs] if one else text_pairs))
    if len(columns[0]) != len(columns[-1]):
        raise ValueError(f"{len(columns[0])} texts but {len(columns[-1])} text_pairs; give one pair per text")
    return columns, one


def _encoded(name, texts):
    if isinstance(texts, (bytes, bytearray, numbers.Number, type(None))):
        raise TypeError(f"{name} is {type(texts).__name__}; give a str or a list of str")
    texts = list(texts)
    try:
        return list(map(str.encode, texts))
    except (TypeError, UnicodeEncodeError):  # one of them is no str, or holds a lone surrogate: a look at each
        return [encode_text(_checked(name, index, text)) for index, text in enumerate(texts)]


def _checked(name, index, text):
    if not isinstance(text, str):
        hint = "; decode it first, for example with .decode('utf-8')" if isinstance(text, bytes) else ""
        raise TypeError(f"{name}[{index}] is {type(text).__name__}, not str{hint}")
    return text


def split(columns, max_rows, max_bytes):
    """Row numbers of each request: at most `max_rows` and `max_bytes`; a row above max_bytes goes alone.

    Where one request cannot hold them all, rows of like length go together: a server pads to the longest row.
    """
    rows = range(len(columns[0]))
    around = _BYTES_PER_ROW * len(columns)
    if len(rows) <= max_rows and sum(sum(map(len, column)) for column in columns) + around * len(rows) <= max_bytes:
        return [list(rows)] if rows else []
    sizes = [sum(map(len, row)) + around for row in zip(*columns, strict=True)]
    batches, filled = [], 0
    for row in sorted(rows, key=sizes.__getitem__):
        if not batches or len(batches[-1]) == max_rows or filled + sizes[row] > max_bytes:
            batches.append([])
            filled = 0
        batches[-1].append(row)
        filled += sizes[row]
    return batches
