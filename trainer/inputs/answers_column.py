"""Cells of gold answers to a question, as the JSON text `{"id": …, "answers": [[start, text], …]}`."""

import json

from trainer.inputs.cells import ArrayColumn, as_text

FORMS = (
    'allowed are {"text": [answer, …], "answer_start": [start, …]}, [{"text": answer, "answer_start": start}, …], '
    "[[start, answer], …] and [] where there is no answer"
)


class AnswersColumn(ArrayColumn):
    """Name of a column whose cells are the answers to a question that stand in its context, in any of FORMS."""

    empty = "[]"
    takes_objects = True

    def joined(self, values):
        identity, answers = "", values
        if isinstance(values, dict) and "answers" in values:
            identity, answers = as_text(values.get("id", ""), str(self)), values["answers"]
        try:
            found = [_answer(*pair) for pair in _pairs(answers)]
        except (TypeError, ValueError) as error:
            raise ValueError(f"column '{self}' has {str(answers)[:60]} for answers; {FORMS}") from error
        return json.dumps({"id": identity, "answers": found}, ensure_ascii=False)


def _pairs(answers):
    """(start, text) of each answer."""
    if isinstance(answers, dict):
        return zip(answers["answer_start"], answers["text"], strict=True) if _is_whole(answers) else [()]
    return [
        (each.get("answer_start"), each.get("text")) if isinstance(each, dict) else tuple(each)
        for each in ([] if answers is None else answers)
    ]


def _is_whole(answers):
    lists = [answers.get("answer_start"), answers.get("text")]
    return all(isinstance(each, (list, tuple)) or getattr(each, "shape", ()) != () for each in lists)


def _answer(start, text):
    if isinstance(start, bool) or not isinstance(text, (str, bytes)):
        raise TypeError("an answer is a number and a text")
    return [int(start), as_text(text, "text")]
