"""What happens round the steps of `fit`: counting, watching the loss, evaluating, saving, TensorBoard."""

import math
import time

import keras
import numpy as np
import tensorflow as tf

from trainer.config import LEAST_IS_BEST, UserError
from trainer.loop.accelerator import check_compiled
from trainer.loop.progress_line import ProgressLine

_SCALARS_EVERY = 10  # steps between two points of a TensorBoard curve
_CURVE_POINTS = 1000  # that a checkpoint carries at most


class Counter(keras.callbacks.Callback):
    """Keeps Progress: steps, rows, tokens and seconds. First in the list, so that the others see this step.

    Args:
        progress: trainer.loop.checkpoints.Progress. train: trainer.inputs.pipeline.Rows.
        batches: iterator over the Batch of each step to come.
    """

    def __init__(self, progress, train, batches):
        super().__init__()
        self.progress, self.lengths, self.batches = progress, train.counts, batches
        self._mark = time.monotonic()

    def on_train_begin(self, logs=None):
        self._mark = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        rows = next(self.batches).rows
        self.progress.step += 1
        self.progress.trained_examples += len(rows)
        self.progress.trained_tokens += int(self.lengths[rows].sum())
        self.lap()

    def lap(self):
        """Adds the time since the last call to the seconds of training."""
        now = time.monotonic()
        self.progress.seconds += now - self._mark
        self._mark = now

    def pause(self):
        """Leaves the time since the last call out of the seconds of training."""
        self._mark = time.monotonic()


class FiniteLoss(keras.callbacks.Callback):
    """Stops the run at the first loss that is no number, before anything of it is saved."""

    def __init__(self, progress, checkpoints):
        super().__init__()
        self.progress, self.checkpoints = progress, checkpoints

    def on_train_batch_end(self, batch, logs=None):
        if not math.isfinite(logs["loss"]):
            self.fail("the loss is not a number")

    def check_weights(self):
        """Weights may turn bad in the very step before a checkpoint, when the loss has not shown it yet."""
        if not all(np.isfinite(v.numpy()).all() for v in self.model.trainable_variables):
            self.fail("a weight is not a number")

    def fail(self, what):
        kept = "the last good checkpoint stays" if self.checkpoints.last.is_file() else "nothing was saved yet"
        raise UserError(
            f"{what} at step {self.progress.step}; {kept} in {self.checkpoints.folder}; "
            "give a lower --learning_rate, some --warmup or --precision=float32"
        )


class XlaRequired(keras.callbacks.Callback):
    """After the first step, not the last: stops the run where XLA did not compile it (--xla=require)."""

    checked = False

    def on_train_batch_end(self, batch, logs=None):
        if not self.checked:
            check_compiled(self.model)
        self.checked = True


class Shown(keras.callbacks.Callback):
    """The progress line and TensorBoard's scalars of training: means over the steps since the last point."""

    def __init__(self, progress, total_steps, writer):
        super().__init__()
        self.progress, self.writer, self.total = progress, writer, total_steps
        self.line = ProgressLine("training", total_steps, "steps")
        self._since = (progress.seconds, progress.trained_tokens)

    def on_train_batch_end(self, batch, logs=None):
        numbers = "  ".join(f"{name} {value:.4f}" for name, value in logs.items())
        speed = self._tokens_per_second()
        self.line.update(self.progress.step, f"{numbers}  {speed:,.0f} tokens/s")
        if self.progress.step % _SCALARS_EVERY == 0 or self.progress.step == self.total:
            self._write(self._scalars(logs, speed))
            self.model.reset_metrics()

    def _tokens_per_second(self):
        seconds, tokens = self._since
        return (self.progress.trained_tokens - tokens) / max(1e-9, self.progress.seconds - seconds)

    def _scalars(self, logs, speed):
        optimizer = self.model.optimizer
        rates = {"learning_rate": optimizer.learning_rate, "gradient_norm": optimizer.gradient_norm}
        values = {**logs, "tokens_per_second": speed, **{name: value.numpy() for name, value in rates.items()}}
        # the norm is NaN until enough batches have made an update
        return {name: float(value) for name, value in values.items() if math.isfinite(value)}

    def _write(self, values):
        self._since = (self.progress.seconds, self.progress.trained_tokens)
        self.progress.curve = thinned([*self.progress.curve, {"step": self.progress.step, **values}])
        with self.writer.as_default(step=self.progress.step):
            for name, value in values.items():
                tf.summary.scalar(name, value)


def thinned(curve, most=_CURVE_POINTS):
    """Every second point of a curve that has grown beyond `most`; its last point stays."""
    return curve[-1::-2][::-1] if len(curve) > most else curve


class Evaluations(keras.callbacks.Callback):
    """Evaluates dev at the given steps, keeps the best weights, stops early, checkpoints, and tells the observer.

    Args:
        steps: set of int, the steps after which dev is evaluated; the last step of the run is one of them.
        run: trainer.loop.fit.Run. evaluator: Evaluator. fitted_head: trainer.loop.fitted_head.FittedHead where no step
        moves the head, else None. counter: Counter. finite: FiniteLoss. writer: for dev scalars.
    """

    def __init__(self, steps, run, evaluator, fitted_head, counter, finite, writer):
        super().__init__()
        self.steps, self.run, self.evaluator, self.fitted_head = steps, run, evaluator, fitted_head
        self.counter, self.finite, self.writer = counter, finite, writer
        self.progress, self.checkpoints = finite.progress, finite.checkpoints
        self._saved = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        minutes = (time.monotonic() - self._saved) / 60
        if self.progress.step in self.steps:
            self.evaluate()
        elif minutes >= self.run.config.checkpoint.checkpoint_minutes:
            self._save()
        self.counter.pause()

    def evaluate(self):
        """What happens at one of the steps."""
        self.finite.check_weights()
        if self.fitted_head:
            self.fitted_head.fit()
        logits = self.evaluator.logits(self.run.dev)
        scores = self.run.task.score_on_dev(logits, self.run.dev.truth)
        self.progress.evaluations.append({"step": self.progress.step, **scores})
        with self.writer.as_default(step=self.progress.step):
            for name, value in scores.items():
                tf.summary.scalar(name, value)
        if self._is_best(scores):
            self.progress.best_step = self.progress.step
            self.checkpoints.save_best(self.model, self.progress)
        if self._is_last():
            self.progress.finished = True
            self.model.stop_training = True
        self._save()
        if self.run.observer:  # after saving: what it draws can cost the run nothing
            with self.writer.as_default(step=self.progress.step):
                self.run.observer(self.progress.step, logits, self.run.dev.truth)

    def _is_best(self, scores):
        metric = self.run.config.metric()
        earlier = [e[metric] for e in self.progress.evaluations[:-1]]
        if metric in LEAST_IS_BEST:
            return all(scores[metric] < value for value in earlier)
        return all(scores[metric] > value for value in earlier)

    def _is_last(self):
        patience = self.run.config.optimizer.early_stopping
        since_best = sum(e["step"] > self.progress.best_step for e in self.progress.evaluations)
        return self.progress.step >= max(self.steps) or bool(patience and since_best >= patience)

    def _save(self):
        self.finite.check_weights()
        self.checkpoints.save_last(self.model, self.progress)
        self._saved = time.monotonic()
