"""What the proof compares of several labels and of scores: each wrong answer is found, and said in one line."""

import numpy as np
import pytest

from trainer.config import Config
from trainer.export.compare import compare
from trainer.export.comparison import Differs
from trainer.export.samples import Samples
from trainer.tasks import TASKS
from trainer.tasks.embedding_head import EmbeddingHead
from trainer.tasks.multi import Multi
from trainer.tasks.thresholds import Thresholds

LOGITS = np.float32([[2.0, -1.0, 0.01], [-3.0, 0.5, 1.0]])
TOLERANCE = 1e-4


def label_sets(logits=LOGITS):
    """(task, its answers) at thresholds of its own."""
    task = TASKS["multi_label"](("a", "b", "c"), False, Config().model).decided(Thresholds(0.5, {"b": 0.6}))
    return task, task.answers(logits)


def scores(logits=LOGITS[:, :1], bounds=(0.0, 5.0)):
    task = TASKS["regression"](2.0, 0.5, False, Config().model, bounds)
    return task, task.answers(logits)


def asked(task, answers, example):
    """The answers of a version: two rows in a batch, alone, as vectors and as tf.Example."""
    rows = {(0, 1): slice(None), (0,): slice(0, 1), (1,): slice(1, 2)}
    found = {
        ("batch" if len(key) > 1 else "alone", key): {name: each[part] for name, each in answers.items()}
        for key, part in rows.items()
    }
    found |= {("embed", key): {"embedding": np.eye(2)[part]} for key, part in rows.items()}
    return found | {(("classify" if task.labels else "regress"), (0, 1)): example}


def examples(task, answers):
    if not task.labels:
        return {"outputs": answers["value"]}
    names = np.array([[label.encode() for label in task.labels]] * 2, object)
    return {"classes": names, "scores": answers["probabilities"]}


def run(task, answers, reference=None, example=None):
    reference = answers[task.compared] if reference is None else reference
    samples = Samples([b"one", b"two"], None, 2, 0, task, reference)
    return compare(samples, asked(task, answers, example or examples(task, answers)), TOLERANCE)


@pytest.mark.parametrize("make", [label_sets, scores])
def test_right_answers_pass(make):
    figures = run(*make())
    assert figures.max_difference == figures.max_batch_difference == figures.flips == 0


@pytest.mark.parametrize("make", [label_sets, scores])
def test_other_numbers_do_not(make):
    task, answers = make()
    shifted = answers[task.compared] + np.float32(2 * TOLERANCE * task.unit)
    with pytest.raises(Differs, match=r"difference from the trained model is 0.0002, allowed is 1e-04, on dev text 1"):
        run(task, answers, shifted)
    run(task, answers, answers[task.compared] + np.float32(0.9 * TOLERANCE * task.unit))


def test_a_label_selected_against_its_own_probability():
    task, answers = label_sets()
    answers["selected"] = answers["selected"] ^ np.array([[False, True, False], [False] * 3])
    with pytest.raises(Differs, match="selected has 'b' otherwise than its probability and threshold, on dev text 1"):
        run(task, answers)


def test_score_and_abstain_of_several_labels_say_what_they_must():
    task, answers = label_sets()
    with pytest.raises(Differs, match="difference of score from the largest probability is 0.1, .* on dev text 1"):
        run(task, answers | {"score": answers["score"] + np.float32([0.1, 0])})
    with pytest.raises(Differs, match="abstain is true of several labels, which never abstain, on dev text 2"):
        run(task, answers | {"abstain": np.array([False, True])})


def test_a_label_near_its_threshold_may_fall_either_way():
    limit = np.log(0.6 / 0.4)  # of `b`
    (task, answers), (_, other) = (label_sets(np.float32([[2, limit + d, 0], [2, -1, -1]])) for d in (1e-5, -1e-5))
    assert run(task, answers, other["probabilities"]).flips == 1


def test_scores_out_of_bounds():
    task, _ = scores()
    unbounded, answers = scores(np.float32([[-5.0], [1.0]]), None)
    with pytest.raises(Differs, match=r"value -0.5 is out of bounds, on dev text 1"):
        run(task, answers)
    run(unbounded, answers)


@pytest.mark.parametrize("make, said", [(label_sets, "classify"), (scores, "regress")])
def test_examples_that_are_answered_otherwise(make, said):
    task, answers = make()
    example = {name: each + 0.01 if each.dtype != object else each for name, each in examples(task, answers).items()}
    with pytest.raises(Differs, match=f"difference of {said} from serving_default is 0.0[12]"):
        run(task, answers, example=example)


def vectors(seed):
    found = np.random.default_rng(seed).normal(size=(2, 4)).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def two_embeddings(change=lambda answers: None):
    """Figures of a version of two embedding heads, whose answers are the trained model's but for `change`."""
    config = Config()
    heads = {name: EmbeddingHead(config.model, config.embedding) for name in ("near", "like")}
    task = Multi(heads, {}, {}, config.model, 4, 8)
    trained = {"near_embedding": vectors(1), "like_embedding": vectors(2), "truncated": np.zeros(2, bool)}
    samples = Samples([b"one", b"two"], None, 2, 0, task, None, trained)
    parts = {(0, 1): slice(None), (0,): slice(0, 1), (1,): slice(1, 2)}
    answers = {
        ("batch" if len(key) > 1 else "alone", key): {name: each[part].copy() for name, each in trained.items()}
        for key, part in parts.items()
    }
    answers |= {("embed", key): {"embedding": vectors(1)[part]} for key, part in parts.items()}
    change(answers)
    return compare(samples, answers, TOLERANCE)


def test_vectors_of_several_heads_are_each_held_to_the_trained_models():
    assert two_embeddings().max_difference == 0.0

    def other_embed(answers):
        for (kind, _), arrays in answers.items():
            if kind == "embed":
                arrays["embedding"] = -arrays["embedding"]

    with pytest.raises(Differs, match="difference of embed from the trained model is 2, allowed is 1e-04, on dev text"):
        two_embeddings(other_embed)

    def other_head(answers):
        answers["batch", (0, 1)]["like_embedding"][1] *= 1.001

    with pytest.raises(Differs, match="difference from the trained model is 0.001, allowed is 1e-04, on dev text 2"):
        two_embeddings(other_head)
