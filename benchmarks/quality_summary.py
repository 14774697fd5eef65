"""One table over all data sets of the quality benchmark: the mean over seeds, and the difference of each seed."""

from benchmarks.quality_datasets import DATASETS
from benchmarks.quality_figures import SIDES, quality_of
from benchmarks.quality_notes import BY_DESIGN, SHARES
from benchmarks.quality_table import show

HEADS = ("data set", "task", "metric", "reference", "ours", "difference", "each seed")
NOTES = (f"on test, means over the seeds that both sides have; {SHARES}; mse as it is", BY_DESIGN[0])


def summary_of(name, rows):
    """[{"dataset", "task", "metric", "reference", "slipway", "difference", "by_seed": […]}, …] of a data set.

    rows: of quality_table.summarise. A figure that no side has is left out.
    """
    if not rows or isinstance(rows[-1]["seed"], int):  # no mean: there is no seed that both sides have
        return []
    *seeds, mean = rows
    found = []
    for figure in _on_test(name):
        if any(mean[figure.key][side] is not None for side in SIDES):
            line = {"dataset": name, "task": DATASETS[name].task, "metric": figure.metric} | mean[figure.key]
            differences = [row[figure.key]["difference"] for row in seeds]
            found.append(line | {"by_seed": [one for one in differences if one is not None]})
    return found


def _on_test(name):
    return [figure for figure in quality_of(name) if figure.group != "dev"]  # by which the weights were chosen


def summary_cells(lines):
    """Cells of the table, its heads first."""
    return [HEADS, *map(_cells, lines)]


def _cells(line):
    form = next(figure.form for figure in _on_test(line["dataset"]) if figure.metric == line["metric"])
    return (
        *(line[name] for name in ("dataset", "task", "metric")),
        *(show(line[side], form) for side in SIDES),
        show(line["difference"], "+" + form),
        " ".join(show(one, "+" + form) for one in line["by_seed"]),
    )
