"""Gold answers to the question of each row, which stand in its context, as a label column."""

import dataclasses
import json
import sys

from trainer.config import UserError
from trainer.inputs.answers_column import FORMS, AnswersColumn
from trainer.inputs.label_kind import LabelKind

_SHOWN = 3  # of the answers that do not fit
KINDS = ("answerable", "unanswerable")


@dataclasses.dataclass(frozen=True)
class Answers(LabelKind):
    """A label column of answers; see label_kind.py. share: of them that may not stand where they say."""

    share: float = 0.01

    name, may_be_empty, held_out_by = "answers", True, "pair"

    def column(self, name):
        return AnswersColumn(name)

    def normalised(self, table):
        """The Table with answers that stand in their context, each cell the JSON of {"id", "answers"}.

        Those that do not are listed and left out, and with them the rows that have no other. Raises UserError, with
        file:line, where they are too many, and for what is no list of answers.
        """
        cells, kept, wrong, count = [], [], [], 0
        for row, (context, cell) in enumerate(zip(table.pairs, table.labels, strict=True)):
            given = self._given(table.where(row), cell)
            faults = [_fault(context, *answer) for answer in given["answers"]]
            fit = [answer for answer, fault in zip(given["answers"], faults, strict=True) if not fault]
            count += len(faults)
            named = f"{table.where(row)}: " + (f"question {given['id']!r}: " if given["id"] else "")
            wrong += [named + fault for fault in faults if fault]
            if fit or not faults:
                kept.append(row)
            cells.append(json.dumps(given | {"answers": fit}, ensure_ascii=False))
        self._tell(wrong, count, len(table) - len(kept))
        table = dataclasses.replace(table, labels=cells)
        return table if len(kept) == len(table) else table.take(kept)

    def check(self, table):
        if not any(answers_in(cell) for cell in table.labels):
            raise UserError(f"{table.path}: no row has an answer; {FORMS}")

    def strata(self, cells):
        return [_kind(cell) for cell in cells]

    def learned(self, splits):
        """Whether training rows hold questions that have no answer: only then may the model say so."""
        self.check(splits.train)
        counts = {name: self.counts(table.labels, {}) for name, table in splits.named().items()}
        unanswerable = counts["train"]["unanswerable"] > 0
        for name, each in counts.items():
            if each["unanswerable"] and not unanswerable:
                print(
                    f"note: {each['unanswerable']} of {sum(each.values())} questions of {name} have no answer, and "
                    "none of train: the model will answer every question, and those count as wrong",
                    file=sys.stderr,
                )
        return {"unanswerable": unanswerable}

    def counts(self, cells, learned):
        """{kind of question: rows}."""
        kinds = self.strata(cells)
        return {kind: kinds.count(kind) for kind in KINDS}

    def class_weights(self, spec, cells, learned):
        if spec not in ("", "none"):
            raise UserError(f"--class_weights={spec}: answers have none; give --class_weights=none")

    def _given(self, where, cell):
        """{"id", "answers"} of a cell as it was given. Raises UserError."""
        try:
            return json.loads(self.column("answers").joined(json.loads(cell or "[]")))
        except ValueError as error:
            said = f"not JSON at character {error.colno}" if isinstance(error, json.JSONDecodeError) else str(error)
            raise UserError(f"{where}: the answers are {said}; {FORMS}") from error

    def _tell(self, wrong, count, rows):
        if not wrong:
            return
        first = "; ".join(wrong[:_SHOWN]) + (f"; and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else "")
        told = f"{len(wrong)} of {count} answers do not stand in their context"
        if len(wrong) > self.share * count:
            raise UserError(f"{told}, allowed is a share of {self.share:g} (--unmatched_share): {first}")
        print(f"note: {told} and are left out, {rows} questions with them: {first}", file=sys.stderr)


def answers_in(cell):
    """[[start, text], …] in a cell that was made by `normalised`."""
    return json.loads(cell)["answers"]


def _kind(cell):
    return KINDS[0] if answers_in(cell) else KINDS[1]


def _fault(context, start, text):
    if not text.strip():
        return "an answer without text"
    if not 0 <= start <= len(context) - len(text):
        return f"'{text[:40]}' at {start} lies outside of the context of {len(context)} characters"
    found = context[start : start + len(text)]
    return "" if found == text else f"the context has '{found[:40]}' at {start} and not '{text[:40]}'"
