"""Prints the quality benchmark: per seed and on average, Slipway beside transformers' Trainer."""

SIDES = ("reference", "slipway")
COLUMNS = (
    *("data set", "seed", "dev ref %", "dev ours %", "diff", "test ref %", "test ours %", "diff"),
    *("F1 ref %", "F1 ours %", "min ref", "min ours", "ex/s ref", "ex/s ours", "ratio"),
)
# How to reach each figure in a result, and what to multiply it with for print.
FIGURES = {
    "dev": ("dev", "accuracy", 100.0),
    "test": ("test", "accuracy", 100.0),
    "macro_f1": ("test", "macro_f1", 100.0),
    "minutes": ("train", "seconds", 1 / 60),
    "examples_per_second": ("train", "examples_per_second", 1.0),
}


def summarise(results):
    """`{(side, seed): result}` → [{"seed": 1, "dev": {"reference": 83.1, "slipway": …, "difference": …}, …}, … mean].

    Accuracy and F1 in percent, difference in points (ours − reference), ratio of examples per second (ours /
    reference). The mean covers only seeds that both sides have, or all seeds of the only side that has any.
    """
    seeds = sorted({seed for _, seed in results})
    rows = [_row(seed, {side: results.get((side, seed)) for side in SIDES}) for seed in seeds]
    sides = {side for side, _ in results}
    whole = [row for row in rows if all(row["dev"][side] is not None for side in sides)]
    return [*rows, _mean(whole)] if whole else rows


def _row(seed, by_side):
    row = {"seed": seed}
    for figure, (group, name, scale) in FIGURES.items():
        row[figure] = {side: _figure(by_side[side], group, name, scale) for side in SIDES}
    return _compare(row)


def _figure(result, group, name, scale):
    value = (result or {}).get(group, {}).get(name)
    return None if value is None else value * scale


def _mean(rows):
    mean = {"seed": f"mean of {len(rows)}"}
    for figure in FIGURES:
        mean[figure] = {}
        for side in SIDES:
            values = [row[figure][side] for row in rows]
            mean[figure][side] = None if None in values else sum(values) / len(values)
    return _compare(mean)


def _compare(row):
    for figure in FIGURES:
        reference, ours = (row[figure][side] for side in SIDES)
        both = reference is not None and ours is not None
        if figure in ("dev", "test", "macro_f1"):
            row[figure]["difference"] = ours - reference if both else None
        if figure == "examples_per_second":
            row[figure]["ratio"] = ours / reference if both and reference else None
    return row


def format_table(dataset, rows, footer):
    """The table as text: one line per seed, one for the mean, and the footer's lines."""
    lines = [COLUMNS, *(_cells(dataset, row) for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(COLUMNS))]
    text = ["  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
    rule = "-" * len(text[0])
    return "\n".join([text[0], rule, *text[1:], rule, *footer])


def _cells(dataset, row):
    speed = row["examples_per_second"]
    cells = [dataset, str(row["seed"])]
    for figure in ("dev", "test"):
        cells += [_show(row[figure][side], ".2f") for side in SIDES] + [_show(row[figure]["difference"], "+.2f")]
    cells += [_show(row["macro_f1"][side], ".2f") for side in SIDES]
    cells += [_show(row["minutes"][side], ".1f") for side in SIDES]
    return cells + [_show(speed[side], ".1f") for side in SIDES] + [_show(speed["ratio"], ".2f")]


def _show(value, form):
    return "-" if value is None else format(value, form)
