"""What TensorBoard shows of dev after each evaluation, besides the loop's own scalars."""

import numpy as np
import tensorflow as tf

from trainer.metrics.calibration import expected_calibration_error, reliability
from trainer.metrics.per_class import confusion, per_class
from trainer.report import figures, fonts, mistakes
from trainer.report.charts import pixels
from trainer.report.markdown import table

_CURVED = 20  # labels, the most frequent ones, whose metrics are curves


class DevPictures:
    """The observer of trainer.loop.fit.Run: writes to the default summary writer.

    Args:
        labels: tuple of str. texts, pairs: of the dev rows, lists of str; pairs is None for tasks of one text.
        probabilities: callable, logits to probabilities `<float32>[rows, labels]`.
    """

    def __init__(self, labels, texts, pairs, probabilities):
        self.labels, self.texts, self.pairs = tuple(labels), texts, pairs
        self.probabilities = probabilities

    def __call__(self, step, logits, targets):
        """logits `<float32>[rows, labels]`, targets `<int>[rows]`."""
        probabilities = np.asarray(self.probabilities(logits))
        predicted = probabilities.argmax(axis=1)
        self._scalars(per_class(targets, predicted, self.labels), step)
        matrix = confusion(targets, predicted, len(self.labels))
        bins = reliability(probabilities.max(axis=1), predicted == targets)
        tf.summary.scalar("calibration_error", expected_calibration_error(bins), step=step)
        for name, drawn in (
            ("confusion", pixels(figures.confusion, matrix, self.labels)),
            ("precision_recall", pixels(figures.precision_recall, targets, probabilities, self.labels)),
            ("calibration", pixels(figures.reliability, {"dev": bins})),
        ):
            tf.summary.image(f"pictures/{name}", drawn, step=step)
        self._texts(mistakes.worst(probabilities, targets, self.labels, self._text), step)

    def _texts(self, found, step):
        tf.summary.text("worst_mistakes", mistakes.markdown(found) if found else "None on dev.", step=step)
        if fonts.families(self.labels) is None:
            tf.summary.text("labels_by_number", table(("number", "label"), enumerate(self.labels, 1)), step=step)

    def _scalars(self, classes, step):
        for each in sorted(classes, key=lambda each: -each["support"])[:_CURVED]:
            for name in ("precision", "recall", "f1"):
                tf.summary.scalar(f"{name}/{each['label']}", each[name], step=step)

    def _text(self, row):
        return self.texts[row] if self.pairs is None else f"{self.texts[row]} ‖ {self.pairs[row]}"


class LabelSetPictures(DevPictures):
    """The same where a text may have several labels; selected are those of a probability of 0.5 or more."""

    def __call__(self, step, logits, targets):
        """logits, targets `<float32>[rows, labels]`."""
        probabilities, wanted = np.asarray(self.probabilities(logits)), targets > 0.5
        self._scalars(per_class(wanted.astype(int), (probabilities >= 0.5).astype(int), self.labels), step)
        drawn = pixels(figures.precision_recall, wanted, probabilities, self.labels)
        tf.summary.image("pictures/precision_recall", drawn, step=step)
        self._texts(mistakes.worst_sets(wanted, probabilities >= 0.5, self.labels, self._text), step)
