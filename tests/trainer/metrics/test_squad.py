"""Exact match and F1 of SQuAD, against cases worked out by hand from the official script's rules."""

import numpy as np
import pytest

from trainer.metrics import squad
from trainer.metrics.place_accuracy import PlaceAccuracy


@pytest.mark.parametrize(
    "answer, golds, exact, f1",
    [
        ("The Normans", ["Normans"], 1.0, 1.0),  # articles and case
        ("  10th   century. ", ["the 10th century"], 1.0, 1.0),  # white space and punctuation
        ("U.S.", ["US"], 1.0, 1.0),  # marks vanish, and leave no space
        ("well-known", ["well known"], 0.0, 0.0),  # wellknown is one word
        ("another theory", ["other theory"], 0.0, 0.5),  # articles are whole words
        ("Denmark, Iceland", ["Denmark, Iceland and Norway"], 0.0, 2 * 2 / (2 + 4)),
        ("Denmark", ["Iceland", "in Denmark"], 0.0, 2 * 1 / (1 + 2)),  # the best of them
        ("a a b b", ["b b b c"], 0.0, 2 * 2 / (2 + 4)),  # "a" is an article; each word as often as it is there
        ("“Rollo”", ["Rollo"], 0.0, 0.0),  # ASCII punctuation alone
        ("法国", ["法国"], 1.0, 1.0),
        ("", [], 1.0, 1.0),
        ("Rollo", [], 0.0, 0.0),
        ("", ["Rollo"], 0.0, 0.0),
        ("", ["Rollo", "the"], 0.0, 0.0),  # a gold answer of which nothing is left asks for nothing
        ("the", ["!"], 1.0, 1.0),
    ],
)
def test_cases_worked_by_hand(answer, golds, exact, f1):
    assert (squad.exact_match(answer, golds), squad.f1(answer, golds)) == (exact, pytest.approx(f1))


def test_means_over_questions_of_both_kinds():
    answers, golds = ["Rollo", "in Paris", "", "x"], [["Rollo"], ["Paris"], [], []]
    found = squad.scores(answers, golds)
    third = 2 / 3
    assert found == pytest.approx(
        {
            "exact_match": 2 / 4,
            "f1": (1 + third + 1) / 4,
            "answerable_exact_match": 1 / 2,
            "answerable_f1": (1 + third) / 2,
            "unanswerable_exact_match": 1 / 2,
        }
    )
    assert squad.scores(answers[:2], golds[:2]) == pytest.approx({"exact_match": 0.5, "f1": (1 + third) / 2})


def test_places_are_right_where_both_are():
    logits = np.zeros((3, 4, 2), np.float32)
    logits[[0, 0, 1, 1, 2, 2], [1, 2, 1, 2, 0, 0], [0, 1, 0, 1, 0, 1]] = 5
    metric = PlaceAccuracy()
    metric.update_state(np.array([[1, 2], [1, 3], [0, 0]]), logits, np.array([1.0, 1.0, 0.0]))
    assert float(metric.result()) == 0.5
