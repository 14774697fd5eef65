"""One label per text or pair of texts."""

import copy

import keras
import numpy as np
import tensorflow as tf
from sklearn import metrics as sklearn_metrics

from trainer.metrics.calibration import negative_log_likelihood
from trainer.metrics.per_class import per_class
from trainer.tasks import decisions, out_of_scope
from trainer.tasks.decisions import Decisions
from trainer.tasks.losses import SmoothedCrossEntropy
from trainer.tasks.pooled import PooledTask


class Classification(PooledTask):
    """Single-label classification: labels are strings in and strings out.

    Args:
        labels: tuple of str, in the order of the probabilities.
        text_pair: bool; whether a second text belongs to each row.
        model_config: trainer.config.ModelConfig.
        class_weights: `<float32>[labels]`, what a row of each label counts in the loss; None for 1 each.

    Where a distance is asked for (`giving_vectors`) it answers the texts' vectors behind their logits,
    `<float32>[batch, labels + hidden]`; logits below may be these answers, too.
    """

    name, column = "classification", "label"
    compared, unit, quality_name = "probabilities", 1.0, "accuracy"
    example_method = "classify"
    served = frozenset({"label", "score", "probabilities", "truncated", "abstain"})
    decisions_type = Decisions
    gives_vectors, class_distance = False, None

    def __init__(self, labels, text_pair, model_config, class_weights=None):
        super().__init__(text_pair, model_config)
        self.labels, self.class_weights = tuple(labels), class_weights
        self.outputs = len(self.labels)
        self.decisions = self.decisions_type()

    @classmethod
    def of(cls, learned, text_pair, config, class_weights=None):
        """The task of a Config, after what the training rows said of the label column."""
        return cls(tuple(learned["labels"]), text_pair, config.model, class_weights)

    def build(self, encoder):
        return self.with_vectors(super().build(encoder))

    def with_vectors(self, model):
        """A model of logits, which answers the texts' vectors behind them where these are asked for."""
        if not self.gives_vectors:
            return model
        vectors = model.get_layer("embedding").output
        answers = keras.layers.Concatenate(name="answers", dtype="float32")([model.output, vectors])
        return keras.Model(model.input, answers, name=self.name)

    def giving_vectors(self):
        """The same task, whose model answers the texts' vectors behind the logits."""
        task = copy.copy(self)
        task.gives_vectors = True
        return task

    def measuring(self, class_distance):
        """The same task, which knows how far a text's vector is from those of the labels; see class_distance.py."""
        task = copy.copy(self)
        task.class_distance = class_distance
        return task

    def logits(self, answers):
        """`<float32>[batch, labels]` of what the model answers."""
        return answers[:, : len(self.labels)]

    def vectors(self, answers):
        """`<float32>[batch, hidden]` of the same, where it gives vectors."""
        return answers[:, len(self.labels) :]

    def targets(self, labels):
        """Strings to label ids, `<int32>[rows]`."""
        index = {label: i for i, label in enumerate(self.labels)}
        return np.array([index[label] for label in labels], np.int32)

    def row_weights(self, targets):
        return None if self.class_weights is None else self.class_weights[targets]

    def loss(self):
        """Cross-entropy of ids `<int>[batch]` and logits, averaged over the weights of the rows."""
        return SmoothedCrossEntropy(len(self.labels), self.config.label_smoothing, self.config.focal_gamma)

    def metrics(self):
        """Keras metrics shown while training."""
        return [keras.metrics.SparseCategoricalAccuracy(name="accuracy")]

    def score(self, logits, targets):
        """Logits `<float32>[rows, labels]` and ids `<int>[rows]` to {metric: float}, at temperature 1."""
        logits, predicted = self.logits(logits), self.predicted(logits)
        return {
            "accuracy": float(np.mean(predicted == targets)),
            "macro_f1": float(sklearn_metrics.f1_score(targets, predicted, average="macro", zero_division=0)),
            "loss": negative_log_likelihood(logits, targets),
        }

    def probabilities(self, logits):
        """Logits `<float32>[batch, labels]` to calibrated probabilities of the same shape, as TensorFlow ops."""
        return tf.nn.softmax(logits / self.decisions.temperature)

    def serving_outputs(self, answers, truncated):
        """The named outputs of `serving_default`, as TensorFlow ops; no decision moves `label`."""
        logits = self.logits(answers)
        probabilities = self.probabilities(logits)
        best, score = tf.argmax(logits, axis=1), tf.reduce_max(probabilities, axis=1)
        thresholds = tf.constant(self.decisions.of(self.labels), tf.float32)
        abstain = score < tf.gather(thresholds, best)
        found = {"label": tf.gather(tf.constant(self.labels), best), "score": score, "probabilities": probabilities}
        if self.decisions.out_of_scope != "none":
            found["out_of_scope"] = out_of_scope.score(self, self.decisions.out_of_scope, answers)
            abstain |= found["out_of_scope"] > self.decisions.out_of_scope_limit
        return found | {"truncated": truncated, "abstain": abstain}

    def answers(self, logits):
        """The same outputs offline, as numpy arrays, of logits `<float32>[rows, labels]`; `truncated` is false."""
        outputs = self.serving_outputs(tf.constant(logits), tf.zeros(len(logits), tf.bool))
        return {name: output.numpy() for name, output in outputs.items()}

    def predicted(self, logits):
        """Label ids `<int>[rows]`, to be held against targets."""
        return self.logits(logits).argmax(axis=1)

    def per_class(self, logits, targets):
        """Precision, recall, F1 and rows of each label."""
        return per_class(targets.astype(int), self.predicted(logits), self.labels)

    def cells(self, logits):
        """The answers as they would stand in the label column, a list of str."""
        return [self.labels[best] for best in self.predicted(logits)]

    def quality(self, answers, labels):
        """Share of right labels in {output: array over rows}."""
        return float(np.mean([given.decode() == label for given, label in zip(answers["label"], labels, strict=True)]))

    def rows(self, logits):
        """What predictions.jsonl says of each row of logits; `abstain` is there where the task may abstain."""
        answers = self.answers(logits)
        far, may_abstain = answers.get("out_of_scope"), self.decisions.may_abstain
        for row in range(len(logits)):
            yield {
                "label": answers["label"][row].decode(),
                "score": float(answers["score"][row]),
                "probabilities": dict(zip(self.labels, answers["probabilities"][row].tolist(), strict=True)),
                **({} if far is None else {"out_of_scope": float(far[row])}),
                **({"abstain": bool(answers["abstain"][row])} if may_abstain else {}),
            }

    def truth(self, label):
        """What predictions.jsonl says of a row's own label."""
        return {"true_label": label}

    def stated(self):
        """What contract.json says of it besides labels and decisions."""
        name = self.decisions.out_of_scope
        if name == "none":
            return {}
        meaning = out_of_scope.MEANING[name]
        return {"out_of_scope": f"{meaning}; larger is further out, above decisions.out_of_scope_limit it abstains"}

    def check_dev(self, settings, labels):
        """Refuses decisions that dev rows of these labels could not show: before training, not after it."""
        decisions.check_dev(settings, labels)

    def decide(self, settings, logits, targets, outside=None):
        """The task that decides as `settings` (trainer.config.DecisionConfig) and the dev rows say.

        outside: logits of texts out of scope, where there are any.
        """
        return self.decided(decisions.fit_decisions(self, settings, logits, targets, outside))

    def decision_figures(self, judged, outside=()):
        """The "decisions" of results.json; judged: {split: (logits, targets)}; outside: {split: logits}."""
        return decisions.figures(self, judged, dict(outside))
