"""The tables that `python -m data.doctor` prints."""

import sys

import rich.box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

EXAMPLES, LABELS, NOISE = 5, 8, 20  # of each finding; of each file; suspicious labels
_STYLE = {"error": "bold red", "warning": "yellow", "note": "dim"}


def print_report(report, file=None):
    """Prints a Report: files, overlaps by both keys, lengths, then the findings with their first examples."""
    stream = file or sys.stdout
    # Elsewhere than on a terminal nothing is folded: file:line must stay one word.
    console = Console(file=stream, width=None if stream.isatty() else 200, highlight=False)
    console.print(files(report))
    if report.overlaps:
        console.print(overlap_table(report))
    if report.lengths.get("max") is not None:
        console.print(length_table(report))
    for finding in report.findings:
        console.print(_headline(finding), soft_wrap=True)
        for example in finding.examples[:EXAMPLES]:
            same = f"  = {example['same_as']}" if "same_as" in example else ""
            line = f"    [cyan]{escape(example['where'])}[/]{escape(same)}  {escape(example['text'])}"
            console.print(line, soft_wrap=True)
    if report.noise:
        console.print(noise_table(report))
    console.print(verdict(report))


def files(report):
    """Table of one row per file: rows, and rows of the most frequent labels."""
    table = _table("files", "file", "split", "rows", "labels")
    for file in report.files:
        counts = list(file["labels"].items())
        more = f", … ({len(counts)} labels)" if len(counts) > LABELS else ""
        listed = ", ".join(f"{label} {count:,}" for label, count in counts[:LABELS]) + more
        table.add_row(*map(escape, (file["path"], file["split"] or "", f"{file['rows']:,}", listed)))
    return table


def overlap_table(report):
    """Rows of a file that stand in another, or earlier in the same, by both keys and by MinHash."""
    exact, near, similar = "exact: white space collapsed", "near: letters and digits", "nearly alike: MinHash"
    table = _table("same texts", "rows of", "that are also in", exact, near, similar)
    for column in table.columns[2:]:
        column.justify = "right"
    for one in report.overlaps:
        inside = "itself, in an earlier row" if one["in"] == one["file"] else one["in"]
        similar = "" if one["similar"] is None else f"{one['similar']:,}"
        table.add_row(escape(one["file"]), escape(inside), f"{one['exact']:,}", f"{one['near']:,}", similar)
    return table


def length_table(report):
    """Percentiles of lengths."""
    lengths = report.lengths
    names = list(lengths["characters"])
    table = _table("lengths", "", *names)
    for unit, values in ((lengths["unit"], lengths), ("characters", lengths["characters"])):
        table.add_row(unit, *(f"{values[name]:,}" for name in names))
    return table


def noise_table(report):
    """The labels that look most wrong."""
    table = _table("suspicious labels, the worst first (score: how likely the given label is right)")
    for name in ("row", "given", "rather", "score", "text"):
        table.add_column(name)
    for one in report.noise[:NOISE]:
        text = one["text"].partition("] ")[2]
        table.add_row(*map(escape, (one["where"], one["label"], one["suggested"], f"{one['score']:.3f}", text)))
    return table


def verdict(report):
    """The last line."""
    counts = {kind: sum(finding.severity == kind for finding in report.findings) for kind in _STYLE}
    said = ", ".join(f"{count} {kind}{'' if count == 1 else 's'}" for kind, count in counts.items())
    return f"{said}: " + ("this would spoil a run" if report.errors else "nothing that would spoil a run")


def _headline(finding):
    return f"[{_STYLE[finding.severity]}]{finding.severity}[/] [bold]{finding.check}[/]: {escape(finding.message)}"


def _table(title, *columns):
    return Table(*columns, title=title, title_justify="left", box=rich.box.SIMPLE)
