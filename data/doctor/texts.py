"""Checks of one text at a time: empty ones, placeholders, lost and broken characters, markup, personal data."""

import dataclasses
from collections.abc import Callable

from data import blemishes
from data.doctor import personal
from data.doctor.findings import ERROR, WARNING, Tally

# What pandas and spreadsheets write where a text was missing.
_PLACEHOLDERS = frozenset("nan none null n/a na <na> #n/a #n/a! #value! #ref! undefined".split())
_LABEL_PLACEHOLDERS = _PLACEHOLDERS - {"none", "na", "undefined"}  # which are real labels now and then


@dataclasses.dataclass(frozen=True)
class Look:
    """A check of single texts: `holds(text)` says whether a text has it; `{}` in the message is the count of rows."""

    check: str
    severity: str
    message: str
    holds: Callable


LOOKS = (
    Look("empty_text", WARNING, "{} rows have no text", lambda text: not text or text.isspace()),
    Look(
        "placeholder_text",
        WARNING,
        "{} rows say nan, null or the like instead of a text",
        lambda text: len(text) < 12 and text.strip().lower() in _PLACEHOLDERS,
    ),
    Look(
        "replacement_characters",
        WARNING,
        "{} rows hold U+FFFD: characters that were lost before this file was written",
        blemishes.has_replacement,
    ),
    Look(
        "mojibake",
        WARNING,
        "{} rows were read in a wrong encoding before they were written (data.clean --fix=mojibake)",
        blemishes.has_mojibake,
    ),
    Look("html_tags", WARNING, "{} rows hold HTML tags (data.clean --fix=html)", blemishes.has_tags),
    Look("html_entities", WARNING, "{} rows hold HTML entities (data.clean --fix=html)", blemishes.has_entities),
    Look(
        "control_characters",
        WARNING,
        "{} rows hold control or invisible characters (data.clean --fix=control)",
        blemishes.has_control,
    ),
)


class Texts:
    """Counts the rows in which a Look finds something, in the text or in its pair."""

    def __init__(self, looks=LOOKS):
        self.tallies = [(look, Tally()) for look in looks]

    def see(self, chunk, source):
        for look, tally in self.tallies:
            hits = {row for cells in (chunk.texts, chunk.pairs or ()) for row in _holding(look.holds, cells)}
            for row in sorted(hits):
                both = (chunk.texts[row], *([chunk.pairs[row]] if chunk.pairs else []))
                tally.add(chunk.where(row), next(text for text in both if look.holds(text)))

    def findings(self):
        return [
            finding for look, tally in self.tallies for finding in tally.found(look.check, look.severity, look.message)
        ]


class Cells:
    """Labels that are missing, and headers that stand among the rows, as in files pasted together."""

    def __init__(self):
        self.empty, self.placeholder, self.header = Tally(), Tally(), Tally()

    def see(self, chunk, source):
        if chunk.labels is None:
            return
        names = (source.text_column, source.label_column)
        for row, label in enumerate(chunk.labels):
            if not label or label.isspace():
                self.empty.add(chunk.where(row), chunk.texts[row])
            elif len(label) < 12 and label.strip().lower() in _LABEL_PLACEHOLDERS:
                self.placeholder.add(chunk.where(row), f"[{label}] {chunk.texts[row]}")
            elif (chunk.texts[row], label) == names:
                self.header.add(chunk.where(row), f"[{label}] {chunk.texts[row]}")

    def findings(self):
        return [
            *self.empty.found("empty_label", ERROR, "{} rows have no label"),
            *self.placeholder.found("placeholder_label", ERROR, "{} rows say nan, null or the like instead of a label"),
            *self.header.found("header_row", ERROR, "{} rows repeat the header: were files pasted together?"),
        ]


class Personal:
    """Counts the rows that probably hold personal data, by kind; examples are masked."""

    def __init__(self):
        self.tallies = {kind: Tally() for kind in personal.KINDS}

    def see(self, chunk, source):
        for cells in (chunk.texts, chunk.pairs or ()):
            for row, text in enumerate(cells):
                for kind in {kind for kind, _, _ in personal.find(text)}:
                    self.tallies[kind].add(chunk.where(row), text)

    def findings(self):
        return [
            finding
            for kind, tally in self.tallies.items()
            for finding in tally.found(
                f"personal_{kind}", WARNING, f"{{}} texts hold what look like {personal.KINDS[kind]}"
            )
        ]


def _holding(holds, cells):
    return (row for row, text in enumerate(cells) if holds(text))
