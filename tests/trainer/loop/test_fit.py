"""A whole run on a tiny encoder: it learns, keeps its best, stops, and goes on where it was killed."""

import dataclasses

import numpy as np
import pytest
import safetensors.numpy
import tensorflow as tf
from tensorboard.backend.event_processing import event_accumulator

from tests import tiny_encoders
from trainer.config import Config, EnvironmentFault, UserError
from trainer.loop.callbacks import FiniteLoss, thinned
from trainer.loop.checkpoints import Checkpoints, Progress
from trainer.loop.evaluate import Evaluator
from trainer.loop.fit import evaluation_steps, fit, plan_steps
from trainer.loop.optimizer import layer_rates

STEPS = 69  # 3 epochs of 23 batches
FLAGS = {
    "evaluations_per_epoch": 2,
    "gradient_accumulation": 2,
    "warmup": 0.1,
    "layer_decay": 0.9,
    "batch_size": 4,
    "learning_rate": 2e-2,
}


class Killed(BaseException):
    """Ends a run as abruptly as a test can within a process."""


@pytest.fixture(scope="module")
def finished(make_run, tmp_path_factory):
    """(Run, Progress) of a run that nothing disturbed."""
    run = make_run(tmp_path_factory.mktemp("finished"), **FLAGS)
    return run, fit(run)


def weights(path):
    return {n: a for n, a in safetensors.numpy.load_file(path).items() if n.startswith("model/")}


def test_it_learns(finished):
    run, progress = finished
    losses = [evaluation["loss"] for evaluation in progress.evaluations]
    assert min(losses) < losses[0] - 0.1 and progress.evaluations[-1]["accuracy"] >= 0.8
    before = tiny_encoders.bert_arrays(len(tiny_encoders.VOCABULARY))
    trained = {name.split("/", 2)[2]: array for name, array in weights(run.checkpoints.last).items()}
    assert np.abs(trained["token_embedding/embeddings"] - before["embeddings.word_embeddings.weight"]).max() > 0.01
    assert np.abs(trained["transformer_layer_0/feedforward_intermediate_dense/bias"]).max() > 0.01


def test_it_counts(finished):
    run, progress = finished
    assert progress.finished and progress.step == STEPS == plan_steps(run.config, 90)
    assert [evaluation["step"] for evaluation in progress.evaluations] == [12, 23, 34, 46, 58, 69]
    assert progress.trained_examples == 3 * 90
    assert progress.trained_tokens == 3 * run.train.tokens.lengths.sum()
    assert progress.seconds > 0


def test_the_best_weights_are_those_of_the_best_evaluation(finished):
    run, progress = finished
    accuracies = [evaluation["accuracy"] for evaluation in progress.evaluations]
    best = progress.evaluations[accuracies.index(max(accuracies))]
    assert progress.best_step == best["step"]
    model = run.task.build(run.encoder)
    at_best = run.checkpoints.restore_best(model)
    assert at_best.step == at_best.best_step == best["step"]
    scores = run.task.score(Evaluator(model, "pools", 16).logits(run.dev), run.dev.targets)
    assert scores["accuracy"] == best["accuracy"] and abs(scores["loss"] - best["loss"]) < 1e-5


def test_tensorboard_can_read_its_scalars(finished):
    run, progress = finished
    train, dev = (events(run.workdir / "tensorboard" / name) for name in ("train", "dev"))
    assert set(train) == {"loss", "accuracy", "tokens_per_second", "learning_rate", "gradient_norm"}
    assert [step for step, _ in train["loss"]] == [10, 20, 30, 40, 50, 60, 69]
    assert train["learning_rate"][-1][1] < 1e-6 < train["learning_rate"][0][1]
    assert len({norm for _, norm in train["gradient_norm"]}) == 7 and min(train["gradient_norm"])[1] > 0
    for name, points in train.items():
        assert points == [(point["step"], pytest.approx(point[name], rel=1e-6)) for point in progress.curve]
    assert [(step, pytest.approx(value, rel=1e-6)) for step, value in dev["loss"]] == [
        (evaluation["step"], evaluation["loss"]) for evaluation in progress.evaluations
    ]


def events(folder):
    found = event_accumulator.EventAccumulator(str(folder), size_guidance={"tensors": 0}).Reload()
    return {
        tag: [(event.step, float(tf.make_ndarray(event.tensor_proto))) for event in found.Tensors(tag)]
        for tag in found.Tags()["tensors"]
    }


def test_a_run_that_was_killed_ends_as_if_it_had_not_been(finished, make_run, tmp_path, monkeypatch):
    """Weights, moments, half-accumulated gradients, dropout and the order of the rows all go on."""
    undisturbed, expected = finished
    run = make_run(tmp_path, **FLAGS)
    kill_at = 29  # inside the second epoch, between two batches that make one update
    save, minutes = Checkpoints.save_last, dataclasses.replace(run.config.checkpoint, checkpoint_minutes=0.0)

    def save_and_die(self, model, progress):
        save(self, model, progress)
        if progress.step == kill_at:
            raise Killed

    monkeypatch.setattr(Checkpoints, "save_last", save_and_die)
    with pytest.raises(Killed):
        fit(dataclasses.replace(run, config=dataclasses.replace(run.config, checkpoint=minutes)))
    assert run.checkpoints.progress().step == kill_at
    monkeypatch.setattr(Checkpoints, "save_last", save)
    progress = fit(make_run(tmp_path, **FLAGS))
    assert progress.evaluations == expected.evaluations
    assert [point["step"] for point in progress.curve] == [point["step"] for point in expected.curve]
    for given, wanted in zip(progress.curve, expected.curve, strict=True):
        for name in ("learning_rate", "gradient_norm"):
            assert given[name] == pytest.approx(wanted[name], rel=1e-3)
    assert (progress.trained_tokens, progress.best_step) == (expected.trained_tokens, expected.best_step)
    for file in ("last", "best"):
        given, wanted = (weights(getattr(r.checkpoints, file)) for r in (run, undisturbed))
        for name in wanted:
            np.testing.assert_allclose(given[name], wanted[name], atol=1e-6, err_msg=name)


def test_the_observer_gets_what_was_evaluated_after_it_was_saved(make_run, tmp_path):
    run, calls = make_run(tmp_path, epochs=2), []

    def observer(step, logits, targets):
        tf.summary.scalar("seen", run.checkpoints.progress().step)
        calls.append((step, run.task.score(logits, targets)))

    progress = fit(dataclasses.replace(run, observer=observer))
    assert [{"step": step, **scores} for step, scores in calls] == progress.evaluations
    assert events(tmp_path / "tensorboard" / "dev")["seen"] == [(12, 12.0), (24, 24.0)]


def test_a_long_curve_is_thinned_and_keeps_its_last_point():
    assert thinned([1, 2, 3, 4], 4) == [1, 2, 3, 4]
    assert thinned([1, 2, 3, 4, 5], 4) == [1, 3, 5] and thinned([1, 2, 3, 4], 3) == [2, 4]


def test_a_few_steps_are_profiled_and_no_others(make_run, tmp_path, monkeypatch):
    steps, trace = [], tf.profiler.experimental.Trace
    monkeypatch.setattr(
        tf.profiler.experimental, "Trace", lambda name, step_num, _r: steps.append(step_num) or trace(name, _r=_r)
    )
    fit(make_run(tmp_path, epochs=1, profile_steps="5,7"))
    assert steps == [5, 6, 7]
    assert list(tmp_path.glob("tensorboard/train/plugins/profile/*/*.xplane.pb"))


def test_steps_that_never_come_cannot_be_profiled():
    with pytest.raises(UserError, match="--profile_steps=10,37: the run has 36 steps; give earlier ones"):
        plan_steps(Config.from_flat({"profile_steps": "10,37", "epochs": 3, "batch_size": 8}), 90)


def test_a_finished_run_takes_no_further_step(finished, make_run):
    run, progress = finished
    before = run.checkpoints.last.stat().st_mtime_ns
    assert fit(run) == progress and run.checkpoints.last.stat().st_mtime_ns == before


def test_it_stops_early_and_gives_back_the_switches(make_run, tmp_path):
    """Nothing improves at a learning rate of nothing; bfloat16 is the training's alone."""
    flags = {"learning_rate": 1e-12, "early_stopping": 2, "evaluations_per_epoch": 3, "precision": "bfloat16"}
    run = make_run(tmp_path, **flags)
    options = tf.config.optimizer.get_experimental_options()
    progress = fit(run)
    assert progress.finished and progress.step == 12 and progress.best_step == 4
    assert [evaluation["step"] for evaluation in progress.evaluations] == [4, 8, 12]
    name = "auto_mixed_precision_onednn_bfloat16"
    assert tf.config.optimizer.get_experimental_options().get(name, False) == options.get(name, False) is False


def test_a_loss_that_is_no_number_names_the_step_and_keeps_the_last_checkpoint(make_run, tmp_path):
    run = make_run(tmp_path, checkpoint_minutes=0.0)
    run.train.weights[:] = 1.0
    bad = next(iter(list(run.train.batches("random", 8, 1, 5))[4:])).rows[0]
    run.train.weights[bad] = np.inf
    with pytest.raises(UserError, match=r"not a number at step 5; the last good checkpoint stays in .*--learning_rate"):
        fit(run)
    assert run.checkpoints.progress().step == 4
    assert all(np.isfinite(array).all() for array in weights(run.checkpoints.last).values())


@pytest.mark.parametrize("loss", [np.nan, np.inf, -np.inf])
def test_a_loss_that_is_no_number_at_once_says_that_nothing_was_saved(tmp_path, loss):
    finite = FiniteLoss(Progress(step=1), Checkpoints(tmp_path))
    finite.on_train_batch_end(0, {"loss": 3.0})
    with pytest.raises(UserError, match="not a number at step 1; nothing was saved yet"):
        finite.on_train_batch_end(0, {"loss": loss})


def test_xla_compiles_the_whole_step_and_says_so(make_run, tmp_path):
    run = make_run(tmp_path, xla="require", epochs=1, sequence_length=16)
    assert run.accelerator.batching == "buckets" and run.accelerator.settings()["xla"] == "step"
    progress = fit(run)
    assert progress.finished and progress.trained_examples == 90
    shapes = {(batch.size, batch.width) for batch in run.train.batches("buckets", 8, 1, 12)}
    assert shapes == {(8, width) for width in run.train.widths}


@pytest.mark.slow
def test_xla_that_did_not_run_is_no_success(make_run, tmp_path):
    run = make_run(tmp_path, xla="require", epochs=1)
    refused = dataclasses.replace(run.accelerator, jit_step=False)
    with pytest.raises(EnvironmentFault, match="--xla=require: the train step was not compiled") as caught:
        fit(dataclasses.replace(run, accelerator=refused))
    assert caught.value.exit_code == 5
    assert not run.checkpoints.last.exists()  # it stops at the first step


@pytest.mark.parametrize(
    "epochs, per_epoch, steps, marks", [(2, 1, 20, {10, 20}), (1, 3, 10, {3, 7, 10}), (1, 9, 2, {1, 2})]
)
def test_evaluations_are_evenly_spaced(epochs, per_epoch, steps, marks):
    config = Config.from_flat({"epochs": epochs, "evaluations_per_epoch": per_epoch})
    assert evaluation_steps(config, steps) == marks


def test_more_accumulated_batches_than_there_are():
    config = Config.from_flat({"gradient_accumulation": 37, "epochs": 3, "batch_size": 8})
    with pytest.raises(UserError, match="--gradient_accumulation=37 is more than the 36 batches of the run"):
        plan_steps(config, 90)


def test_every_weight_has_the_rate_of_its_layer(make_run, tmp_path):
    run = make_run(tmp_path)
    model = run.task.build(run.encoder)
    rates = {v.path: layer_rates(0.5, tiny_encoders.LAYERS)(v.path) for v in model.trainable_variables}
    by_rate = {rate: {path.split("/")[0] for path, r in rates.items() if r == rate} for rate in set(rates.values())}
    assert by_rate == {
        1.0: {"logits"},
        0.5: {"transformer_layer_1"},
        0.25: {"transformer_layer_0"},
        0.125: {"token_embedding", "position_embedding", "segment_embedding", "embeddings_layer_norm"},
    }
    undecayed = {path.rsplit("/", 1)[-1] for path in rates} - {"kernel", "embeddings"}
    assert undecayed == {"bias", "gamma", "beta"}
