"""How many distinct answers each text got."""

import numpy as np
import pytest

from serving.client import Classification, Embedding
from serving.load.answers import Answers, same


def answer(label, positive):
    return Classification(label, positive, {"negative": 1 - positive, "positive": positive}, False, False)


def test_rounding_is_no_other_answer_but_a_label_or_a_probability_is():
    answers = Answers(allowed=1, tolerance=1e-4)
    for found in (answer("positive", 0.9), answer("positive", 0.90005), answer("positive", 0.91)):
        answers.add(("a",), found)
    for found in (answer("positive", 0.5), answer("negative", 0.5), answer("positive", 0.5)):
        answers.add(("b",), found)
    answers.add(("c",), answer("negative", 0.1))
    told = answers.to_dict()
    assert (told["texts"], told["answers"], told["over"]) == (3, 7, 2)
    assert told["texts_by_distinct_answers"] == {"1": 1, "2": 2}
    assert [[each["count"] for each in example["answers"]] for example in told["examples"]] == [[2, 1], [2, 1]]
    assert told["examples"][1]["text"] == "b" and told["examples"][1]["answers"][1]["answer"]["label"] == "negative"


def test_as_many_answers_as_versions_may_be_allowed():
    answers = Answers(allowed=2, tolerance=0.0)
    for probability in (0.9, 0.8, 0.9):
        answers.add(("a", "pair"), answer("positive", probability))
    assert answers.over == []
    answers.add(("a", "pair"), answer("positive", 0.7))
    assert answers.over == [("a", "pair")]
    assert answers.to_dict()["examples"][0]["text_pair"] == "pair"


def test_vectors_are_compared_number_by_number():
    answers = Answers(allowed=1, tolerance=1e-4)
    for last in (0.5, 0.50001, 0.6):
        answers.add(("a",), Embedding(np.array([0.25, last], np.float32), False))
    assert answers.to_dict()["texts_by_distinct_answers"] == {"2": 1}


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (1.0, 1.00001, True),
        (float("nan"), float("nan"), True),
        (float("nan"), 1.0, False),
        ([1.0], [1.0, 2.0], False),
        ({"a": 1.0}, {"b": 1.0}, False),
        (1, 2, False),
        (True, False, False),
        ("a", "a", True),
        (None, 0.0, False),
    ],
)
def test_same(one, other, expected):
    assert same(one, other, 1e-4) is expected
