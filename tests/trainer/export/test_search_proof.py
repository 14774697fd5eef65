"""The proof of a FAQ inside a version: what search must not say, each in one line."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from trainer.config import Config
from trainer.export.compare import compare
from trainer.export.comparison import Differs
from trainer.export.samples import Samples
from trainer.export.wording import further
from trainer.tasks.embedding import Embedding
from trainer.tasks.faq_index import FaqIndex

TOLERANCE = 1e-4
ENTRY = np.int32([0, 1, 1, 2, 3])
TEXTS, QUESTIONS = 2, len(ENTRY)


def unit(*shape, seed):
    values = np.random.default_rng(seed).normal(size=shape)
    return (values / np.linalg.norm(values, axis=-1, keepdims=True)).astype(np.float32)


STORED = unit(QUESTIONS, 8, seed=1)


def index(vectors=STORED):
    questions = tuple(f"question {place}" for place in range(QUESTIONS))
    return FaqIndex(tuple("abcd"), ("A", "B", "C", "D"), questions, ENTRY, vectors, 3, "sha256:")


def proven(change=None, own=None, without=()):
    """Figures of two dev texts and all questions, `search` answered by the index itself but for `change`."""
    own = own or index()
    task = Embedding(Config().model, Config().embedding, index=own)
    reference = np.concatenate([unit(TEXTS, 8, seed=2), STORED])
    texts = [b"one", b"two", *(text.encode() for text in own.questions)]
    samples = Samples(texts, None, TEXTS, 0, task, reference, None, QUESTIONS)
    rows = tuple(samples.rows())
    given = {"embedding": reference, "truncated": np.zeros(len(rows), bool)}
    found = {name: each.numpy() for name, each in index().search(tf.constant(reference)).items()}
    if change:
        change(found)
    answers = {("batch", rows): given, ("embed", rows): {"embedding": reference}, ("search", rows): found}
    for row in rows:
        answers["alone", (row,)] = {name: each[row : row + 1] for name, each in given.items()}
        answers["embed", (row,)] = {"embedding": reference[row : row + 1]}
    return compare(samples, {key: each for key, each in answers.items() if key[0] not in without}, TOLERANCE)


def test_a_look_at_every_entry_passes_and_is_told():
    told = dataclasses.asdict(proven())
    assert told["search"]["texts"] == 7 and told["search"]["questions"] == 5
    assert told["search"]["max_difference"] < 1e-6 and told["search"]["max_stored_difference"] == 0
    (phrase,) = further(told)
    assert phrase.startswith("search asked 7 texts, 5 of them questions of the FAQ")


def put(name, value, place=(3, 0)):
    def change(found):
        found[name][place] = value

    return change


def swap(found):
    """The first two matches in the other order, cosines where they were."""
    for name in ("id", "question", "answer"):
        found[name][0, :2] = found[name][0, 1::-1]


def twice(found):
    for name in ("id", "question", "answer"):
        found[name][0, 1] = found[name][0, 0]


@pytest.mark.parametrize(
    "change, said",
    [
        (put("score", np.nan), r"of search from a look at every entry is inf, allowed is 1e-04, on question 2 \('ques"),
        (put("score", 0.5), "of search from a look at every entry is 0.5, allowed is 1e-04, on question 2"),
        (put("id", b"z"), "search gives the id 'z', which the FAQ has not, on question 2"),
        (put("answer", b"A"), "search gives another answer than the FAQ has for 'b', on question 2"),
        (put("question", b"question 2"), "search gives another question than the FAQ has for 'b', on question 2"),
        (swap, "where another is nearer, on dev text 1"),
        (twice, "search gives an entry twice, on dev text 1"),
    ],
)
def test_what_search_must_not_say(change, said):
    with pytest.raises(Differs, match=said):
        proven(change)


def test_a_stored_vector_is_the_trained_models():
    other = STORED.copy()
    other[4] = unit(8, seed=9)
    with pytest.raises(Differs, match=r"difference of a stored vector is .*, allowed is 1e-04, on question 5"):
        proven(own=index(other))


def test_a_faq_that_cannot_be_searched_is_refused():
    with pytest.raises(Differs, match="there is a FAQ and no answer of a signature search"):
        proven(without=("search",))
