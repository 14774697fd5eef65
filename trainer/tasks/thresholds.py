"""From which probability on a label is selected, where a text may have several: fitted on dev after training."""

import dataclasses

import numpy as np

from trainer.config import UserError
from trainer.metrics.best_f1 import best_threshold

FEW = 10  # dev rows that have a label, under which it takes the common threshold


@dataclasses.dataclass(frozen=True)
class Thresholds:
    """threshold: that of labels without one of their own; thresholds: `{label: threshold}`, or None."""

    threshold: float = 0.5
    thresholds: dict[str, float] | None = None

    target_precision = 0.0  # it never abstains
    out_of_scope = "none"
    temperature = 1.0

    def of(self, labels):
        """The threshold of each label, as a list of float."""
        return [(self.thresholds or {}).get(label, self.threshold) for label in labels]

    def to_dict(self):
        """For JSON."""
        return {name: value for name, value in dataclasses.asdict(self).items() if value is not None}


def check_dev(settings, label_sets):
    """Raises UserError where no dev row has a label, and thresholds are to be fitted."""
    if settings.label_thresholds != "half" and not any(label_sets):
        raise UserError(
            f"--label_thresholds={settings.label_thresholds}: no dev row has a label; give dev rows with labels, or "
            "--label_thresholds=half"
        )


def fit(task, settings, logits, targets):
    """Thresholds by --label_thresholds; targets: `<float32>[rows, labels]`, 1 where a row has the label."""
    if settings.label_thresholds == "half":
        return Thresholds()
    whole = common(task, logits, targets)
    if settings.label_thresholds == "common":
        return whole
    probabilities, has = task.probabilities(logits).numpy(), targets > 0.5
    own = {
        label: best_threshold(probabilities[:, place], has[:, place])
        for place, label in enumerate(task.labels)
        if has[:, place].sum() >= FEW
    }
    return Thresholds(whole.threshold, own or None)


def common(task, logits, targets):
    """The one threshold for all labels that gives the best micro F1 on these rows."""
    return Thresholds(best_threshold(task.probabilities(logits).numpy().ravel(), targets.ravel() > 0.5))


def figures(task, judged):
    """The "decisions" of results.json: the thresholds, and what the same answers score at 0.5."""
    at_half = task.decided(Thresholds())
    names = ("micro_f1", "macro_f1", "subset_accuracy")
    scores = {split: at_half.score(*each) for split, each in judged.items()}
    return task.decisions.to_dict() | {
        "at_half": {split: {name: each[name] for name in names} for split, each in scores.items()},
        "labels_per_row": {split: float(np.mean(each[1].sum(axis=1))) for split, each in judged.items()},
    }
