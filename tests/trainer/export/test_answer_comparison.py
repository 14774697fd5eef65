"""What the proof compares of answers: each wrong one is found, and said in one line."""

import numpy as np
import pytest

from trainer.config import Config
from trainer.export.compare import compare
from trainer.export.comparison import Differs
from trainer.export.samples import Samples
from trainer.tasks.no_answer import NoAnswer
from trainer.tasks.span_qa import SpanQA

CONTEXTS = ["in Paris", "去 中国", "👍 yes"]
TOLERANCE = 1e-4
DEFAULTS = Config()
TASK = SpanQA(True, DEFAULTS.model, DEFAULTS.input).decided(NoAnswer(1.0))


def answers():
    """Three questions answered: the second word, the second, and nothing."""
    return {
        "answer": np.array([b"Paris", "中国".encode(), b""], object),
        "start": np.int32([3, 2, -1]),
        "end": np.int32([8, 4, -1]),
        "score": np.float32([0.9, 0.5, 0.8]),
        "answerable": np.array([True, True, False]),
        "truncated": np.array([False, False, False]),
        "probabilities": np.float32([[[0.1, 0], [0.9, 1]], [[0.4, 0.1], [0.6, 0.9]], [[0.1, 0.1], [0.2, 0.2]]]),
        "token_start": np.int32([[0, 3], [0, 2], [0, 2]]),
        "token_end": np.int32([[2, 8], [1, 4], [1, 5]]),
        "token_count": np.int32([2, 2, 2]),
        "advantage": np.float32([-2.0, 0.0, 3.0]),
        "second": np.float32([0.05, 0.49995, 0.1]),
    }


SERVED = ("answer", "start", "end", "score", "answerable", "truncated")


def run(given, alone=None):
    """Figures of a version that gives these answers where the trained model gives `answers()`."""
    found = {}
    for rows, kind, source in [((0, 1, 2), "batch", given), *(((row,), "alone", alone or given) for row in range(3))]:
        names = {name: each[list(rows)] for name, each in source.items()}
        found[kind, rows] = {name: names[name] for name in SERVED}
        found[kind + "_tokens", rows] = {name: each for name, each in names.items() if name not in SERVED}
    trained = answers()
    texts, pairs = [b"where?"] * 3, [each.encode() for each in CONTEXTS]
    samples = Samples(texts, pairs, 3, 0, TASK, trained["probabilities"], trained)
    return compare(samples, found, TOLERANCE)


def changed(row, **values):
    given = answers()
    for name, value in values.items():
        given[name][row] = value
    return given


def test_right_answers_pass():
    figures = run(answers())
    assert figures.max_difference == figures.max_batch_difference == figures.flips == 0


def test_another_answer_is_a_flip_where_the_next_best_is_near():
    figures = run(changed(1, answer="去".encode(), start=0, end=1))
    assert figures.flips == 1


@pytest.mark.parametrize(
    "given, said",
    [
        (changed(0, answer=b"in", start=0, end=2), "answers 'in' where the trained model says 'Paris', on dev text 1"),
        (changed(0, answer=b"", start=-1, end=-1, answerable=False), "answerable is false against its own logits"),
        (
            changed(0, answer=b"", start=-1, end=-1, answerable=False, advantage=2.0),
            "answers nothing where the trained model says 'Paris', on dev text 1",
        ),
        (changed(0, end=7), "3 to 7 of its context is not 'Paris', on dev text 1"),
        (changed(1, answer=b"x"), "2 to 4 of its context is not 'x', on dev text 2"),
        (changed(2, start=0), "0 to -1 of its context is not '', on dev text 3"),
        (changed(1, answer="中".encode(), end=3), "2 to 3 of its context is not '\\u4e2d', on dev text 2"),
        (changed(0, score=0.7), "difference of score from the trained model is 0.2, allowed is 2e-04, on dev text 1"),
        (
            changed(2, probabilities=np.float32([[0.1, 0.1], [0.2, 0.3]])),
            "difference from the trained model is 0.1",
        ),
    ],
)
def test_wrong_answers_do_not(given, said):
    with pytest.raises(Differs) as caught:
        run(given)
    assert said in str(caught.value)


def test_a_row_alone_must_answer_as_in_its_batch():
    with pytest.raises(Differs, match="answers differ between a batch and a single row, on dev text 1"):
        run(answers(), alone=changed(0, answer=b"in", start=0, end=2))
    with pytest.raises(Differs, match="difference of score on a single row from the batch"):
        run(answers(), alone=changed(0, score=0.5))
