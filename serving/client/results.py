"""What a model answers, one immutable type per task."""

import dataclasses
import itertools
from operator import itemgetter

import numpy as np

from .tensors import decode, flat, shape_of


class Classification(tuple):
    """The label of one text.

    label: the most probable one. score: its probability. probabilities: of every label, in the contract's order, a dict
    made at each look: most programs never ask. truncated: the text was longer than the model reads. abstain: the model
    declines to answer.
    """

    # A tuple, because thousands are made at once: (label, score, truncated, abstain, names, values).
    __slots__ = ()

    def __new__(cls, label, score, probabilities, truncated, abstain):
        names, values = tuple(probabilities), tuple(probabilities.values())
        return tuple.__new__(cls, (label, score, truncated, abstain, names, values))

    label, score, truncated, abstain = (property(itemgetter(place)) for place in range(4))

    @property
    def probabilities(self):
        return dict(zip(self[4], self[5], strict=True))

    def __getnewargs__(self):
        return tuple(self.to_dict().values())

    def __repr__(self):
        return f"Classification({', '.join(f'{name}={value!r}' for name, value in self.to_dict().items())})"

    def to_dict(self):
        """The fields as plain Python values, ready for JSON."""
        return {name: getattr(self, name) for name in ("label", "score", "probabilities", "truncated", "abstain")}


@dataclasses.dataclass(frozen=True, eq=False)
class Outputs:
    """One row of any signature: output name → Python scalar, str, or array of the row's shape."""

    values: dict[str, object]

    def to_dict(self):
        """The outputs as plain Python values, ready for JSON."""
        return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in self.values.items()}


@dataclasses.dataclass(frozen=True)
class VersionStatus:
    """A version of the model in the server.

    state: START, LOADING, AVAILABLE, UNLOADING or END. error: why it failed to load, or "".
    """

    version: int
    state: str
    error: str

    def to_dict(self):
        """The fields as plain Python values, ready for JSON."""
        return dataclasses.asdict(self)


def rows_of(outputs, count, task, labels):
    """The results of `count` rows from {name: TensorProto}, whose first dimension is rows.

    task and labels are the contract's, "" and () without one. Raises ValueError where they do not fit the tensors.
    """
    shapes = {name: shape_of(proto) for name, proto in outputs.items()}
    for name, shape in shapes.items():
        if not shape or shape[0] != count:
            raise ValueError(f"output {name} has shape {shape} for {count} texts; ask this signature with raw()")
    if task == "classification" and shapes.keys() >= _CLASSIFICATION:
        return _classifications(outputs, shapes, tuple(labels))
    columns = {name: _cells(decode(outputs[name])) for name in sorted(shapes)}
    return [Outputs({name: cells[row] for name, cells in columns.items()}) for row in range(count)]


_BY_TEXT = ("label", "score", "truncated", "abstain")
_CLASSIFICATION = {*_BY_TEXT, "probabilities"}


def _classifications(outputs, shapes, labels):
    if shapes["probabilities"][1:] != (len(labels),):
        told = f"the contract names {len(labels)} labels but probabilities has shape {shapes['probabilities']}"
        raise ValueError(told)
    for name in _BY_TEXT:
        if len(shapes[name]) != 1:
            raise ValueError(f"{name} has shape {shapes[name]} and not one value per text")
    by_text = (flat(outputs[name], shapes[name]) for name in _BY_TEXT)
    values = iter(flat(outputs["probabilities"], shapes["probabilities"]))
    by_label = zip(*[values] * len(labels))  # noqa: B905 (a tuple per text; strict= would double the time)
    fields = zip(*by_text, itertools.repeat(labels), by_label)  # noqa: B905 (repeat has no end)
    return list(map(tuple.__new__, itertools.repeat(Classification), fields))


def _cells(array):
    """The rows of an array: Python scalars where a row is one, arrays else; bytes as str."""
    if array.dtype == object:
        text = np.empty(array.size, dtype=object)
        text[:] = [value.decode("utf-8", "replace") for value in array.ravel()]
        array = text.reshape(array.shape)
    return array.tolist() if array.ndim == 1 else list(array)
