"""report.html: one page to show a colleague, of everything that a run left in its workdir."""

from trainer.config import Config
from trainer.flagfile import render, values
from trainer.report import figures, judged, recorded
from trainer.report.templates import chart, page

REPORT = "report.html"
_CURVES = (  # title, (legend, name in the curve of training), (legend, name in the evaluations), percent
    ("Loss", (("training", "loss"),), (("dev", "loss"),), False),
    ("Dev metrics", (), (("accuracy", "accuracy"), ("micro F1", "micro_f1"), ("macro F1", "macro_f1")), True),
    ("Dev spans", (), (("F1", "span_f1"), ("precision", "span_precision"), ("recall", "span_recall")), True),
    ("Dev answers", (), (("F1", "f1"), ("exact match", "exact_match")), True),
    ("Perplexity of masked words", (), (("dev", "perplexity"),), False),
    ("Masked words named right", (("training", "masked_accuracy"),), (("dev", "masked_accuracy"),), True),
    ("Segments' order told right", (("training", "order_accuracy"),), (("dev", "order_accuracy"),), True),
    (
        "Dev retrieval",
        (),
        (("MRR at 10", "mrr_at_10"), ("recall at 1", "recall_at_1"), ("at 10", "recall_at_10")),
        True,
    ),
    ("Dev heads", (), (("mean of their metrics", "mean_quality"),), True),
    ("Dev correlation", (), (("Spearman", "spearman"), ("Pearson", "pearson")), False),
    ("Learning rate", (("learning rate", "learning_rate"),), (), False),
    ("Gradient norm before clipping", (("gradient norm", "gradient_norm"),), (), False),
    ("Tokens per second", (("tokens/s", "tokens_per_second"),), (), False),
)


def html(workdir):
    """The text of report.html for a workdir. Raises UserError where nothing was trained there."""
    run = recorded.read(workdir)
    return page(
        "report.html.jinja",
        title=run.contract.get("model_name") or run.flags.get("model_name") or run.path.resolve().name,
        run=run,
        manifest=dict.fromkeys(("data", "encoder", "settings", "started", "shapes"), {}) | run.manifest,
        changed=_changed(run.flags),
        baseline=_baseline(run.classes),
        curves=_curves(run),
        classes=sorted(run.classes, key=lambda each: (each["f1"], each["label"])),
        **judged.rows(run.predictions),
        calibration=_calibration(run.results.get("decisions", {})),
        files=_files(run.path),
    )


def _changed(flags):
    """[(flag, value, default)] of the flags that are not at their defaults."""
    defaults = values(render(Config()))
    return [(name, value, defaults.get(name, "")) for name, value in flags.items() if defaults.get(name, "") != value]


def _baseline(classes):
    """(label, accuracy) of always answering the most frequent label; None where the labels' rows are not known."""
    rows = sum(each["support"] for each in classes)
    most = max(classes, key=lambda each: each["support"], default=None)
    return (most["label"], most["support"] / rows) if rows else None


def _curves(run):
    train = run.results.get("train", {})
    found = []
    for title, of_training, of_dev, percent in _CURVES:
        sources = [(of_training, run.curve.get("points", [])), (of_dev, train.get("evaluations", []))]
        series = {
            legend: [(point["step"], point[name]) for point in points if name in point]
            for names, points in sources
            for legend, name in names
        }
        series = {legend: points for legend, points in series.items() if points}
        if series:
            mark = train.get("best_step") if of_dev else None
            drawn = chart(figures.curves, series, "", mark=mark, percent=percent, title=f"{title} over steps")
            found.append((title, drawn))
    return found


def _calibration(decisions):
    """Charts and figures of results.json's "decisions"; None where nothing was decided."""
    if not decisions.get("ece"):
        return None
    split = "test" if "test" in decisions["ece"] else "dev"
    bins = {name: each for name, each in decisions.get("reliability", {}).get(split, {}).items() if each}
    abstain = decisions.get("abstain") or None
    points = decisions.get("risk_coverage", {}).get(split)
    return {
        "split": split,
        "temperature": decisions.get("temperature", 1.0),
        "ece": decisions["ece"],
        "abstain": abstain,
        "scope": _scope(decisions.get("out_of_scope"), split),
        "reliability": chart(figures.reliability, bins, title=f"Accuracy against confidence on {split}")
        if bins
        else None,
        "risk_coverage": chart(figures.risk_coverage, points, _mark(abstain, split), title=f"Risk by coverage, {split}")
        if points
        else None,
    }


def _scope(found, split):
    """The "out_of_scope" of results.json's "decisions" with a histogram for `split`, or the split that has one."""
    beside = (found or {}).get("told_apart") or {}
    split = split if split in beside else next(iter(beside), None)
    if split is None:
        return found
    counts, title = beside[split]["histogram"], f"Texts in and out of scope by their score, {split}"
    drawn = chart(figures.in_and_out_of_scope, counts, found["limit"], found["score"], title=title)
    return found | {"split": split, "chart": drawn}


def _mark(abstain, split):
    """(coverage, risk) at which the model abstains; None where it never does."""
    found = (abstain or {}).get(split) or {}
    return (found["coverage"], 1 - found["precision"]) if found.get("precision") is not None else None


def _files(path):
    """[(name, bytes)] of the large things in the workdir."""
    names = ("checkpoints/best.safetensors", "checkpoints/last.safetensors", "predictions.jsonl")
    return [(name, (path / name).stat().st_size) for name in names if (path / name).is_file()]
