"""The outputs of a call to results, a row for each text."""

import dataclasses
import itertools

import numpy as np

from .results import (
    Answer,
    Classification,
    Embedding,
    Entity,
    Match,
    Matches,
    Multi,
    MultiLabel,
    Outputs,
    Regression,
    Tagging,
)
from .tensors import decode, flat, shape_of


def rows_of(outputs, count, task, labels, heads=None):
    """The results of `count` rows from {name: TensorProto}, whose first dimension is rows.

    task, labels and heads are the contract's, "" and () without one. Raises ValueError where they do not fit the
    tensors.
    """
    shapes = {name: shape_of(proto) for name, proto in outputs.items()}
    for name, shape in shapes.items():
        if not shape or shape[0] != count:
            raise ValueError(f"output {name} has shape {shape} for {count} texts; ask this signature with raw()")
    if heads and "truncated" in shapes:
        return _multi(outputs, count, heads)
    if task in _TYPED and shapes.keys() >= _TYPED[task][0]:
        return _TYPED[task][1](outputs, shapes, tuple(labels))
    columns = {name: _cells(decode(outputs[name])) for name in sorted(shapes)}
    return [Outputs({name: cells[row] for name, cells in columns.items()}) for row in range(count)]


_BY_TEXT = ("label", "score", "truncated", "abstain")
_CLASSIFICATION = {*_BY_TEXT, "probabilities"}


def _classifications(outputs, shapes, labels):
    has_scope = "out_of_scope" in shapes
    by_text = (*_BY_TEXT, "out_of_scope") if has_scope else _BY_TEXT
    _check_shapes(shapes, by_text, ("probabilities",), labels)
    by_text = [flat(outputs[name], shapes[name]) for name in by_text]
    by_text += [] if has_scope else [itertools.repeat(None)]
    values = iter(flat(outputs["probabilities"], shapes["probabilities"]))
    by_label = zip(*[values] * len(labels))  # noqa: B905 (a tuple per text; strict= would double the time)
    fields = zip(*by_text, itertools.repeat(labels), by_label)  # noqa: B905 (repeat has no end)
    return list(map(tuple.__new__, itertools.repeat(Classification), fields))


def _label_sets(outputs, shapes, labels):
    _check_shapes(shapes, ("truncated",), ("probabilities", "selected"), labels)
    columns = (decode(outputs[name]).tolist() for name in ("probabilities", "selected", "truncated"))
    return [_label_set(labels, *row) for row in zip(*columns, strict=True)]


def _label_set(labels, probabilities, selected, truncated):
    order = sorted(itertools.compress(range(len(labels)), selected), key=lambda place: -probabilities[place])
    named = dict(zip(labels, probabilities, strict=True))
    return MultiLabel(tuple(labels[place] for place in order), named, truncated)


def _scores(outputs, shapes, labels):
    _check_shapes(shapes, ("value", "truncated"), (), labels)
    return list(map(Regression, *(decode(outputs[name]).tolist() for name in ("value", "truncated"))))


def _taggings(outputs, shapes, labels):
    _check_shapes(shapes, ("count", "truncated"), (), labels)
    names = ("start", "end", "text", "label", "score")
    if len({shapes[name] for name in names}) > 1 or len(shapes["start"]) != 2:
        raise ValueError(f"{', '.join(names)} have the shapes {[shapes[name] for name in names]} and not one for all")
    columns = (_strings(decode(outputs[name])) for name in ("count", "truncated", *names))
    return [_tagging(*row) for row in zip(*columns, strict=True)]


def _tagging(count, truncated, *columns):
    entities = zip(*(column[:count] for column in columns), strict=True)
    return Tagging(tuple(Entity(*each) for each in entities), truncated)


_OF_ANSWER = tuple(field.name for field in dataclasses.fields(Answer))


def _answers(outputs, shapes, labels):
    _check_shapes(shapes, _OF_ANSWER, (), labels)
    return list(map(Answer, *(_cells(decode(outputs[name])) for name in _OF_ANSWER)))


def _embeddings(outputs, shapes, labels):
    _check_shapes(shapes, ("truncated",), (), labels)
    return list(map(Embedding, decode(outputs["embedding"]), decode(outputs["truncated"]).tolist()))


def _matches(outputs, shapes, labels):
    columns = (_strings(decode(outputs[name])) for name in ("id", "question", "answer", "score"))
    return [Matches(tuple(map(Match, *row))) for row in zip(*columns, strict=True)]


def _multi(outputs, count, heads):
    """Each head's results, of the outputs that bear its name."""
    found = {
        name: rows_of(_of_head(outputs, name), count, head["task"], head["labels"]) for name, head in heads.items()
    }
    truncated = decode(outputs["truncated"]).tolist()
    rows = zip(*found.values(), strict=True)
    return [Multi(dict(zip(found, row, strict=True)), cut) for row, cut in zip(rows, truncated, strict=True)]


def _of_head(outputs, name):
    prefix = f"{name}_"
    own = {key.removeprefix(prefix): proto for key, proto in outputs.items() if key.startswith(prefix)}
    return own | {"truncated": outputs["truncated"]}


def _strings(array):
    """The rows of an array as lists; bytes as str."""
    if array.dtype != object:
        return array.tolist()
    return [[value.decode("utf-8", "replace") for value in row] for row in array]


def _check_shapes(shapes, by_text, by_label, labels):
    for name in by_label:
        if shapes[name][1:] != (len(labels),):
            told = f"the contract names {len(labels)} labels but {name} has shape {shapes[name]}"
            raise ValueError(told)
    for name in by_text:
        if len(shapes[name]) != 1:
            raise ValueError(f"{name} has shape {shapes[name]} and not one value per text")


# Outputs that a task's results are made of, and what makes them.
_TYPED = {
    "classification": (_CLASSIFICATION, _classifications),
    "multi_label": ({"probabilities", "selected", "truncated"}, _label_sets),
    "regression": ({"value", "truncated"}, _scores),
    "embedding": ({"embedding", "truncated"}, _embeddings),
    "search": ({"id", "question", "answer", "score"}, _matches),
    "tagging": ({"start", "end", "text", "label", "score", "count", "truncated"}, _taggings),
    "span_qa": ({*_OF_ANSWER}, _answers),
}


def _cells(array):
    """The rows of an array: Python scalars where a row is one, arrays else; bytes as str."""
    if array.dtype == object:
        text = np.empty(array.size, dtype=object)
        text[:] = [value.decode("utf-8", "replace") for value in array.ravel()]
        array = text.reshape(array.shape)
    return array.tolist() if array.ndim == 1 else list(array)
