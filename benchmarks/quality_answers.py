"""Rows of SQuAD: a question, its paragraph, and the answers that stand in it.

Row: {"text": question, "text_pair": context, "label": JSON of [[start, answer], …] in characters}.
"""

import json


def squad_rows(document):
    """Rows of the questions of a SQuAD file that have an answer."""
    for article in document["data"]:
        for paragraph in article["paragraphs"]:
            for asked in paragraph["qas"]:
                answers = [[each["answer_start"], each["text"]] for each in asked["answers"]]
                if answers:
                    text = {"text": asked["question"], "text_pair": paragraph["context"]}
                    yield text | {"label": json.dumps(answers, ensure_ascii=False)}
