"""Floating-point numbers as the real server writes them into JSON: WriteDecimal in its util/json_tensor.cc."""

import numpy as np

_ALL_DIGITS = {"float32": 9, "float64": 17}
_NOT_FINITE = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


def texts(values, dtype):
    """JSON of each value, a flat list; dtype: float32 or float64, in which six digits may be enough to be exact."""
    with np.errstate(over="ignore"):
        array = np.asarray(values, dtype).ravel()
    exact = array.tolist()
    short = [f"{value:g}" for value in exact]
    read_back = np.fromiter(map(float, short), np.float64, len(short)).astype(dtype)
    for index in np.flatnonzero(read_back != array).tolist():
        short[index] = f"{exact[index]:.{_ALL_DIGITS[dtype]}g}"
    return list(map(_as_json, short))


def _as_json(short):
    """A whole number gets its .0, so that readers do not take it for an int."""
    if "." in short or "e" in short:
        return short
    return _NOT_FINITE.get(short) or f"{short}.0"
