"""What the device did in a few steps, for TensorBoard's Profile tab."""

import keras
import tensorflow as tf


class Profile(keras.callbacks.Callback):
    """Records the steps `first` to `last` of the run into `folder`/plugins/profile.

    Args:
        progress: trainer.loop.checkpoints.Progress, already counted when a step ends.
        first, last: int, steps from 1. Steps that a continued run has behind it are not recorded.
    """

    def __init__(self, progress, first, last, folder):
        super().__init__()
        self.progress, self.first, self.last, self.folder = progress, first, last, str(folder)
        self._running, self._trace = False, None

    def on_train_batch_begin(self, batch, logs=None):
        step = self.progress.step + 1
        if self.first <= step <= self.last:
            if not self._running:
                tf.profiler.experimental.start(self.folder)
                self._running = True
            self._trace = tf.profiler.experimental.Trace("train", step_num=step, _r=1)  # _r: a step of the step view
            self._trace.__enter__()

    def on_train_batch_end(self, batch, logs=None):
        if self._trace is not None:
            self._trace.__exit__(None, None, None)
            self._trace = None
        if self.progress.step >= self.last:
            self._stop()

    def on_train_end(self, logs=None):
        self._stop()  # a run may stop early within these steps

    def _stop(self):
        if self._running:
            tf.profiler.experimental.stop()
            self._running = False
