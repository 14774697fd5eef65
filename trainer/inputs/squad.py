"""Questions of SQuAD files, 1.1 and 2.0: `.json` of articles, their paragraphs, and the questions to each.

Read as rows with the columns question, context, answers, id and title; the number of a question in the file, counting
from 1, takes the place of the line. Source: Rajpurkar et al., EMNLP 2016 and ACL 2018.
"""

import json

from trainer.inputs.cells import as_text, not_utf8
from trainer.inputs.columns import unknown_column
from trainer.inputs.readers import Fault, open_text

COLUMNS = ["question", "context", "answers", "id", "title"]
_FORM = '{"data": [{"paragraphs": [{"context": …, "qas": [{"question": …, "id": …, "answers": […]}]}]}]}'


def read(path, wanted, fault):
    """Yields (number of the question, cells), see trainer/inputs/sources.py."""
    absent = next((column for column in wanted if column not in COLUMNS), None)
    if absent is not None:
        hint = ".json is read as SQuAD is; an object a line, with columns of any name, is .jsonl"
        fault(Fault(1, "columns", f"{unknown_column(absent, COLUMNS)}; {hint}"))
        return
    number, bad = 0, _Bad(fault)
    for place, paragraph, question in _questions(_articles(path, fault), bad):
        number += 1
        bad.number = number
        try:
            cells = [_cell(column, place, paragraph, question) for column in wanted]
        except ValueError as error:
            bad(f"{place}, {_named(question)}", str(error))
            continue
        spoilt = next((column for column, cell in zip(wanted, cells, strict=True) if not_utf8(cell)), None)
        if spoilt is not None:
            fault(Fault(number, "encoding", f"{place}, {_named(question)}: '{spoilt}' is not UTF-8"))
        yield number, cells


class _Bad:
    """Tells a fault of what is at a place of the file; number: of the last question that was read."""

    def __init__(self, fault):
        self.fault, self.number = fault, 0

    def __call__(self, place, message):
        self.fault(Fault(max(1, self.number), "value", f"{place}: {message}"))


def _articles(path, fault):
    try:
        with open_text(path) as file:
            content = json.load(file)
    except json.JSONDecodeError as error:
        fault(Fault(error.lineno, "json", f"not JSON at character {error.colno}: {error.msg}"))
        return []
    except RecursionError:
        fault(Fault(1, "json", "not JSON that can be read: nested too deeply"))
        return []
    if not isinstance(content, dict) or not isinstance(content.get("data"), list):
        fault(Fault(1, "value", f"not a SQuAD file, which is {_FORM}"))
        return []
    return content["data"]


def _questions(articles, bad):
    """Yields (place in words, paragraph with its article's title, question), each of them a dict."""
    for number, article in enumerate(articles, 1):
        title = article.get("title", "") if isinstance(article, dict) else ""
        where = f"article {number}" + (f" ('{str(title)[:40]}')" if title else "")
        for place, paragraph in _each(article, "paragraphs", where, "paragraph", bad):
            for _, question in _each(paragraph, "qas", place, "question", bad):
                yield place, paragraph | {"title": title}, question


def _each(holder, name, where, kind, bad):
    """Yields (place, member) of the list `name` of dicts in `holder`."""
    members = holder.get(name) if isinstance(holder, dict) else None
    if not isinstance(members, list):
        bad(where, f"no list '{name}'; a SQuAD file is {_FORM}")
        return
    for number, member in enumerate(members, 1):
        place = f"{where}, {kind} {number}"
        if isinstance(member, dict):
            yield place, member
        else:
            bad(place, f"not a JSON object; a SQuAD file is {_FORM}")


def _cell(column, place, paragraph, question):
    holder = paragraph if column in ("context", "title") else question
    if column not in holder:
        raise ValueError(f"no '{column}'")
    if column != "answers":
        return as_text(holder[column], column)
    # what SQuAD 2.0 calls plausible is none, and some files put it here
    answers = [] if question.get("is_impossible") is True else question["answers"]
    return as_text({"id": str(question.get("id", "")), "answers": answers}, column)


def _named(question):
    return f"question {question.get('id', '')!r}"
