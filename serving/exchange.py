"""Requests and answers between the proof and its clean process: one npz file each, no pickle.

numpy drops trailing NULs of fixed-length strings and pickles objects; here a string array travels as its bytes end to
end plus their lengths, so any bytes come back as they went.
"""

import numpy as np

_TEXT, _LENGTHS = "bytes", "lengths"


def write(path, messages):
    """Writes `messages`, a list of (signature, {name: array}); strings are arrays of dtype object holding bytes."""
    entries = {}
    for index, (signature, arrays) in enumerate(messages):
        for name, array in arrays.items():
            for form, plain in _flatten(np.asarray(array)).items():
                entries[f"{index}|{signature}|{name}|{form}"] = plain
    with open(path, "wb") as file:
        np.savez(file, **entries)


def read(path):
    """The list that `write` was given."""
    messages = {}
    with np.load(path, allow_pickle=False) as entries:
        for key in entries.files:
            index, signature, name, form = key.split("|")
            _, arrays = messages.setdefault(int(index), (signature, {}))
            arrays.setdefault(name, {})[form] = entries[key]
    return [
        (signature, {name: _rebuild(forms) for name, forms in arrays.items()})
        for _, (signature, arrays) in sorted(messages.items())
    ]


def strings(values):
    """`values`, str or bytes, as the array of bytes that a string tensor takes; str goes as UTF-8."""
    array = np.empty(len(values), object)
    array[:] = [value.encode("utf-8") if isinstance(value, str) else value for value in values]
    return array


def _flatten(array):
    if array.dtype.kind not in "OSU":
        return {"plain": array}
    parts = strings(array.ravel().tolist())
    lengths = np.array([len(part) for part in parts], np.int64).reshape(array.shape)
    return {_TEXT: np.frombuffer(b"".join(parts), np.uint8), _LENGTHS: lengths}


def _rebuild(forms):
    if "plain" in forms:
        return forms["plain"]
    text, lengths = forms[_TEXT].tobytes(), forms[_LENGTHS]
    ends = np.cumsum(lengths.ravel())
    parts = [text[end - length : end] for end, length in zip(ends, lengths.ravel(), strict=True)]
    return strings(parts).reshape(lengths.shape)
