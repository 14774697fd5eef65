"""Any number of labels per text or pair of texts, each with a threshold of its own."""

import keras
import numpy as np
import tensorflow as tf
from sklearn import metrics as sklearn_metrics

from trainer.config import labels_in
from trainer.tasks import thresholds
from trainer.tasks.classification import Classification
from trainer.tasks.losses import BinaryCrossEntropies
from trainer.tasks.thresholds import Thresholds


class MultiLabel(Classification):
    """Multi-label classification; cells hold labels with a separator between them.

    Args: as of Classification; class_weights: what having a label counts, against 1 for not having it.
        separator: str between the labels of a cell.
    """

    name, column, quality_name = "multi_label", "label_set", "micro F1"
    served = Classification.served | {"selected"}
    decisions_type = Thresholds

    def __init__(self, labels, text_pair, model_config, class_weights=None, separator="|"):
        super().__init__(labels, text_pair, model_config, class_weights)
        self.separator = separator

    @classmethod
    def of(cls, learned, text_pair, config, class_weights=None):
        separator = config.target.label_separator
        return cls(tuple(learned["labels"]), text_pair, config.model, class_weights, separator)

    def targets(self, labels):
        """Cells to `<float32>[rows, labels]`: 1 where a row has the label."""
        index = {label: i for i, label in enumerate(self.labels)}
        found = np.zeros((len(labels), len(self.labels)), np.float32)
        for row, cell in enumerate(labels):
            found[row, [index[label] for label in labels_in(cell, self.separator)]] = 1
        return found

    def row_weights(self, targets):
        return None

    def loss(self):
        """Cross-entropy of each label, a mean over labels and the weights of the rows."""
        return BinaryCrossEntropies(self.class_weights, self.config.focal_gamma)

    def metrics(self):
        return [keras.metrics.BinaryAccuracy(name="accuracy", threshold=0.0)]

    def score(self, logits, targets):
        """Logits and targets `<float32>[rows, labels]` to {metric: float}, at the thresholds."""
        selected, wanted = self.answers(logits)["selected"], targets > 0.5
        return {
            "micro_f1": _f1(wanted, selected, "micro"),
            "macro_f1": _f1(wanted, selected, "macro"),
            "subset_accuracy": float((selected == wanted).all(axis=1).mean()),
            "loss": float(np.mean(np.logaddexp(0, logits) - targets * logits)),
        }

    def score_on_dev(self, logits, targets):
        """At the threshold that is best on these rows: early in a training nothing reaches 0.5."""
        return self.decided(thresholds.common(self, logits, targets)).score(logits, targets)

    def probabilities(self, logits):
        return tf.sigmoid(logits)

    def serving_outputs(self, logits, truncated):
        """Those of one label, `label` being the most probable one, and `selected` `<bool>[batch, labels]`."""
        probabilities = self.probabilities(logits)
        best = tf.argmax(logits, axis=1)
        return {
            "label": tf.gather(tf.constant(self.labels), best),
            "score": tf.reduce_max(probabilities, axis=1),
            "probabilities": probabilities,
            "selected": probabilities >= tf.constant(self.decisions.of(self.labels), tf.float32),
            "truncated": truncated,
            "abstain": tf.zeros_like(truncated),
        }

    def predicted(self, logits):
        """`<int>[rows, labels]`: 1 where the label is selected."""
        return self.answers(logits)["selected"].astype(int)

    def cells(self, logits):
        return [self.separator.join(np.array(self.labels)[each > 0]) for each in self.predicted(logits)]

    def quality(self, answers, labels):
        """Micro F1 of the labels selected in {output: array over rows}."""
        return _f1(self.targets(labels) > 0.5, answers["selected"], "micro")

    def rows(self, logits):
        answers = self.answers(logits)
        for selected, probabilities in zip(answers["selected"], answers["probabilities"].tolist(), strict=True):
            yield {
                "labels": [label for label, has in zip(self.labels, selected, strict=True) if has],
                "probabilities": dict(zip(self.labels, probabilities, strict=True)),
            }

    def truth(self, label):
        return {"true_labels": list(labels_in(label, self.separator))}

    def check_dev(self, settings, labels):
        thresholds.check_dev(settings, [labels_in(cell, self.separator) for cell in labels])

    def decide(self, settings, logits, targets):
        return self.decided(thresholds.fit(self, settings, logits, targets))

    def decision_figures(self, judged):
        return thresholds.figures(self, judged)


def _f1(wanted, selected, average):
    return float(sklearn_metrics.f1_score(wanted, selected, average=average, zero_division=0))
