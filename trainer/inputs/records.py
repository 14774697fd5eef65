"""Rows of sources that hold values instead of lines: their number takes the place of the line, counting from 1."""

from trainer.inputs.cells import as_text, named, not_utf8
from trainer.inputs.columns import Columns
from trainer.inputs.readers import Fault


def found(known, wanted, fault):
    """Whether a source with the columns `known` has all that are wanted; `fault` is told where not."""
    try:
        Columns(list(known), wanted)
    except ValueError as error:
        fault(Fault(1, "columns", str(error)))
        return False
    return True


def rows(columns, wanted, fault, classes, first=1):
    """Yields (number, cells) of values that stand side by side.

    Args:
        columns: an iterable of values for each wanted column. classes: {column: names of its class numbers}.
        first: number of the first row.
    """
    for number, values in enumerate(zip(*columns, strict=True), first):
        named_values = (named(value, classes.get(column)) for value, column in zip(values, wanted, strict=True))
        try:
            cells = list(map(as_text, named_values, wanted))
        except ValueError as error:
            fault(Fault(number, "value", str(error)))
            continue
        spoilt = next((c for c, cell in zip(wanted, cells, strict=True) if not_utf8(cell)), None)
        if spoilt is not None:
            fault(Fault(number, "encoding", f"column '{spoilt}' is not UTF-8"))
        yield number, cells


def first_line(message, error):
    """The first line of what a library says in many; the error's name where it says nothing."""
    return (message.strip().splitlines() or [type(error).__name__])[0].rstrip(". ")
