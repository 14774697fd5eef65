"""Runs whose head is fitted: killed and continued, and put into the model that answers."""

import dataclasses

import numpy as np
import pytest
import safetensors.numpy

from trainer.inputs.shot_rows import ShotRows
from trainer.loop.checkpoints import Checkpoints
from trainer.loop.fit import fit, plan_steps
from trainer.tasks.few_shot import FewShot

FLAGS = {"learning": "few_shot", "pair_passes": 2, "epochs": 2, "evaluations_per_epoch": 2}
STEPS = 2 * 23  # 90 rows twice, 8 in a batch


class Killed(Exception):
    pass


def few_shot(run):
    task, rows = FewShot(("negative", "positive"), False, run.config.model), run.train
    return dataclasses.replace(
        run, task=task, train=ShotRows(rows.tokens, rows.preprocess, rows.targets, None, FLAGS["pair_passes"])
    )


@pytest.fixture(scope="module")
def finished(make_run, tmp_path_factory):
    run = few_shot(make_run(tmp_path_factory.mktemp("run"), **FLAGS))
    return run, fit(run)


def test_it_learns_from_pairs(finished):
    run, progress = finished
    assert progress.step == STEPS == plan_steps(run.config, 90) and progress.trained_examples == 360
    assert [each["step"] for each in progress.evaluations] == [12, 23, 34, 46]
    assert progress.evaluations[-1]["accuracy"] > 0.8
    assert progress.curve[-1]["loss"] < progress.curve[0]["loss"]


def test_the_best_weights_fit_the_model_that_answers(finished, make_run, tmp_path):
    """Encoder and head of one moment: the head is what scikit-learn makes of this encoder's vectors."""
    run, progress = finished
    other = few_shot(make_run(tmp_path, **FLAGS))
    model = other.task.build(other.encoder)
    assert run.checkpoints.restore_best(model).step == progress.best_step
    features = [features for features, _, _ in run.train.evaluation("random", 90)[0]]
    order = run.train.evaluation("random", 90)[1]
    vectors = other.task.embedder(model)(features[0]).numpy()
    kernel, bias = other.task.head_of(vectors, run.train.targets[order])
    for given, wanted in zip(model.get_layer("logits").get_weights(), (kernel, bias), strict=True):
        np.testing.assert_allclose(given, wanted, atol=5e-3)
    assert not model.get_layer("logits").trainable_variables


def test_a_run_that_was_killed_ends_as_if_it_had_not_been(finished, make_run, tmp_path, monkeypatch):
    undisturbed, expected = finished
    run = few_shot(make_run(tmp_path, **FLAGS))
    save, minutes = Checkpoints.save_last, dataclasses.replace(run.config.checkpoint, checkpoint_minutes=0.0)

    def save_and_die(self, model, progress):
        save(self, model, progress)
        if progress.step == 29:
            raise Killed

    monkeypatch.setattr(Checkpoints, "save_last", save_and_die)
    with pytest.raises(Killed):
        fit(dataclasses.replace(run, config=dataclasses.replace(run.config, checkpoint=minutes)))
    monkeypatch.setattr(Checkpoints, "save_last", save)
    progress = fit(few_shot(make_run(tmp_path, **FLAGS)))
    assert [each["accuracy"] for each in progress.evaluations] == [each["accuracy"] for each in expected.evaluations]
    for file in ("last", "best"):
        given, wanted = (safetensors.numpy.load_file(getattr(r.checkpoints, file)) for r in (run, undisturbed))
        assert given.keys() == wanted.keys()
        for name in wanted:
            np.testing.assert_allclose(given[name], wanted[name], atol=1e-4, err_msg=name)
