"""Fine-tunes one model: everything that a training run does between the tokenized rows and the best weights."""

import dataclasses
import pathlib
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from trainer.config import Config, UserError
from trainer.inputs.batching import count
from trainer.inputs.pipeline import Rows
from trainer.loop import accelerator as accelerators
from trainer.loop import callbacks
from trainer.loop.checkpoints import Checkpoints, Progress
from trainer.loop.evaluate import Evaluator
from trainer.loop.fitted_head import FittedHead
from trainer.loop.optimizer import AdamW, WarmupDecay, layer_rates
from trainer.loop.profile import Profile


@dataclasses.dataclass(frozen=True)
class Run:
    """What one training run works on; `encoder` was loaded within `accelerator.training()`, and they go together.

    observer: called with (step, logits `<float32>[dev rows, labels]`, their targets) after each dev evaluation, when
    all is saved and the summary writer of dev is the default one.
    """

    config: Config
    task: Any
    train: Rows
    dev: Rows
    encoder: Any
    accelerator: accelerators.Accelerator
    workdir: pathlib.Path
    observer: Callable | None = None

    @property
    def checkpoints(self):
        return Checkpoints(self.workdir / "checkpoints")


def fit(run):
    """Trains until the last step or until it stops early, from the workdir's last checkpoint where there is one.

    Returns:
        Progress of the finished run; the best weights lie in the workdir.

    Raises:
        UserError: the loss is no longer a number. EnvironmentFault: --xla=require and XLA did not run.
    """
    steps = plan_steps(run.config, len(run.train))
    with run.accelerator.training():
        model = compiled(run, steps)
        progress = run.checkpoints.restore_last(model) or Progress()
        if not progress.finished:
            _fit(run, model, progress, steps)
    return progress


def plan_steps(config, rows):
    """Batches of a whole run over `rows` training rows, 0 with --epochs=0.

    Raises UserError where not one update would come of them.
    """
    taken = rows * config.learning.passes()
    steps = count(taken, config.input.batch_size) * config.optimizer.epochs
    accumulated = config.optimizer.gradient_accumulation
    if accumulated > steps > 0:
        raise UserError(
            f"--gradient_accumulation={accumulated} is more than the {steps} batches of the run: no weight would move; "
            f"give {steps} or less, or more --epochs"
        )
    profiled = config.report.profiled()
    if profiled and profiled[1] > steps:
        raise UserError(f"--profile_steps={config.report.profile_steps}: the run has {steps} steps; give earlier ones")
    return steps


def evaluation_steps(config, steps):
    """Steps after which dev is evaluated, `--evaluations_per_epoch` evenly spaced ones per epoch."""
    parts = config.optimizer.evaluations_per_epoch * config.optimizer.epochs
    return {max(1, round(i * steps / parts)) for i in range(1, parts + 1)} | {steps}


def compiled(run, steps):
    """The model of a Run of `steps` steps at its seed, ready for Keras' fit; within `run.accelerator.training()`."""
    keras.utils.set_random_seed(run.config.run.seed)
    model = run.task.build(run.encoder)
    if hasattr(run.task, "learner"):
        model = run.task.learner(model)
    config = run.config.optimizer
    model.compile(
        optimizer=AdamW(
            WarmupDecay(config.learning_rate, steps, config.warmup, config.schedule),
            weight_decay=config.weight_decay,
            clip_norm=config.clip_norm,
            accumulation=config.gradient_accumulation,
            rate_of=layer_rates(config.layer_decay, run.encoder.backbone.num_layers),
            jit_update=run.accelerator.jit_update,
        ),
        loss=run.task.loss(),
        loss_weights=run.task.loss_weights,
        weighted_metrics=run.task.metrics(),
        jit_compile=run.accelerator.jit_step,
    )
    model.optimizer.build(model.trainable_variables)
    return model


def _fit(run, model, progress, steps):
    config = run.config
    kind, batch_size, seed = run.accelerator.batching, config.input.batch_size, config.run.seed
    dataset = run.train.training(kind, batch_size, seed, steps, progress.step)
    writers = [
        # nothing in a queue: what a checkpoint has behind it must not be lost to a kill
        tf.summary.create_file_writer(str(run.workdir / "tensorboard" / name), max_queue=0)
        for name in ("train", "dev")
    ]
    counter = callbacks.Counter(progress, run.train, run.train.batches(kind, batch_size, seed, steps, progress.step))
    finite = callbacks.FiniteLoss(progress, run.checkpoints)
    widths = run.train.widths if kind == "buckets" else None
    how = (kind, config.input.eval_batch_size, run.accelerator.distributed, widths)
    evaluations = callbacks.Evaluations(
        evaluation_steps(config, steps), run, *_evaluator(run, model, how), counter, finite, writers[1]
    )
    if steps:
        model.fit(
            dataset,
            epochs=1,
            shuffle=False,  # the dataset has its order
            verbose=0,
            callbacks=[
                counter,
                *_profile(run, progress),  # before those whose own work is no part of a step
                finite,
                callbacks.Shown(progress, steps, writers[0]),
                evaluations,
                *([callbacks.XlaRequired()] if run.accelerator.required else []),
            ],
        )
    else:  # the weights as they came are the first, the last and the best
        for callback in (finite, evaluations):
            callback.set_model(model)
        evaluations.evaluate()
    for writer in writers:
        writer.close()


def _evaluator(run, model, how):
    """(Evaluator of logits, FittedHead where no step moves the head, else None)."""
    if not hasattr(run.task, "learner"):
        return Evaluator(model, *how), None
    return Evaluator(run.task.answering(model), *how), FittedHead(run, model, Evaluator(model, *how))


def _profile(run, progress):
    profiled = run.config.report.profiled()
    return [Profile(progress, *profiled, run.workdir / "tensorboard" / "train")] if profiled else []
