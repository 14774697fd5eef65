"""One label in each row: the vocabulary of a run, weights of its classes; and the fingerprint of any rows."""

import collections
import hashlib
import math
import re

import numpy as np

from trainer.config import UserError
from trainer.inputs.columns import nearest
from trainer.inputs.label_kind import LabelKind


class SingleLabels(LabelKind):
    """A label column whose cells are one label each; see label_kind.py."""

    name, may_be_empty = "label", False

    def check(self, table):
        """Raises UserError for rows that nothing can be learned from."""
        label_vocabulary(table.labels, table.path)

    def strata(self, labels):
        return labels

    def learned(self, splits):
        return {"labels": list(splits_vocabulary(splits))}

    def counts(self, labels, learned):
        return dict.fromkeys(learned["labels"], 0) | collections.Counter(labels)

    def class_weights(self, spec, labels, learned):
        return class_weights(spec, labels, tuple(learned["labels"]))


def label_vocabulary(labels, source="the training rows"):
    """All labels, sorted by code point: a label's place is its class number. Raises UserError for fewer than two."""
    vocabulary = tuple(sorted(set(labels)))
    if len(vocabulary) == 1:
        raise UserError(f"{source}: every row has the label '{vocabulary[0]}'; at least two labels are needed")
    return vocabulary


def splits_vocabulary(splits):
    """The vocabulary of the training rows, after checking that dev and test hold no label beyond it."""
    vocabulary = label_vocabulary(splits.train.labels, splits.train.path)
    for name, table in splits.named().items():
        check_known(vocabulary, table, name)
    return vocabulary


def check_known(vocabulary, table, name):
    """Raises UserError, with file:line, for the first label of `table` that is not in `vocabulary`."""
    known = set(vocabulary)
    row = next((row for row, label in enumerate(table.labels) if label not in known), None)
    if row is not None:
        label = table.labels[row]
        raise UserError(
            f"{table.where(row)}: label '{label}' of {name} is in no training row{did_you_mean(label, vocabulary)}"
        )


def label_ids(vocabulary, labels):
    """<int32>[rows]: the class number of each label."""
    place = {label: number for number, label in enumerate(vocabulary)}
    return np.array([place[label] for label in labels], np.int32)


def class_weights(spec, labels, vocabulary):
    """<float32>[classes], or None for `none`: what each class counts in the loss.

    `balanced`: rows / (classes · rows of the class), as in scikit-learn. `label=weight,…`: those, and 1 for the rest.
    """
    if spec in ("", "none"):
        return None
    if spec == "balanced":
        counts = np.bincount(label_ids(vocabulary, labels), minlength=len(vocabulary))
        return (len(labels) / (len(vocabulary) * counts)).astype(np.float32)
    return given_weights(spec, vocabulary)


def given_weights(spec, vocabulary):
    """<float32>[classes] of `label=weight,…`, 1 for the labels that it does not name. Raises UserError."""
    weights = np.ones(len(vocabulary), np.float32)
    for label, weight in _named_weights(spec).items():
        if label not in vocabulary:
            raise UserError(f"--class_weights: no label '{label}'{did_you_mean(label, vocabulary)}")
        weights[vocabulary.index(label)] = weight
    return weights


def _named_weights(spec):
    """{label: weight} of `label=weight,label=weight`; a label may hold commas and equals signs."""
    weights, end = {}, 0
    for match in re.finditer(r"([^=].*?)=([^=,]+)(?:,|$)", spec):
        label = match[1].strip()
        if match.start() != end or label in weights:
            break
        weights[label], end = _positive(label, match[2]), match.end()
    if end != len(spec) or spec.endswith(","):
        raise UserError(f"--class_weights={spec}: allowed are none, balanced, or label=weight,label=weight")
    return weights


def _positive(label, text):
    try:
        weight = float(text)
    except ValueError:
        weight = math.nan
    if not 1e-6 <= weight <= 1e6:
        raise UserError(f"--class_weights: '{label}={text}': allowed is a number from 0.000001 to 1000000")
    return weight


def did_you_mean(label, vocabulary):
    """What to say behind a label that is not known: the nearest one, and the first of all."""
    near = nearest(label, vocabulary)
    listed = ", ".join(vocabulary[:10]) + (", …" if len(vocabulary) > 10 else "")
    return (f"; did you mean '{near}'?" if near else "") + f" (labels: {listed})"


def fingerprint(splits):
    """`sha256:…` over the rows of every split; the same rows give the same from CSV, TSV, JSONL or gz."""
    digest = hashlib.sha256()
    for name, table in splits.named().items():
        digest.update(f"{name}:{len(table)}\n".encode())
        for cells in zip(
            *(cells for cells in (table.texts, table.pairs, table.labels) if cells is not None), strict=True
        ):
            for cell in cells:
                raw = cell.encode()
                digest.update(b"%d:" % len(raw) + raw)
    return "sha256:" + digest.hexdigest()
