"""Fine-tunes one model: everything that a training run does between the tokenized rows and the best weights."""

import dataclasses
import pathlib
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
from trainer.loop.optimizer import AdamW, WarmupDecay, layer_rates


@dataclasses.dataclass(frozen=True)
class Run:
    """What one training run works on; `encoder` was loaded within `accelerator.training()`."""

    config: Config
    task: Any
    train: Rows
    dev: Rows
    encoder: Any
    accelerator: accelerators.Accelerator
    workdir: pathlib.Path

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
        keras.utils.set_random_seed(run.config.run.seed)
        model = run.task.build(run.encoder)
        _compile(run, model, steps)
        progress = run.checkpoints.restore_last(model) or Progress()
        if not progress.finished:
            _fit(run, model, progress, steps)
    return progress


def plan_steps(config, rows):
    """Batches of a whole run over `rows` training rows. Raises UserError where not one update would come of them."""
    steps = count(rows, config.input.batch_size) * config.optimizer.epochs
    accumulated = config.optimizer.gradient_accumulation
    if accumulated > steps:
        raise UserError(
            f"--gradient_accumulation={accumulated} is more than the {steps} batches of the run: no weight would move; "
            f"give {steps} or less, or more --epochs"
        )
    return steps


def evaluation_steps(config, steps):
    """Steps after which dev is evaluated, `--evaluations_per_epoch` evenly spaced ones per epoch."""
    parts = config.optimizer.evaluations_per_epoch * config.optimizer.epochs
    return {max(1, round(i * steps / parts)) for i in range(1, parts + 1)} | {steps}


def _compile(run, model, steps):
    config = run.config.optimizer
    model.compile(
        optimizer=AdamW(
            WarmupDecay(config.learning_rate, steps, config.warmup, config.schedule),
            weight_decay=config.weight_decay,
            clip_norm=config.clip_norm,
            accumulation=config.gradient_accumulation,
            rate_of=layer_rates(config.layer_decay, _count_layers(model)),
            jit_update=run.accelerator.jit_update,
        ),
        loss=run.task.loss(),
        weighted_metrics=run.task.metrics(),
        jit_compile=run.accelerator.jit_step,
    )
    model.optimizer.build(model.trainable_variables)


def _count_layers(model):
    return sum(layer.name.startswith("transformer_layer_") for layer in model.layers)


def _fit(run, model, progress, steps):
    config = run.config
    kind, batch_size, seed = run.accelerator.batching, config.input.batch_size, config.run.seed
    dataset = run.train.training(kind, batch_size, seed, steps, progress.step)
    writers = [tf.summary.create_file_writer(str(run.workdir / "tensorboard" / name)) for name in ("train", "dev")]
    counter = callbacks.Counter(progress, run.train, run.train.batches(kind, batch_size, seed, steps, progress.step))
    finite = callbacks.FiniteLoss(progress, run.checkpoints)
    evaluator = Evaluator(model, kind, config.input.eval_batch_size, run.accelerator.distributed)
    model.fit(
        dataset,
        epochs=1,
        shuffle=False,  # the dataset has its order
        verbose=0,
        callbacks=[
            counter,
            finite,
            callbacks.Shown(progress, steps, writers[0]),
            callbacks.Evaluations(evaluation_steps(config, steps), run, evaluator, counter, finite, writers[1]),
            *([callbacks.XlaRequired()] if run.accelerator.required else []),
        ],
    )
    for writer in writers:
        writer.close()
