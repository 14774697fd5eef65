"""A checkpoint is there whole or not at all, and goes into no other model."""

import errno
import os
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
import safetensors.numpy

from tests.commands import ROOT
from trainer import main
from trainer.config import UserError
from trainer.loop.checkpoints import Checkpoints, Progress, bytes_needed
from trainer.loop.optimizer import AdamW, WarmupDecay


def make_model(width=3, seed=0):
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            keras.Input([2]),
            keras.layers.Dense(width, name="hidden"),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(1, name="head"),
        ],
        name="tiny",
    )
    model.compile(AdamW(WarmupDecay(0.1, 9), weight_decay=0.1, clip_norm=1.0, accumulation=2), "mse")
    model.optimizer.build(model.trainable_variables)
    return model


@pytest.fixture(scope="module")
def trained():
    model = make_model()
    rng = np.random.default_rng(0)
    model.fit(rng.normal(size=(12, 2)), rng.normal(size=(12, 1)), batch_size=4, verbose=0)
    return model


def state(model):
    random = [v for v in model.non_trainable_variables if "seed" in v.path]
    return [v.numpy() for v in (*model.weights, *random, *model.optimizer.variables)]


def test_everything_comes_back(trained, tmp_path):
    checkpoints, other = Checkpoints(tmp_path / "checkpoints"), make_model(seed=5)
    progress = Progress(3, False, [{"step": 3, "loss": 0.5, "macro_f1": 1.0}], 3, 1.5, 70, 12)
    assert checkpoints.restore_last(other) is None and checkpoints.progress() is None
    checkpoints.save_last(trained, progress)
    assert checkpoints.restore_last(other) == progress == checkpoints.progress()
    for a, b in zip(state(trained), state(other), strict=True):
        np.testing.assert_array_equal(a, b)
    assert int(other.optimizer.variables[0].numpy()) == 3  # one more batch completes an update
    assert [path.name for path in checkpoints.folder.iterdir()] == ["last.safetensors"]


def test_the_best_are_weights_alone(trained, tmp_path):
    checkpoints, other = Checkpoints(tmp_path), make_model(seed=5)
    with pytest.raises(UserError, match="no trained weights; run --mode=train"):
        checkpoints.restore_best(other)
    checkpoints.save_best(trained, Progress(step=7, best_step=7))
    before = [v.numpy() for v in other.optimizer.variables]
    assert checkpoints.restore_best(other).best_step == 7
    for a, b in zip(trained.weights, other.weights, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    for a, b in zip(before, other.optimizer.variables, strict=True):
        np.testing.assert_array_equal(a, b.numpy())


def test_another_model_is_refused(trained, tmp_path):
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save_last(trained, Progress())
    with pytest.raises(UserError, match=r"does not fit this model \(tiny/hidden/kernel differs\)"):
        checkpoints.restore_last(make_model(width=4))


def test_the_disk_that_is_needed_is_the_disk_that_is_used(trained, tmp_path):
    checkpoints, parameters = Checkpoints(tmp_path), 10**6
    assert (bytes_needed(parameters, 1), bytes_needed(parameters, 2)) == (28 * parameters, 36 * parameters)
    wide = make_model(width=20_000)
    checkpoints.save_last(wide, Progress())
    checkpoints.save_best(wide, Progress())
    used = 2 * checkpoints.last.stat().st_size + checkpoints.best.stat().st_size
    assert used == pytest.approx(bytes_needed(wide.count_params(), 2), rel=0.01)


@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"not a checkpoint at all, but long enough for a header"])
def test_a_spoilt_file_is_one_error(trained, tmp_path, content):
    checkpoints = Checkpoints(tmp_path)
    checkpoints.last.write_bytes(content)
    for read in (checkpoints.progress, lambda: checkpoints.restore_last(trained)):
        with pytest.raises(UserError, match=r"last\.safetensors is no whole checkpoint"):
            read()


def test_a_write_that_fails_keeps_the_old_one_and_names_the_disk(trained, tmp_path, monkeypatch):
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save_last(trained, Progress(step=1))

    def full(arrays, place, metadata):
        place.write_bytes(b"half of it")
        raise safetensors.SafetensorError("I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(safetensors.numpy, "save_file", full)
    with pytest.raises(safetensors.SafetensorError) as caught:
        checkpoints.save_last(trained, Progress(step=2))
    code, line = main.explain(caught.value)
    assert code == 5 and line.startswith("disk full at ") and errno.ENOSPC == 28
    assert checkpoints.progress().step == 1 and [p.name for p in tmp_path.iterdir()] == ["last.safetensors"]


WRITER = """
import sys, numpy as np
from trainer.loop import checkpoints as lib
class Variable:
    path, shape = "big/kernel", (1 << 20,)
    def numpy(self):
        return np.full(self.shape, step, np.float32)
model = type("Model", (), {"weights": [Variable() for _ in range(8)]})
found = lib.Checkpoints(sys.argv[1])
for step in range(1, 10**6):
    found.save_best(model, lib.Progress(step=step))
    print(step, flush=True)
"""


def test_a_kill_leaves_a_whole_one_and_the_next_write_cleans_up(trained, tmp_path):
    """Eight moments within the writing; each time the file is all of one step."""
    for moment in range(8):
        with subprocess.Popen([sys.executable, "-c", WRITER, tmp_path], cwd=ROOT, stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            time.sleep(0.013 * moment)
            os.kill(process.pid, signal.SIGKILL)
        arrays = safetensors.numpy.load_file(tmp_path / "best.safetensors")
        values = np.stack(list(arrays.values()))
        assert values.shape == (8, 1 << 20) and (values == values[0, 0]).all()
    Checkpoints(tmp_path).save_last(trained, Progress())
    assert {path.name for path in tmp_path.iterdir()} == {"best.safetensors", "last.safetensors"}
