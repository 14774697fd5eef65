"""Decisions of a workdir: decisions.json, whom it was fitted for, and what results.json says of them."""

import dataclasses

from trainer.metrics import calibration, selective
from trainer.modes import job
from trainer.tasks.decisions import Decisions, check_dev, fit_decisions

FILE = "decisions.json"


def take(trained, workdir):
    """Whether decisions.json was fitted for these weights and flags; the task then decides by it."""
    saved = workdir.read(FILE)
    if saved.get("fitted_for") != _question(trained):
        return False
    trained.task = trained.task.decided(Decisions(**saved["decisions"]))
    return True


def take_or_fit(trained, workdir):
    """The same, but fits them on the dev rows of --data where there are none; for one answer, nothing is kept."""
    if take(trained, workdir):
        return
    corpus = job.read_corpus(trained.config)
    job.check_same_rows(corpus, workdir)
    check_dev(trained.config.decision, corpus.splits.dev.labels)
    rows = trained.rows(corpus.splits.dev, "dev")
    fit(trained, trained.logits(rows, "evaluating dev"), rows.targets)


def fit(trained, logits, targets):
    """The task decides by what is fitted to the dev split's logits and label ids."""
    trained.task = trained.task.decided(fit_decisions(trained.task, trained.config.decision, logits, targets))


def keep(trained, workdir):
    """Writes decisions.json."""
    workdir.write(FILE, {"fitted_for": _question(trained), "decisions": trained.task.decisions.to_dict()})


def _question(trained):
    return dataclasses.asdict(trained.config.decision) | {"weights": trained.fingerprint}


_FIGURES = ("ece", "nll", "reliability", "risk_coverage", "aurc")


def figures(task, judged):
    """The "decisions" of results.json.

    Args:
        judged: {split: (logits `<float32>[rows, labels]`, label ids `<int>[rows]`)}.
    """
    splits = {name: _split_figures(task, *each) for name, each in judged.items()}
    found = {"temperature": task.decisions.temperature}
    found |= {figure: {name: each[figure] for name, each in splits.items()} for figure in _FIGURES}
    if task.decisions.target_precision:
        asked = {name: value for name, value in task.decisions.to_dict().items() if name != "temperature"}
        found["abstain"] = asked | {name: each["abstain"] for name, each in splits.items()}
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


def rows(found):
    """Table rows of the result of `figures`."""
    errors = [f"{split} {each['before']:.4f} → {each['after']:.4f}" for split, each in found["ece"].items()]
    yield "calibration", f"temperature {found['temperature']:.4g}; ECE {', '.join(errors)}"
    abstain = found.get("abstain")
    if abstain:
        own = sorted(abstain.get("thresholds", {}).values())
        below = f"below {abstain['threshold']:.4g}" if abstain["threshold"] else "never"
        below = f"below {own[0]:.4g} to {own[-1]:.4g}, by label" if own else below
        answers = ", ".join(_answered(split, abstain[split]) for split in found["ece"])
        yield "abstains", f"{below} ({abstain['target_precision']:.4g} asked for); {answers}"


def _answered(split, each):
    right = "none" if each["precision"] is None else f"{each['precision']:.4f} right"
    return f"{split} {right} of {each['coverage']:.1%} answered"
