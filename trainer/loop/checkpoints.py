"""Checkpoints that a kill at any moment leaves whole: one safetensors file each, renamed into place.

`last` holds everything a run needs to continue (weights, optimizer, dropout's random state, history); `best` holds
the weights of the best evaluation.
"""

import contextlib
import dataclasses
import json
import os
import pathlib

import numpy as np
import safetensors
import safetensors.numpy

from trainer.config import UserError


@dataclasses.dataclass
class Progress:
    """How far a run has come; part of every checkpoint.

    step: batches done; finished: no further step will come; evaluations: one dict each, with its step and dev
    metrics; best_step: that of the best one; seconds: spent in training; trained_tokens, trained_examples: done;
    curve: one dict each, with its step and the scalars of training; being here, it goes on where a run goes on.
    """

    step: int = 0
    finished: bool = False
    evaluations: list = dataclasses.field(default_factory=list)
    best_step: int = 0
    seconds: float = 0.0
    trained_tokens: int = 0
    trained_examples: int = 0
    curve: list = dataclasses.field(default_factory=list)


class Checkpoints:
    """The folder `checkpoints/` of a workdir."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)

    @property
    def last(self):
        return self.folder / "last.safetensors"

    @property
    def best(self):
        return self.folder / "best.safetensors"

    def save_last(self, model, progress):
        """Writes weights, optimizer and random state; the old file stays until the new one is whole."""
        self._save(self.last, _state(model), progress)

    def save_best(self, model, progress):
        self._save(self.best, _weights(model), progress)

    def progress(self):
        """Progress of the last checkpoint, without its weights; None without one."""
        return _progress(self.last) if self.last.is_file() else None

    def restore_last(self, model):
        """Puts the last checkpoint into a model whose optimizer is built; returns its Progress, None without one."""
        return _load(self.last, _state(model)) if self.last.is_file() else None

    def restore_best(self, model):
        """Puts the best weights into the model; returns the Progress of that moment. Raises UserError without any."""
        if not self.best.is_file():
            raise UserError(f"{self.folder}: no trained weights; run --mode=train on this workdir first")
        return _load(self.best, _weights(model))

    def _save(self, path, variables, progress):
        self.folder.mkdir(parents=True, exist_ok=True)
        for leftover in self.folder.glob(".*"):  # of a run that was killed while it wrote; safetensors' own too
            leftover.unlink(missing_ok=True)
        partial = self.folder / f".{path.name}.{os.getpid()}"
        arrays = {name: np.asarray(variable.numpy(), order="C") for name, variable in variables.items()}
        try:
            metadata = {"progress": json.dumps(dataclasses.asdict(progress))}
            safetensors.numpy.save_file(arrays, partial, metadata)
            _sync(partial)
            os.replace(partial, path)
            _sync(self.folder)
        finally:
            partial.unlink(missing_ok=True)


def bytes_needed(parameters, accumulation):
    """Bytes of the folder at its fullest: best weights, and `last` twice, while the new one replaces the old.

    `last` holds weights and two moments, and the gradients so far where several batches make one update.
    """
    last = 4 if accumulation > 1 else 3
    return 4 * parameters * (1 + 2 * last)


def _weights(model):
    return {f"model/{i}/{v.path}": v for i, v in enumerate(model.weights)}


def _state(model):
    random = [v for v in model.non_trainable_variables if "seed_generator" in v.path]
    return (
        _weights(model)
        | {f"random/{i}/state": v for i, v in enumerate(random)}
        | {f"optimizer/{i}/state": v for i, v in enumerate(model.optimizer.variables)}
    )


@contextlib.contextmanager
def _open(path):
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            yield file
    except safetensors.SafetensorError as error:
        raise UserError(f"{path} is no whole checkpoint ({error}); remove it, then give the command again") from error


def _progress(path):
    with _open(path) as file:
        return Progress(**json.loads(file.metadata()["progress"]))


def _sync(path):
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _load(path, variables):
    with _open(path) as file:
        names = set(file.keys())
        shapes = {name: tuple(file.get_slice(name).get_shape()) for name in names}
        wrong = [n for n, v in variables.items() if shapes.get(n) != tuple(v.shape)]
        if wrong:
            raise UserError(
                f"{path} does not fit this model ({_plain(wrong[0])} differs); "
                "give the workdir's own flags, or a new --workdir"
            )
        for name, variable in variables.items():
            variable.assign(file.get_tensor(name))
    return _progress(path)


def _plain(name):
    return name.split("/", 2)[2]
