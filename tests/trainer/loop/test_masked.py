"""Pre-training that was killed ends as if it had not been: the masks of each epoch come again too."""

import dataclasses

import keras
import numpy as np
import pytest
import safetensors.numpy

from tests import task_walks
from trainer.config import Config
from trainer.inputs.masked import MaskedRows, Masking
from trainer.inputs.tokens import tokenize
from trainer.loop import accelerator
from trainer.loop.checkpoints import Checkpoints
from trainer.loop.fit import Run, fit
from trainer.models.encoder import load_encoder
from trainer.models.mask_tokens import mask_tokens
from trainer.tasks import TASKS

FLAGS = {"task": "mlm", "sequence_length": 24, "batch_size": 8, "epochs": 3, "learning_rate": 1e-2}
KILL_AT = 14  # of 24 steps, within the second epoch


class Killed(BaseException):
    """Ends a run as abruptly as a test can within a process."""


def make_run(folder, workdir):
    config = Config.from_flat(FLAGS | {"encoder": str(folder), "precision": "float32"})
    chosen = accelerator.choose(config)
    with chosen.training():
        keras.utils.set_random_seed(config.run.seed)
        chosen, encoder = chosen.with_encoder(load_encoder(str(folder), workdir, 24), config)
    task, masking = TASKS["mlm"].of({}, False, config), Masking(mask_tokens(encoder.preprocessor), 0.3)
    train, dev = (
        MaskedRows(tokenize(encoder.preprocessor, [text for (text,) in rows]), encoder.preprocessor, masking)
        for rows in (task_walks.echoes(60), task_walks.echoes(20, 3))
    )
    return Run(config, task, train, dev, encoder, chosen, workdir)


def weights(run, file):
    found = safetensors.numpy.load_file(getattr(run.checkpoints, file))
    return {name: array for name, array in found.items() if name.startswith("model/")}


@pytest.mark.slow
def test_it_goes_on_where_it_was_killed(bert_folder, tmp_path, monkeypatch):
    whole = make_run(bert_folder, tmp_path / "whole")
    expected, save = fit(whole), Checkpoints.save_last

    def save_and_die(self, model, progress):
        save(self, model, progress)
        if progress.step == KILL_AT:
            raise Killed

    monkeypatch.setattr(Checkpoints, "save_last", save_and_die)
    run = make_run(bert_folder, tmp_path / "killed")
    minutes = dataclasses.replace(run.config.checkpoint, checkpoint_minutes=0.0)
    with pytest.raises(Killed):
        fit(dataclasses.replace(run, config=dataclasses.replace(run.config, checkpoint=minutes)))
    monkeypatch.setattr(Checkpoints, "save_last", save)
    progress = fit(make_run(bert_folder, tmp_path / "killed"))
    assert progress.evaluations == expected.evaluations and progress.best_step == expected.best_step
    for file in ("last", "best"):
        given, wanted = weights(run, file), weights(whole, file)
        for name in wanted:
            np.testing.assert_allclose(given[name], wanted[name], atol=1e-6, err_msg=name)
