"""What TensorBoard shows of dev after each evaluation of several heads: of each what its own task would show."""

import tensorflow as tf


class HeadPictures:
    """The observer of trainer.loop.fit.Run: a head's pictures, scalars and texts stand under its name.

    Args:
        judged: callable, {head: logits} and {head: (texts, truth)} to tuples (head, task, logits, truth) of those that
            have rows. observers: {head: observer of its own rows}.
    """

    def __init__(self, judged, observers):
        self.judged, self.observers = judged, observers

    def __call__(self, step, logits, truth):
        """logits, truth: as the loop has them of --task=multi."""
        for name, _, own, wanted in self.judged(logits, truth):
            with tf.name_scope(name):
                self.observers[name](step, own, wanted)
