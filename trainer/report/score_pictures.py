"""What TensorBoard shows of dev after each evaluation where the answer is a number."""

import numpy as np
import tensorflow as tf

from trainer.report import figures, mistakes
from trainer.report.charts import pixels


class ScorePictures:
    """The observer of trainer.loop.fit.Run: writes to the default summary writer.

    Args:
        texts, pairs: of the dev rows, lists of str; pairs is None for tasks of one text.
        values: callable, logits to scores `<float32>[rows]`.
    """

    def __init__(self, texts, pairs, values):
        self.texts, self.pairs, self.values = texts, pairs, values

    def __call__(self, step, logits, targets):
        """logits `<float32>[rows, 1]`, targets `<float32>[rows]`."""
        values = np.asarray(self.values(logits))
        tf.summary.image("pictures/scores", pixels(figures.scores, targets, values), step=step)
        tf.summary.histogram("errors", values - targets, step=step)
        found = mistakes.worst_scores(targets, values, self._text)
        tf.summary.text("worst_mistakes", mistakes.markdown(found), step=step)

    def _text(self, row):
        return self.texts[row] if self.pairs is None else f"{self.texts[row]} ‖ {self.pairs[row]}"
