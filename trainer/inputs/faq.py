"""The entries of a FAQ file: a question and its answer a row, and an id where one answer has several questions."""

import dataclasses
import hashlib
import json

import numpy as np

from trainer.config import UserError
from trainer.inputs.sources import read_table

_ID, _QUESTION, _ANSWER = "id", "question", "answer"


@dataclasses.dataclass(frozen=True)
class Faq:
    """ids, answers: lists of str, of each entry. questions: list of str; entry: `<int32>[questions]`."""

    ids: list
    answers: list
    questions: list
    entry: np.ndarray

    @property
    def fingerprint(self):
        """`sha256:…` over all of it."""
        content = json.dumps([self.ids, self.answers, self.questions, self.entry.tolist()], ensure_ascii=True)
        return "sha256:" + hashlib.sha256(content.encode()).hexdigest()


def read_faq(path):
    """Faq of a file with the columns question, answer and, where answers have several questions, id.

    Raises UserError, with file:line, for an empty question or answer, and for two answers with one id.
    """
    try:
        table = read_table(path, _QUESTION, _ANSWER, _ID, empty=True)
    except UserError as error:
        if f"no column '{_ID}'" not in str(error):
            raise
        table = read_table(path, _QUESTION, _ANSWER, need_labels=False)
    answers, entry = {}, []
    for row, (question, answer) in enumerate(zip(table.texts, table.pairs, strict=True)):
        own = table.labels[row] if table.labels else str(row + 1)
        empty = [name for name, cell in ((_QUESTION, question), (_ANSWER, answer), (_ID, own)) if not cell.strip()]
        if empty:
            raise UserError(f"{table.where(row)}: the {empty[0]} is empty; every entry needs one")
        if answers.setdefault(own, answer) != answer:
            raise UserError(f"{table.where(row)}: the id '{own}' stands for two answers; give each an id of its own")
        entry.append(own)
    place = {own: number for number, own in enumerate(answers)}
    questions = [str(text) for text in table.texts]
    return Faq(list(answers), list(answers.values()), questions, np.array([place[each] for each in entry], np.int32))
