"""The figures of the quality benchmark: where each lies in a result, and how it is printed and compared."""

import dataclasses

from benchmarks import out_of_scope
from benchmarks.quality_datasets import DATASETS

SIDES = ("reference", "slipway")


@dataclasses.dataclass(frozen=True)
class Figure:
    """One figure of a run.

    key: its name in the JSON. head: over its columns. group, metric: its place in a result. against: "difference"
    (ours − reference), "ratio" (ours / reference) or "".
    """

    key: str
    head: str
    group: str
    metric: str
    scale: float = 100.0
    form: str = ".2f"
    against: str = "difference"

    def of(self, result):
        """The figure in a result, None where it is not there or there is no result."""
        value = ((result or {}).get(self.group) or {}).get(self.metric)
        return None if value is None else value * self.scale

    def compare(self, reference, ours):
        """How ours stands to the reference, None where one of them is missing."""
        if None in (reference, ours) or not (self.against == "difference" or reference):
            return None
        return ours - reference if self.against == "difference" else ours / reference


def _chosen_by(metric):
    return Figure("dev", "dev", "dev", metric), Figure("test", "test", "test", metric)


_MACRO_F1 = Figure("macro_f1", "F1", "test", "macro_f1")
_OUT_OF_SCOPE = (
    Figure("out_of_scope", "AUROC", "out_of_scope", "auroc"),
    *(Figure(f"auroc_{name}", f"AUROC {name}", "out_of_scope", f"auroc_{name}") for name in out_of_scope.OWN),
)
_OF_TASK = {
    "classification": (*_chosen_by("accuracy"), _MACRO_F1),
    "regression": (
        *_chosen_by("spearman"),
        Figure("pearson", "pearson", "test", "pearson"),
        Figure("mse", "MSE", "test", "mse", scale=1.0, form=".4f"),
    ),
    "tagging": (
        *_chosen_by("span_f1"),
        Figure("dev_precision", "dev prec", "dev", "span_precision"),
        Figure("precision", "prec", "test", "span_precision"),
        Figure("dev_recall", "dev rec", "dev", "span_recall"),
        Figure("recall", "rec", "test", "span_recall"),
    ),
    "span_qa": (
        *_chosen_by("f1"),
        Figure("dev_exact_match", "dev EM", "dev", "exact_match"),
        Figure("exact_match", "EM", "test", "exact_match"),
    ),
    "multi_label": (*_chosen_by("micro_f1"), _MACRO_F1),
}
_COST = (
    Figure("minutes", "min", "train", "seconds", 1 / 60, ".1f", against=""),
    Figure("examples_per_second", "ex/s", "train", "examples_per_second", 1.0, ".1f", against="ratio"),
)


def quality_of(name):
    """Figures of quality of a data set; the first two are on dev and on test what the best epoch is chosen by."""
    dataset = DATASETS[name]
    return _OF_TASK[dataset.task] + (_OUT_OF_SCOPE if dataset.out_of_scope else ())


def figures_of(name):
    """All figures of a data set, in the order of the table."""
    return quality_of(name) + _COST


def metric_of(name):
    """The metric that dev and test show, and by which ours keeps its best epoch."""
    return quality_of(name)[0].metric
