"""What TensorBoard shows of the dev rows of --task=tagging after each evaluation."""

import tensorflow as tf

from trainer.metrics import span_f1
from trainer.report import mistakes

_CURVED = 20  # labels, the most frequent ones, whose metrics are curves


class SpanPictures:
    """The observer of trainer.loop.fit.Run.

    Args:
        labels: tuple of str. texts: of the dev rows, list of str. entities: callable, TextLogits to [(start, end,
            label, …)] of each text.
    """

    def __init__(self, labels, texts, entities):
        self.labels, self.texts, self.entities = labels, texts, entities

    def __call__(self, step, logits, truth):
        """logits: TextLogits; truth: Truth, see trainer/inputs/window_rows.py."""
        given = self.entities(logits)
        classes = span_f1.per_label(span_f1.counts(given, truth.spans), self.labels)
        for each in sorted(classes, key=lambda each: -each["support"])[:_CURVED]:
            for name in ("precision", "recall", "f1"):
                tf.summary.scalar(f"{name}/{each['label']}", each[name], step=step)
        found = mistakes.worst_spans(truth.spans, given, self.texts)
        tf.summary.text("worst_mistakes", mistakes.markdown(found) if found else "None on dev.", step=step)
