"""A paired benchmark's summary for people: one table, its notes, and one picture."""

import rich.box
import rich.table

from trainer.modes.tables import console

_OURS, _PEER = "#1f6f8b", "#b9b4a7"


def show(title, result, stem):
    """Prints the table and below it what was skipped, the versions, the machine and where the files lie."""
    found = console()
    found.print(_table(title, result["summary"]))
    for side, reason in result["skipped"].items():
        found.print(f"skipped: {side}: {reason}")
    for side, versions in result["versions"].items():
        found.print(f"{side}: {', '.join(f'{name} {version}' for name, version in versions.items())}")
    for note in [*result["notes"], result["machine"], f"kept: {stem}.json, {stem}.png"]:
        found.print(note)


def _table(title, summary):
    ours, (unit, scale) = _our_names(summary), unit_of(summary)
    table = rich.table.Table(title=title, title_justify="left", box=rich.box.SIMPLE)
    for head in ("case", "side", f"{unit} (min–max)", f"p99 {unit}", *(f"{own}: × as fast" for own in ours)):
        table.add_column(head, justify="left" if head in ("case", "side") else "right")
    for case, sides in summary.items():
        for number, (side, figures) in enumerate(sides.items()):
            shares = [spread_of(figures["ratios"][own], 1) if own in figures["ratios"] else "" for own in ours]
            p99 = _digits(figures["p99"] * scale) if figures["p99"] else ""
            table.add_row(case if number == 0 else "", side, spread_of(figures["seconds"], scale), p99, *shares)
        table.add_section()
    return table


def unit_of(summary):
    """("ms" or "s", how many of them are a second): seconds where no side of any case is done within one."""
    least = min(figures["seconds"]["median"] for sides in summary.values() for figures in sides.values())
    return ("s", 1) if least > 1 else ("ms", 1000)


def spread_of(figures, scale):
    """`median (min–max)` with three digits that count."""
    return "{} ({}–{})".format(*(_digits(figures[name] * scale) for name in ("median", "min", "max")))


def _digits(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _our_names(summary):
    """Our sides are those that others have a ratio to."""
    names = {own: None for sides in summary.values() for figures in sides.values() for own in figures["ratios"]}
    return list(names)


def draw(path, title, summary, machine):
    """Bars of the median time of every side, a panel per case; lines from least to most."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    ours, (unit, scale) = _our_names(summary), unit_of(summary)
    most = max(map(len, summary.values()))
    figure, panels = pyplot.subplots(
        len(summary), 1, figsize=(9, len(summary) * (0.9 + 0.32 * most)), squeeze=False, layout="constrained"
    )
    for panel, (case, sides) in zip(panels[:, 0], summary.items(), strict=True):
        spreads = [{name: value * scale for name, value in each["seconds"].items()} for each in sides.values()]
        medians = [each["median"] for each in spreads]
        errors = [[m - s["min"] for m, s in zip(medians, spreads, strict=True)]]
        errors.append([s["max"] - m for m, s in zip(medians, spreads, strict=True)])
        colours = [_OURS if side in ours else _PEER for side in sides]
        panel.barh(list(sides), medians, xerr=errors, color=colours, ecolor="#444444", capsize=2)
        panel.invert_yaxis()
        panel.set_title(case, loc="left", fontsize=10)
        panel.set_xlabel(f"{unit}, median and least to most of the rounds")
    figure.suptitle(title, fontsize=12)
    figure.supxlabel(machine, fontsize=7)
    figure.savefig(path, dpi=150)
    pyplot.close(figure)
