"""What the proof compares of spans, alone and as one head of several: each wrong answer is found, in one line."""

import functools
import json

import numpy as np
import pytest
import tensorflow as tf

from tests import tiny_encoders
from trainer.config import Config
from trainer.export.compare import compare
from trainer.export.comparison import TOKENS, Differs
from trainer.export.samples import Samples, padded
from trainer.models.preprocessor import SpecialTokens, TextPreprocessor
from trainer.models.wordpiece import WordPiece
from trainer.tasks import TASKS
from trainer.tasks.multi import Multi

TEXTS = [b"a great film . a very bad plot and the film is good", b"never dull , \xe4\xb8\xad \xe5\x9b\xbd", b""]
VOCABULARY = tiny_encoders.VOCABULARY
TOLERANCE = 1e-4


def preprocessor():
    start, end = VOCABULARY.index("[CLS]"), VOCABULARY.index("[SEP]")
    features = ("token_ids", "padding_mask")
    return TextPreprocessor(WordPiece(VOCABULARY), SpecialTokens(start, (end,), end, 0), 12, features)


def likes(outputs, seed):
    """A model of the encoder's inputs: each token has logits of its own, whatever stands beside it."""
    table = tf.constant(np.random.default_rng(seed).normal(0, 3, (len(VOCABULARY), outputs)), tf.float32)
    return lambda features, training: tf.gather(table, features["token_ids"])


@functools.cache
def tagged():
    """(task, {output: array} of TEXTS): of tagging."""
    task = TASKS["tagging"](("X", "Y"), Config().model, 4, 8)
    return task, numpy(task.reference(likes(5, seed=3), preprocessor(), tf.constant(TEXTS)))


@functools.cache
def headed():
    """The same of two heads."""
    tags, label = tagged()[0], TASKS["classification"](("a", "b"), False, Config().model)
    task = Multi({"tags": tags, "mood": label}, {"tags": 1.0, "mood": 1.0}, {}, Config().model, 4, 8)

    def model(features, training):
        mood = likes(2, seed=1)(features, training)[:, 1]
        return {"tags": likes(5, seed=3)(features, training), "mood": mood}

    return task, numpy(task.reference(model, preprocessor(), tf.constant(TEXTS)))


def numpy(outputs):
    return {name: each.numpy() for name, each in outputs.items()}


def asked(answers):
    """The answers of a version to the rows in a batch and alone; alone, nothing is padded for others."""
    found = {}
    for kind, groups in (("batch", [(0, 1, 2)]), ("alone", [(0,), (1,), (2,)])):
        for rows in groups:
            own = {name: each[list(rows)] for name, each in answers.items()}
            found[kind, rows] = found[kind + TOKENS, rows] = own
    return found | {("embed", rows): {"embedding": np.eye(3)[list(rows)]} for rows in [(0, 1, 2), (0,), (1,), (2,)]}


def run(task, answers, given=None):
    reference = answers[task.compared] if task.compared else None
    return compare(Samples(TEXTS, None, 3, 0, task, reference, answers), asked(given or answers), TOLERANCE)


def changed(answers, name, row, value, place=0):
    array = answers[name].copy()
    array[row, place] = value
    return answers | {name: array}


@pytest.mark.parametrize("make, prefix", [(tagged, ""), (headed, "tags_")])
def test_right_answers_pass_and_each_wrong_one_does_not(make, prefix):
    task, answers = make()
    assert answers[f"{prefix}count"][:2].min() > 1, "spans to be wrong about"
    figures = run(task, answers)
    assert figures.max_difference == figures.max_batch_difference == figures.flips == 0
    start, end = (int(answers[f"{prefix}{name}"][0, 0]) for name in ("start", "end"))
    wrong = {
        ("start", start + 1): rf"span {start + 1} to {end} is not '.*', on dev text 1 \('a great",
        ("text", b"other"): rf"span {start} to {end} is not 'other', on dev text 1",
        (
            "label",
            b"X" if answers[f"{prefix}label"][0, 0] == b"Y" else b"Y",
        ): "the spans are not the trained model's, on",
    }
    for (name, value), said in wrong.items():
        with pytest.raises(Differs, match=said):
            run(task, answers, changed(answers, prefix + name, 0, value))
    with pytest.raises(Differs, match="the spans are not the trained model's, on dev text 1"):
        count = answers[f"{prefix}count"] - np.int32([1, 0, 0])
        run(task, answers, answers | {f"{prefix}count": count})
    shifted = answers[f"{prefix}probabilities"] + np.float32(2 * TOLERANCE)
    with pytest.raises(Differs, match="difference from the trained model is 0.0002, allowed is 1e-04, on dev text 1"):
        run(task, answers, answers | {f"{prefix}probabilities": shifted})


def test_a_token_may_flip_within_the_tolerance():
    task, answers = tagged()
    flipped = answers["probabilities"][:, :, ::-1]
    with pytest.raises(Differs, match="difference from the trained model"):
        run(task, answers, answers | {"probabilities": flipped})
    reference = answers["probabilities"].copy()
    reference[1, 0] = [0.30002, 0.3, 0.2, 0.1, 0.09998]
    given = reference.copy()
    given[1, 0, :2] = given[1, 0, 1::-1]
    samples = Samples(TEXTS, None, 3, 0, task, reference, answers)
    assert compare(samples, asked(answers | {"probabilities": given}), TOLERANCE).flips == 1


def test_a_wrong_head_is_found_beside_a_right_one():
    task, answers = headed()
    with pytest.raises(Differs, match="label '.' where the trained model says '.', on dev text 2"):
        label = np.array([b"a" if each == b"b" else b"b" for each in answers["mood_label"]], object)
        run(task, answers, answers | {"mood_label": np.where([False, True, False], label, answers["mood_label"])})


def test_quality_is_that_of_the_spans():
    task, answers = tagged()
    names, spans = ("start", "end", "label"), []
    for row, count in enumerate(answers["count"]):
        spans.append(list(zip(*(answers[name][row][:count].tolist() for name in names), strict=True)))
    cells = [json.dumps([[a, b, kind.decode()] for a, b, kind in row]) for row in spans]
    assert task.quality(answers, cells) == 1.0
    assert 0 < task.quality(answers, [*cells[:1], "[]", "[]"]) < 1


def test_narrow_arrays_are_padded():
    assert padded(np.array([[b"a"]], object), (1, 3)).tolist() == [[b"a", b"", b""]]
    assert padded(np.float32([[1]]), (1, 2)).tolist() == [[1, 0]]
