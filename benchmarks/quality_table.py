"""Prints the quality benchmark: per seed and on average, Slipway beside transformers' Trainer."""

from benchmarks.quality_figures import SIDES

_SHOWN = {"difference": ("diff", "+"), "ratio": ("ratio", "")}


def summarise(results, figures):
    """`{(side, seed): result}` → [{"seed": 1, "dev": {"reference": 83.1, "slipway": …, "difference": …}, …}, … mean].

    Shares are in percent and their differences in points. The mean covers only seeds that both sides have, or all seeds
    of the only side that has any.
    """
    seeds = sorted({seed for _, seed in results})
    rows = [_row(seed, {side: results.get((side, seed)) for side in SIDES}, figures) for seed in seeds]
    sides = {side for side, _ in results}
    whole = [row for row in rows if all(row["dev"][side] is not None for side in sides)]
    return [*rows, _mean(whole, figures)] if whole else rows


def _row(seed, by_side, figures):
    found = {figure.key: [figure.of(by_side[side]) for side in SIDES] for figure in figures}
    return {"seed": seed} | _compared(found, figures)


def _mean(rows, figures):
    found = {}
    for figure in figures:
        by_side = [[row[figure.key][side] for row in rows] for side in SIDES]
        found[figure.key] = [None if None in values else sum(values) / len(values) for values in by_side]
    return {"seed": f"mean of {len(rows)}"} | _compared(found, figures)


def _compared(found, figures):
    """{key: {"reference", "slipway" and what compares them}} of {key: [reference, ours]}."""
    row = {}
    for figure in figures:
        row[figure.key] = dict(zip(SIDES, found[figure.key], strict=True))
        if figure.against:
            row[figure.key][figure.against] = figure.compare(*found[figure.key])
    return row


def format_table(dataset, rows, figures, footer):
    """The table as text: one line per seed, one for the mean, and the footer's lines."""
    heads = ["data set", "seed"]
    for figure in figures:
        heads += [f"{figure.head} ref", f"{figure.head} ours"]
        heads += [_SHOWN[figure.against][0]] if figure.against else []
    return layout([heads, *(_cells(dataset, row, figures) for row in rows)], footer)


def _cells(dataset, row, figures):
    cells = [dataset, str(row["seed"])]
    for figure in figures:
        found = row[figure.key]
        cells += [show(found[side], figure.form) for side in SIDES]
        if figure.against:
            form = ".2f" if figure.against == "ratio" else figure.form
            cells.append(show(found[figure.against], _SHOWN[figure.against][1] + form))
    return cells


def show(value, form):
    """A number as text; a dash where there is none."""
    return "-" if value is None else format(value, form)


def layout(lines, footer):
    """Lines of cells as text, the first over a rule, all aligned to the right; below another rule, the footer."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = ["  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
    rule = "-" * len(text[0])
    return "\n".join([text[0], rule, *text[1:], rule, *footer])
