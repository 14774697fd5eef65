"""Spans of characters in each text, as a label column: `[[start, end, label], …]`, or a tag for each word."""

import collections
import dataclasses
import json
import sys

from trainer.config import UserError
from trainer.inputs.cells import ArrayColumn
from trainer.inputs.label_kind import LabelKind
from trainer.inputs.labels import did_you_mean
from trainer.inputs.span_column import FORMS, SpanColumn
from trainer.inputs.tags import spans_of_tags

_SHOWN = 3  # of the spans that do not fit


@dataclasses.dataclass(frozen=True)
class Spans(LabelKind):
    """A label column of spans; see label_kind.py.

    scheme: of tags, see tags.py. share: of the spans that may not fit their text; more are refused.
    """

    scheme: str = "BIO"
    share: float = 0.01

    name, may_be_empty = "spans", True

    def text_column(self, name):
        return ArrayColumn(name)

    def column(self, name):
        return SpanColumn(name, self.scheme)

    def normalised(self, table):
        """The Table with spans that fit their text, each cell the JSON of [[start, end, label], …] in order.

        Those that do not are listed and left out. Raises UserError, with file:line, where they are too many, and for
        what is no list of spans or tags.
        """
        cells, wrong, count = [], [], 0
        for row, (text, cell) in enumerate(zip(table.texts, table.labels, strict=True)):
            given = self._given(table.where(row), text, cell)
            fit, faults = fitting(text, given)
            count += len(given)
            wrong += [f"{table.where(row)}: {fault}" for fault in faults]
            cells.append(json.dumps(fit, ensure_ascii=False))
        self._tell(wrong, count)
        return dataclasses.replace(table, labels=cells)

    def check(self, table):
        if not self._counts(table.labels):
            raise UserError(f"{table.path}: no row has a span; {FORMS}")

    def strata(self, cells):
        """Of each row its rarest type of span."""
        counts = self._counts(cells)
        return [min(types_in(cell), key=lambda kind: (counts[kind], kind), default="") for cell in cells]

    def learned(self, splits):
        self.check(splits.train)
        vocabulary = sorted(self._counts(splits.train.labels))
        for name, table in splits.named().items():
            for row, cell in enumerate(table.labels):
                for kind in types_in(cell):
                    if kind not in vocabulary:
                        hint = did_you_mean(kind, vocabulary)
                        raise UserError(f"{table.where(row)}: label '{kind}' of {name} is in no training row{hint}")
        return {"labels": vocabulary}

    def counts(self, cells, learned):
        """{label: spans}."""
        return dict.fromkeys(learned["labels"], 0) | self._counts(cells)

    def class_weights(self, spec, cells, learned):
        if spec not in ("", "none"):
            raise UserError(f"--class_weights={spec}: spans have none; give --class_weights=none")

    def _counts(self, cells):
        return collections.Counter(kind for cell in cells for kind in types_in(cell))

    def _given(self, where, text, cell):
        """The spans in a cell as they were given. Raises UserError."""
        if cell and not cell.startswith("["):
            return self._tagged(where, text, cell.split())
        try:
            found = json.loads(cell or "[]")
            column = self.column("spans")
            return json.loads(column.joined(found)) if found else []
        except ValueError as error:
            said = f"not JSON at character {error.colno}" if isinstance(error, json.JSONDecodeError) else str(error)
            raise UserError(f"{where}: the spans are {said}; {FORMS}") from error

    def _tagged(self, where, text, tags):
        words, bounds, at = text.split(), [], 0
        if len(words) != len(tags):
            raise UserError(f"{where}: {len(tags)} tags for {len(words)} words; {FORMS}, the words between spaces")
        for word in words:
            start = text.index(word, at)
            at = start + len(word)
            bounds.append((start, at))
        try:
            return spans_of_tags(tags, bounds, self.scheme)
        except ValueError as error:
            raise UserError(f"{where}: {error}; --tag_scheme={self.scheme} reads no other") from error

    def _tell(self, wrong, count):
        if not wrong:
            return
        first = "; ".join(wrong[:_SHOWN]) + (f"; and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else "")
        if len(wrong) > self.share * count:
            raise UserError(
                f"{len(wrong)} of {count} spans do not fit their text, allowed is a share of {self.share:g} "
                f"(--unmatched_share): {first}"
            )
        print(f"note: {len(wrong)} of {count} spans do not fit their text and are left out: {first}", file=sys.stderr)


def fitting(text, spans):
    """([[start, end, label]] that fit `text`, in their order, and of the others what is wrong with each)."""
    fit, faults = [], []
    for start, end, kind, *said in sorted(spans, key=lambda span: (span[0], -span[1])):
        fault = _fault(text, start, end, kind, said, fit[-1][1] if fit else 0)
        if fault:
            faults.append(fault)
        else:
            fit.append([start, end, kind])
    return fit, faults


def types_in(cell):
    """The labels of the spans in a cell that was made by `normalised`, each once."""
    return tuple(dict.fromkeys(kind for _, _, kind in json.loads(cell)))


def _fault(text, start, end, kind, said, taken):
    if not 0 <= start < end <= len(text):
        return f"span {start} to {end} lies outside of its text of {len(text)} characters"
    if not kind:
        return f"'{text[start:end][:40]}' has no label, or its tag continues nothing"
    if said and said[0] != text[start:end]:
        return f"span {start} to {end} is '{text[start:end][:40]}' and not '{said[0][:40]}'"
    if start < taken:
        return f"span {start} to {end} ('{text[start:end][:40]}') overlaps another"
    return ""
