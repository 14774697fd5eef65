"""Runs side by side: what differs between them, and whether their answers differ by more than chance."""

import collections
import itertools
import pathlib

from trainer.config import FREE_TO_CHANGE
from trainer.metrics import squad
from trainer.metrics.mcnemar import exact_p
from trainer.report import recorded
from trainer.report.mistakes import gold_texts
from trainer.report.templates import page

_SPLITS = ("dev", "test")
_ALIKE = {"workdir", "mode", "json", "overwrite", "cache_dir", "compare", "compare_output"}  # say nothing of a run


def compare(paths):
    """What --json prints of these workdirs, in their order. Raises UserError where one is no trained workdir."""
    runs = dict(zip(_names(paths), map(recorded.read, paths), strict=True))
    return {
        "runs": {name: str(run.path) for name, run in runs.items()},
        "warnings": _warnings(runs),
        "flags": _flags(runs),
        "data": {name: _data(run) for name, run in runs.items()},
        "metrics": _metrics(runs),
        "labels": _labels(runs),
        "figures": {name: _figures(run) for name, run in runs.items()},
        "pairs": [_pair(*pair) for pair in itertools.combinations(runs.items(), 2)],
    }


def html(found):
    """The text of compare.html for a result of `compare`."""
    return page("compare.html.jinja", title=" · ".join(found["runs"]), **found)


def _names(paths):
    """The last parts of the paths, as many of them as tell the runs apart."""
    parts = [pathlib.Path(path).resolve().parts for path in paths]
    for length in range(1, max(map(len, parts))):
        names = ["/".join(each[-length:]) for each in parts]
        if len(set(names)) == len(names):
            return names
    return list(map(str, paths))


def _warnings(runs):
    (first, given), *others = runs.items()
    found = [
        f"{name} was trained on other rows than {first}: what differs may be the data"
        for name, run in others
        if run.fingerprint != given.fingerprint
    ]
    return found + [
        f"{name} has no predictions of its {run.judged} rows: run --mode=evaluate on it"
        for name, run in runs.items()
        if not run.predictions
    ]


def _flags(runs):
    """{flag: [value of each run]} of those that differ; what never changes a result comes last."""
    names = dict.fromkeys(name for run in runs.values() for name in run.flags if name not in _ALIKE)
    values = {name: [run.flags.get(name, "") for run in runs.values()] for name in names}
    differ = {name: each for name, each in values.items() if len(set(each)) > 1}
    return dict(sorted(differ.items(), key=lambda item: item[0] in FREE_TO_CHANGE))


def _data(run):
    data = run.manifest.get("data", {})
    return {"rows": data.get("rows", {}), "labels": len(data.get("labels", [])), "fingerprint": run.fingerprint}


def _metrics(runs):
    """{"test accuracy": [value of each run, None where it has none]}."""
    names = dict.fromkeys(
        (split, name) for split in _SPLITS for run in runs.values() for name in run.results.get(split, {})
    )
    return {f"{split} {name}": [run.results.get(split, {}).get(name) for run in runs.values()] for split, name in names}


def _labels(runs):
    """[{"label", "f1": [of each run], "difference"}], the labels that differ most first; of the last split judged."""
    found = collections.defaultdict(dict)
    for name, run in runs.items():
        for each in run.classes:
            found[each["label"]][name] = each["f1"]
    rows = [{"label": label, "f1": [f1.get(name) for name in runs]} for label, f1 in found.items()]
    for row in rows:
        known = [f1 for f1 in row["f1"] if f1 is not None]
        row["difference"] = row["f1"][-1] - row["f1"][0] if len(known) == len(runs) else None
    return sorted(rows, key=lambda row: (row["difference"] is None, -abs(row["difference"] or 0), row["label"]))


def _figures(run):
    """Speed, time and size; None where a run did not record it."""
    train, export = run.results.get("train", {}), run.results.get("export", {})
    found = {name: train.get(name) for name in ("steps", "best_step", "seconds", "examples_per_second")}
    found["training device"] = run.manifest.get("settings", {}).get("device")
    found["parameters"] = run.contract.get("encoder", {}).get("parameters")
    return found | {"version_bytes": export.get("bytes"), "max_difference": export.get("max_difference")}


def _pair(first, second):
    """Rows that both judged: right in both, in one only, in none, and McNemar's exact p-value."""
    (name_a, a), (name_b, b) = first, second
    right_a, right_b = _right(a.predictions), _right(b.predictions)
    shared = [(right_a[key], right_b[key]) for key in right_a if key in right_b]
    counts = collections.Counter(shared)
    only_a, only_b = counts[True, False], counts[False, True]
    return {
        "runs": [name_a, name_b],
        "rows": len(shared),
        "both_right": counts[True, True],
        "only_first": only_a,
        "only_second": only_b,
        "both_wrong": counts[False, False],
        "p_value": exact_p(only_a, only_b) if shared else None,
    }


def _judged(row):
    """(what is true of a row, whether it was answered right)."""
    if "true_answers" in row:
        return row["true_answers"], squad.exact_match(row["answer"], gold_texts(row)) > 0
    if "true_entities" in row:
        wanted, found = (
            {(each["start"], each["end"], each["label"]) for each in row[name]}
            for name in ("true_entities", "entities")
        )
        return row["true_entities"], wanted == found
    true, given = (row["true_label"], row["label"]) if "label" in row else (row["true_labels"], row["labels"])
    return true, true == given if isinstance(true, str) else set(true) == set(given)


def _right(predictions):
    """{(text, pair, true labels, how often before): whether the row was answered right}; of scores none is."""
    seen, found = collections.Counter(), {}
    for row in predictions:
        if "true_value" in row:
            return {}
        true, right = _judged(row)
        key = (row["text"], row.get("text_pair"), str(true))
        found[*key, seen[key]] = right
        seen[key] += 1
    return found
