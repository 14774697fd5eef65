"""A number for each text or pair of texts."""

import math
import warnings

import numpy as np
import tensorflow as tf
from scipy import stats

from trainer.tasks.losses import SquaredError
from trainer.tasks.pooled import PooledTask
from trainer.tasks.undecided import Undecided


class Regression(PooledTask):
    """Scores, bounded or not. The head learns in units of the training scores' standard deviation.

    Args:
        mean, deviation: float, of the training scores.
        text_pair, model_config: see PooledTask.
        bounds: (low, high), which no answer leaves; None: unbounded.
    """

    name, column, labels, outputs = "regression", "score", (), 1
    compared, quality_name, example_method = "value", "Spearman's correlation", "regress"
    served = frozenset({"value", "truncated"})
    decisions_type = Undecided

    def __init__(self, mean, deviation, text_pair, model_config, bounds=None):
        super().__init__(text_pair, model_config)
        self.mean, self.deviation, self.bounds = mean, deviation, bounds
        self.decisions = Undecided()

    @classmethod
    def of(cls, learned, text_pair, config, class_weights=None):
        return cls(learned["mean"], learned["deviation"], text_pair, config.model, config.target.bounds())

    @property
    def unit(self):
        """What a difference of 1 is to the proof."""
        return self.deviation

    @property
    def first_logit(self):
        """The logit of the mean score, which an untrained head answers."""
        if self.bounds is None:
            return 0.0
        low, high = self.bounds
        share = min(max((self.mean - low) / (high - low), 1e-3), 1 - 1e-3)
        return math.log(share / (1 - share))

    def value(self, logits):
        """Logits `<float32>[batch, 1]` to scores `<float32>[batch]`, as TensorFlow ops."""
        logits = tf.squeeze(logits, axis=1)
        if self.bounds is None:
            return self.mean + self.deviation * logits
        low, high = self.bounds
        return low + (high - low) * tf.sigmoid(logits)

    def targets(self, labels):
        """Cells to scores, `<float32>[rows]`."""
        return np.array([float(label) for label in labels], np.float32)

    def loss(self):
        """Squared error in units of the training scores' deviation."""
        return SquaredError(self.value, self.deviation)

    def metrics(self):
        return []

    def score(self, logits, targets):
        """Logits `<float32>[rows, 1]` and scores `<float32>[rows]` to {metric: float}."""
        value = self.answers(logits)["value"].astype(np.float64)
        errors = value - targets
        mse = float(np.mean(errors**2))
        return {
            "spearman": correlation(stats.spearmanr, value, targets),
            "pearson": correlation(stats.pearsonr, value, targets),
            "mse": mse,
            "mae": float(np.mean(np.abs(errors))),
            "loss": mse / self.deviation**2,
        }

    def serving_outputs(self, logits, truncated):
        """The named outputs of `serving_default`, as TensorFlow ops."""
        return {"value": self.value(logits), "truncated": truncated}

    def answers(self, logits):
        """The same outputs offline, as numpy arrays; `truncated` is false."""
        outputs = self.serving_outputs(tf.constant(logits), tf.zeros(len(logits), tf.bool))
        return {name: output.numpy() for name, output in outputs.items()}

    def cells(self, logits):
        """The answers as they would stand in the label column, a list of str."""
        return [f"{value:.4g}" for value in self.answers(logits)["value"]]

    def quality(self, answers, labels):
        """Spearman's correlation of {output: array over rows} with the cells."""
        return correlation(stats.spearmanr, answers["value"], self.targets(labels))

    def per_class(self, logits, targets):
        """Nothing: there are no labels."""
        return []

    def rows(self, logits):
        """What predictions.jsonl says of each row of logits."""
        for value in self.answers(logits)["value"].tolist():
            yield {"value": value}

    def truth(self, label):
        return {"true_value": float(label)}

    def stated(self):
        """What contract.json says of it besides labels and decisions."""
        return {"score_range": list(self.bounds) if self.bounds else None, "deviation": self.deviation}

    def check_dev(self, settings, labels):
        """Nothing is decided on dev."""

    def decide(self, settings, logits, targets):
        return self

    def decision_figures(self, judged):
        return {}


def correlation(of, given, wanted):
    """A correlation; 0 where one side is constant, and there is none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", stats.ConstantInputWarning)
        warnings.simplefilter("ignore", stats.NearConstantInputWarning)
        found = float(of(given, wanted).statistic) if len(given) > 1 else 0.0
    return found if math.isfinite(found) else 0.0
