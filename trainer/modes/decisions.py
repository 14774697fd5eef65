"""Decisions of a workdir: decisions.json, whom it was fitted for, and what results.json says of them."""

import dataclasses

from trainer.modes import job, out_of_scope

FILE = "decisions.json"


def take(trained, workdir):
    """Whether decisions.json was fitted for these weights and flags; the task then decides by it."""
    saved = workdir.read(FILE)
    if saved.get("fitted_for") != _question(trained):
        return False
    trained.task = trained.task.decided(trained.task.decisions_type(**saved["decisions"]))
    out_of_scope.take(trained, workdir)
    return True


def take_or_fit(trained, workdir):
    """The same, but fits them on the dev rows of --data where there are none; for one answer, nothing is kept."""
    if take(trained, workdir):
        return
    corpus = job.read_corpus(trained.config)
    job.check_same_rows(corpus, workdir)
    trained.task.check_dev(trained.config.decision, corpus.splits.dev.labels)
    tables = out_of_scope.read(trained.config, corpus.splits)
    rows = trained.rows(corpus.splits.dev, "dev")
    fit(trained, corpus, trained.logits(rows, "evaluating dev"), rows.truth, out_of_scope.answers(trained, tables))


def fit(trained, corpus, logits, targets, outside):
    """The task decides by what is fitted to the dev split's logits and targets.

    outside: {split: logits} of texts that belong to no label, {} where there are none.
    """
    out_of_scope.measure(trained, corpus.splits.train)
    beside = (outside["dev"],) if "dev" in outside else ()
    trained.task = trained.task.decide(trained.config.decision, logits, targets, *beside)


def keep(trained, workdir):
    """Writes decisions.json, after what it needs."""
    out_of_scope.keep(trained, workdir)
    workdir.write(FILE, {"fitted_for": _question(trained), "decisions": trained.task.decisions.to_dict()})


def _question(trained):
    texts = {"out_of_scope_texts": out_of_scope.fingerprint(trained.config)}
    return dataclasses.asdict(trained.config.decision) | texts | {"weights": trained.fingerprint}


def rows(found):
    """Table rows of the "decisions" of results.json, those of heads under their names."""
    for name, own in found.get("heads", {}).items():
        yield from ((f"{name} {what}", told) for what, told in rows(own))
    if "ece" in found:
        yield from _calibrated(found)
    if "always_answered" in found:
        always = ", ".join(f"{split} {f1:.4f}" for split, f1 in found["always_answered"].items())
        limit = f"more than {found['threshold']:.4g} better than the best span, in logits"
        yield "no answer", f"where that is {limit}; F1 with every question answered: {always}"
    if "at_half" in found:
        own = sorted(found.get("thresholds", {}).values())
        ranges = f", {len(own)} labels from one of their own: {own[0]:.3g} to {own[-1]:.3g}" if own else ""
        at_half = ", ".join(f"{split} {each['micro_f1']:.4f}" for split, each in found["at_half"].items())
        yield "selects", f"labels from {found['threshold']:.3g} on{ranges}; micro F1 at 0.5: {at_half}"


def _calibrated(found):
    errors = [f"{split} {each['before']:.4f} → {each['after']:.4f}" for split, each in found["ece"].items()]
    yield "calibration", f"temperature {found['temperature']:.4g}; ECE {', '.join(errors)}"
    abstain = found.get("abstain")
    if abstain:
        own = sorted(abstain.get("thresholds", {}).values())
        below = f"below {abstain['threshold']:.4g}" if abstain["threshold"] else "never"
        below = f"below {own[0]:.4g} to {own[-1]:.4g}, by label" if own else below
        answers = ", ".join(_answered(split, abstain[split]) for split in found["ece"])
        yield "abstains", f"{below} ({abstain['target_precision']:.4g} asked for); {answers}"
    if "out_of_scope" in found:
        yield from _out_of_scope(found["out_of_scope"])


def _out_of_scope(found):
    kept = ", ".join(f"{split} {share:.1%}" for split, share in found["kept"].items())
    yield "out of scope", f"{found['score']} above {found['limit']:.4g}; in scope kept: {kept}"
    for split, each in found.get("told_apart", {}).items():
        yield f"{split} out of scope", f"{each['refused']:.1%} of {each['texts']} texts refused"
        for name, auroc in each["auroc"].items():
            yield f"{split} {name}", f"AUROC {auroc:.4f}, let through at 95 % kept {each['fpr_at_95'][name]:.1%}"


def _answered(split, each):
    right = "none" if each["precision"] is None else f"{each['precision']:.4f} right"
    return f"{split} {right} of {each['coverage']:.1%} answered"
