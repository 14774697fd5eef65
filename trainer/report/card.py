"""What a model card says beyond the version's own contract: how well it does, label by label, and what it is for."""

from trainer.report.markdown import escaped, table

_MOST = 20  # labels whose figures stand in a card
_NOBODY = "It should decide nothing about a person without somebody looking.\n"
_USES = {
    "classification": "one of {count} labels each: {labels}. It always answers with one of them, so that a text of "
    "another kind gets a label too{abstain}.",
    "multi_label": "any number of {count} labels each: {labels}. A text of another kind may get labels too.",
    "regression": "a number each. A text of another kind gets a number too.",
    "tagging": "any number of spans each, of {count} kinds: {labels}. Of a text of another kind it may miss many.",
    "span_qa": "and a question to each, the answer that stands in the text. It knows nothing that the text does not "
    "say, and asked about a text of another kind it answers all the same.",
    "embedding": "a vector each, near those of texts that belong to it. A text of another kind gets a vector too.",
    "multi": "an answer of each head. A text of another kind gets answers too.",
}


def sections(task, results, per_class, labels):
    """Markdown sections for a model card.

    Args:
        task: name of the task.
        results: results.json as a dict. per_class: per_class.json as a dict. labels: all labels, in their order.
    """
    asked = results.get("decisions", {}).get("abstain", {})
    scope = results.get("decisions", {}).get("out_of_scope", {})
    abstains = any((asked.get("threshold"), *asked.get("thresholds", {}).values(), scope))
    use = _USES[task].format(
        count=len(labels),
        labels=", ".join(map(escaped, labels[:_MOST])) + (", …" if len(labels) > _MOST else ""),
        abstain=", unless it abstains" if abstains else "",
    )
    use = f"## Intended use\n\nTexts of the kind that it learned from, {use} {_NOBODY}"
    split = "test" if "test" in results else "dev"
    parts = [use, _scores(results), _classes(per_class.get(split, []), split), _calibration(results), _scope(scope)]
    return "\n".join(filter(None, parts))


def _scores(results):
    names = list(dict.fromkeys(name for split in ("dev", "test") for name in results.get(split, {})))
    rows = [
        (split, *(f"{results[split].get(name, float('nan')):.4g}" for name in names))
        for split in ("dev", "test")
        if results.get(split)
    ]
    return "## Scores\n\n" + table(["split", *names], rows) if rows else ""


def _classes(classes, split):
    weakest = sorted(classes, key=lambda each: (each["f1"], each["label"]))[:_MOST]
    if not weakest:
        return ""
    which = f"the {_MOST} weakest of {len(classes)} labels" if len(classes) > _MOST else "the weakest label first"
    rows = [
        (each["label"], *(f"{each[name]:.3f}" for name in ("precision", "recall", "f1")), each["support"])
        for each in weakest
    ]
    return f"## Labels\n\nOn {split}, {which}.\n\n" + table(("label", "precision", "recall", "F1", "rows"), rows)


def _calibration(results):
    errors = results.get("decisions", {}).get("ece")
    if not errors:
        return ""
    rows = [(split, f"{each['before']:.4f}", f"{each['after']:.4f}") for split, each in errors.items()]
    return "## Calibration\n\nExpected calibration error, before and after the temperature.\n\n" + table(
        ("split", "before", "after"), rows
    )


def _scope(found):
    """Of texts out of scope, how many each split's limit refuses, and how well each score tells them."""
    rows = [
        (
            split,
            found["score"],
            f"{found['kept'][split]:.1%}",
            f"{each['refused']:.1%}",
            f"{each['auroc'][found['score']]:.4f}",
        )
        for split, each in found.get("told_apart", {}).items()
    ]
    columns = ("split", "score", "in scope kept", "out of scope refused", "AUROC")
    return "## Out of scope\n\n" + table(columns, rows) if rows else ""
