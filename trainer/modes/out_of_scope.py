"""Texts that belong to no label, and the distance from those that do: what --out_of_scope is fitted and judged on."""

import hashlib

import numpy as np

from trainer.config import UserError
from trainer.inputs.parts import opened
from trainer.inputs.sources import read_table
from trainer.inputs.splits import text_key
from trainer.loop.progress_line import ProgressLine
from trainer.modes.workdir import write_whole
from trainer.tasks.class_distance import ClassDistance

FILE = "class_distance.safetensors"
_MOST = 2000  # training rows of a label that a distance is fitted to
_FLAGS = {"dev": "--out_of_scope_data", "test": "--out_of_scope_test"}


def read(config, splits):
    """{split: Table} of the texts that the flags name, {} where they name none.

    Raises UserError, with file:line, for a text that is among the labelled ones, or stands on both sides.
    """
    tables = _tables(config)
    if "test" in tables and splits.test is None:
        raise UserError("--out_of_scope_test: there are no test rows to judge its texts beside; give a test file")
    others = list(splits.named().values()) if tables else []
    for split, table in tables.items():
        own = {text_key(table, row): row for row in reversed(range(len(table)))}
        for other in others:
            _check_apart(table, own, other, _FLAGS[split])
        others.append(table)
    return tables


def _check_apart(table, own, other, flag):
    """Raises UserError for a row of `other` whose text is among those of `table`; own: {text: row}."""
    for place in range(len(other)):
        row = own.get(text_key(other, place))
        if row is not None:
            label = f", with the label '{other.labels[place]}'" if other.labels else ""
            raise UserError(
                f"{table.where(row)}: this text of {flag} is {other.where(place)}, too{label}; keep it in one of them"
            )


def _tables(config):
    data = config.data
    return {
        split: read_table(opened(source, data.tfds_dir), data.text_column, data.text_pair_column, need_labels=False)
        for split, source in config.decision.scope_texts().items()
    }


def fingerprint(config):
    """SHA-256 of the texts; "" where there are none."""
    tables, digest = _tables(config), hashlib.sha256()
    for split, table in tables.items():
        for row in range(len(table)):
            digest.update(f"{split}\0{text_key(table, row)}\n".encode("utf-8", "surrogatepass"))
    return digest.hexdigest() if tables else ""


def measure(trained, train):
    """The task knows how far vectors are from those of the training rows, where a distance is asked for."""
    if trained.config.decision.needs_vectors():
        ids = trained.task.targets(train.labels)
        rows = trained.rows(train.take(_some(ids)), "train")
        answers = trained.logits(rows, "embedding train")
        distance = ClassDistance.fit(trained.task.vectors(answers), rows.truth)
        trained.task = trained.task.measuring(distance)


def _some(ids):
    """Rows in their order, at most _MOST of each label, evenly spaced."""
    chosen = []
    for label in np.unique(ids):
        own = np.flatnonzero(ids == label)
        chosen.append(own[np.linspace(0, len(own) - 1, min(len(own), _MOST)).round().astype(int)])
    return np.sort(np.concatenate(chosen))


def answers(trained, tables):
    """{split: what the model answers to texts that belong to no label}."""
    found = {}
    for split, table in tables.items():
        line = ProgressLine(f"answering {_FLAGS[split]}", len(table), "texts")
        found[split], _ = trained.answer(table, line.update)
    return found


def take(trained, workdir):
    """The task knows the distance that `keep` kept."""
    if trained.config.decision.out_of_scope == "distance":
        trained.task = trained.task.measuring(ClassDistance.loads((workdir / FILE).read_bytes()))


def keep(trained, workdir):
    """Writes the distance, where the task decides by it."""
    if trained.config.decision.out_of_scope == "distance":
        write_whole(workdir / FILE, trained.task.class_distance.dumps())
