"""What a model answers, one frozen dataclass per task."""

import dataclasses
import itertools

import numpy as np


@dataclasses.dataclass(frozen=True)
class Classification:
    """The label of one text.

    label: the most probable one. score: its probability. probabilities: of every label, in the contract's order.
    truncated: the text was longer than the model reads. abstain: the model declines to answer.
    """

    label: str
    score: float
    probabilities: dict[str, float]
    truncated: bool
    abstain: bool

    def to_dict(self):
        """The fields as plain Python values, ready for JSON."""
        return dataclasses.asdict(self)


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
    """The results of `count` rows from output arrays whose first dimension is rows.

    task and labels are the contract's, "" and () without one. Raises ValueError where they do not fit the arrays.
    """
    for name, array in outputs.items():
        if array.ndim == 0 or len(array) != count:
            raise ValueError(f"output {name} has shape {array.shape} for {count} texts; ask this signature with raw()")
    if task == "classification" and outputs.keys() >= _CLASSIFICATION:
        return _classifications(outputs, labels)
    columns = {name: _cells(outputs[name]) for name in sorted(outputs)}
    return [Outputs({name: cells[row] for name, cells in columns.items()}) for row in range(count)]


_CLASSIFICATION = {field.name for field in dataclasses.fields(Classification)}


def _classifications(outputs, labels):
    probabilities = outputs["probabilities"]
    if probabilities.shape[1:] != (len(labels),):
        raise ValueError(f"the contract names {len(labels)} labels but probabilities has shape {probabilities.shape}")
    named = map(dict, map(zip, itertools.repeat(labels), probabilities.tolist()))  # strict= would double the time
    score, truncated, abstain = (outputs[name].tolist() for name in ("score", "truncated", "abstain"))
    return list(map(Classification, _cells(outputs["label"]), score, named, truncated, abstain))


def _cells(array):
    """The rows of an array: Python scalars where a row is one, arrays else; bytes as str."""
    if array.dtype == object:
        text = np.empty(array.size, dtype=object)
        text[:] = [value.decode("utf-8", "replace") for value in array.ravel()]
        array = text.reshape(array.shape)
    return array.tolist() if array.ndim == 1 else list(array)
