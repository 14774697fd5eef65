"""How a classifier's logits become an answer: at which temperature, below which score and how far out it abstains."""

import dataclasses

from trainer.config import UserError
from trainer.metrics import calibration, selective
from trainer.tasks import out_of_scope


@dataclasses.dataclass(frozen=True)
class Decisions:
    """Fitted on dev after training, then part of every answer, offline and served.

    temperature: what logits are divided by. target_precision: what the thresholds were chosen for; 0 never abstains.
    threshold: answers of a lower score abstain; None never does. thresholds: `{label: threshold}` of all labels where
    each has its own, else None. out_of_scope: the score of out_of_scope.py that is told; answers beyond
    out_of_scope_limit abstain, whatever their probability. out_of_scope_unit: what a difference of it is counted in.
    """

    temperature: float = 1.0
    target_precision: float = 0.0
    threshold: float | None = None
    thresholds: dict[str, float] | None = None
    out_of_scope: str = "none"
    out_of_scope_limit: float | None = None
    out_of_scope_unit: float | None = None

    @property
    def may_abstain(self):
        return self.target_precision > 0 or self.out_of_scope != "none"

    def of(self, labels):
        """The threshold of each predicted label, as a list of float; 0 never abstains."""
        return [(self.thresholds or {}).get(label, self.threshold or 0.0) for label in labels]

    def to_dict(self):
        """For JSON; what was not asked for is left out."""
        told = {"temperature": True, "out_of_scope": self.out_of_scope != "none"}
        told |= dict.fromkeys(_ASKED, self.target_precision > 0)
        return {
            name: value
            for name, value in dataclasses.asdict(self).items()
            if told.get(name, True) and value is not None
        }


def check_dev(settings, labels):
    """Refuses a target precision that dev rows of these labels could not show: before training, not after it."""
    target = settings.abstain_precision
    if not target:
        return
    if len(labels) < selective.rows_needed(target):
        raise UserError(
            f"--abstain_precision={target}: {len(labels)} dev rows cannot show it, it takes "
            f"{selective.rows_needed(target)} or more; give more dev rows, or a lower precision"
        )
    if len(set(labels)) == 1:
        raise UserError(
            f"--abstain_precision={target}: all dev rows have the label {labels[0]!r} and show nothing of the others; "
            "give dev rows of every label"
        )


def fit_decisions(task, settings, answers, targets, outside=None):
    """Decisions of a Classification, from dev.

    Args:
        settings: trainer.config.DecisionConfig.
        answers: `<float32>[rows, labels and more]`; targets: label ids `<int>[rows]`. outside: answers to texts that
            belong to no label, or None.

    Raises:
        UserError: no threshold reaches the target precision.
    """
    found = _of_scores(task, settings, task.logits(answers), targets)
    return dataclasses.replace(found, **out_of_scope.fit(task.decided(found), settings, answers, outside))


def _of_scores(task, settings, logits, targets):
    """Temperature and thresholds."""
    temperature = calibration.fit_temperature(logits, targets) if settings.calibration == "temperature" else 1.0
    calibrated, target = Decisions(temperature), settings.abstain_precision
    if not target:
        return calibrated
    scores, predicted = task.decided(calibrated).answers(logits)["score"], logits.argmax(axis=1)
    right = predicted == targets
    threshold = selective.threshold_for_precision(scores, right, target)
    if threshold is None:
        raise UserError(_unreachable(target, scores, right))
    own = _per_label(task.labels, target, threshold, scores, predicted, right) if settings.abstain_per_label else None
    return Decisions(temperature, target, threshold, own)


def _per_label(labels, target, threshold, scores, predicted, right):
    """{label: threshold}; the common one for a label whose rows do not show the precision."""
    found = {}
    for place, label in enumerate(labels):
        rows = predicted == place
        own = selective.threshold_for_precision(scores[rows], right[rows], target)
        found[label] = threshold if own is None else own
    return found


def _unreachable(target, scores, right):
    best, coverage = selective.best_precision(scores, right)
    return (
        f"--abstain_precision={target}: no threshold shows it on the {len(scores)} dev rows; the best is {best:.3f} "
        f"(with {selective.CONFIDENCE:.0%} confidence), answering {coverage:.0%} of them: "
        f"give --abstain_precision={int(best * 100) / 100} or less; what was trained is kept"
    )


_ASKED = ("target_precision", "threshold", "thresholds")
_FIGURES = ("ece", "nll", "reliability", "risk_coverage", "aurc")


def figures(task, judged, outside):
    """The "decisions" of results.json.

    Args:
        judged: {split: (answers `<float32>[rows, labels and more]`, label ids `<int>[rows]`)}. outside: {split: answers
            to texts that belong to no label}.
    """
    by_score = task.decided(dataclasses.replace(task.decisions, out_of_scope="none"))
    splits = {
        name: _split_figures(by_score, task.logits(answers), targets) for name, (answers, targets) in judged.items()
    }
    found = {"temperature": task.decisions.temperature}
    found |= {figure: {name: each[figure] for name, each in splits.items()} for figure in _FIGURES}
    if task.decisions.target_precision:
        asked = {name: value for name, value in by_score.decisions.to_dict().items() if name in _ASKED}
        found["abstain"] = asked | {name: each["abstain"] for name, each in splits.items()}
    if task.decisions.out_of_scope != "none":
        found["out_of_scope"] = out_of_scope.figures(task, judged, outside)
    return found


def _split_figures(task, logits, targets):
    right, answers = logits.argmax(axis=1) == targets, task.answers(logits)
    scores = {"before": task.decided(Decisions()).answers(logits)["score"], "after": answers["score"]}
    bins = {when: calibration.reliability(each, right) for when, each in scores.items()}
    temperatures = {"before": 1.0, "after": task.decisions.temperature}
    answered = ~answers["abstain"]
    return {
        "ece": {when: calibration.expected_calibration_error(each) for when, each in bins.items()},
        "nll": {
            when: calibration.negative_log_likelihood(logits, targets, each) for when, each in temperatures.items()
        },
        "reliability": bins,
        "risk_coverage": selective.risk_coverage(scores["after"], right),
        "aurc": selective.area_under_risk_coverage(scores["after"], right),
        "abstain": {
            "precision": float(right[answered].mean()) if answered.any() else None,
            "coverage": float(answered.mean()),
        },
    }
