"""Losses of vectors worked by hand, and what an index finds."""

import numpy as np
import pytest
import tensorflow as tf

from trainer.config import Config, UserError
from trainer.inputs.partners import PairVectors
from trainer.metrics import retrieval
from trainer.tasks.embedding import Embedding
from trainer.tasks.embedding_head import EmbeddingHead, OwnTexts
from trainer.tasks.embedding_losses import SCALE, CosineScore, Ranking, ScoreScale
from trainer.tasks.faq_index import FaqIndex


def unit(values):
    values = np.asarray(values, np.float32)
    return values / np.linalg.norm(values, axis=-1, keepdims=True)


def drawn(*shape, seed=0):
    return unit(np.random.default_rng(seed).normal(size=shape))


def ranking(texts, numbers, weights=None):
    """The loss in numpy: for each row the softmax over all texts that are no copy of its own one."""
    rows, columns = len(texts), texts.shape[1] - 1
    losses = []
    for row in range(rows):
        own = SCALE * texts[row, 0] @ texts[row, 1]
        others = [
            SCALE * texts[row, 0] @ texts[other, 1 + column]
            for column in range(columns)
            for other in range(rows)
            if numbers[other, column] not in (-1, numbers[row, 0]) and (weights is None or weights[other])
        ]
        losses.append(np.log(np.exp([own, *others]).sum()) - own)
    return np.average(losses, weights=weights)


@pytest.mark.parametrize("columns", [2, 3])
def test_ranking_is_the_softmax_over_all_texts_that_are_not_the_same(columns):
    texts = drawn(5, columns, 8)
    numbers = np.int32([[0, 7], [1, -1], [0, 8], [2, 1], [3, 9]])[:, : columns - 1]
    flat = texts.reshape(-1, 8)
    assert float(Ranking((8,))(tf.constant(numbers), flat)) == pytest.approx(ranking(texts, numbers), rel=1e-5)
    weights = np.float32([1, 1, 1, 1, 0])
    assert float(Ranking((8,))(tf.constant(numbers), flat, weights)) == pytest.approx(
        ranking(texts, numbers, weights), rel=1e-5
    )


def test_prefixes_are_normalised_anew():
    texts, numbers = drawn(4, 2, 8), np.arange(4, dtype=np.int32)[:, None]
    both = float(Ranking((8, 4))(tf.constant(numbers), texts.reshape(-1, 8)))
    assert both == pytest.approx((ranking(texts, numbers) + ranking(unit(texts[:, :, :4]), numbers)) / 2, rel=1e-5)


@pytest.mark.parametrize(
    "scale, scores, cosines",
    [
        ((0.0, 5.0), [0, 2.5, 5], [0, 0.5, 1]),
        ((1.0, 5.0), [1, 2, 5], [0, 0.25, 1]),
        ((-2.0, 2.0), [-2, 0, 1], [-1, 0, 0.5]),
    ],
)
def test_scores_are_brought_to_cosines_and_back(scale, scores, cosines):
    texts, scale = drawn(3, 2, 8), ScoreScale(*scale)
    expected = np.mean((np.sum(texts[:, 0] * texts[:, 1], axis=1) - cosines) ** 2)
    loss = CosineScore((8,), scale)(tf.constant(np.float32(scores)), texts.reshape(-1, 8))
    assert float(loss) == pytest.approx(expected)
    assert [scale.score(each) for each in cosines] == pytest.approx(scores)


def test_figures_of_ranks_one_two_and_eleven():
    answers = np.eye(12, dtype=np.float32)
    queries = np.stack([answers[0], 0.5 * answers[1] + 0.8 * answers[2], 1 - 0.5 * answers[3]])
    answers = np.concatenate([answers[[0, 1, 3]], answers])  # an answer that is there twice is one
    numbers = np.array([0, 1, 3, *range(12)])
    queries = np.concatenate([queries, answers[3:]])
    found = retrieval.figures(queries, answers, numbers)
    assert found["recall_at_1"] == pytest.approx(13 / 15) and found["recall_at_10"] == pytest.approx(14 / 15)
    assert found["mrr_at_10"] == pytest.approx((13 + 1 / 2) / 15)
    assert found["ndcg_at_10"] == pytest.approx((13 + 1 / np.log2(3)) / 15)


def test_the_nearest_other_is_not_itself():
    vectors = unit([[1, 0], [1, 0.1], [0, 1], [0.1, 1]])
    assert retrieval.nearest_others(vectors).tolist() == [1, 0, 3, 2]
    assert retrieval.nearest(vectors[:2], vectors[2:]).tolist() == [1, 1]


def index(most=3, questions=40, entries=12):
    random = np.random.default_rng(2)
    entry = np.concatenate([np.arange(entries), random.integers(0, entries, questions - entries)]).astype(np.int32)
    names = [f"id{number}" for number in range(entries)]
    said = tuple(f"question {number}" for number in range(questions))
    return FaqIndex(
        tuple(names), tuple(f"answer {n}" for n in names), said, entry, drawn(questions, 8, seed=3), most, ""
    )


def test_an_index_gives_each_entry_once_by_its_nearest_question():
    own, queries = index(), drawn(6, 8, seed=4)
    found = {name: each.numpy() for name, each in own.search(tf.constant(queries)).items()}
    cosine = queries @ own.vectors.T
    for row in range(6):
        best = {}
        for question in np.argsort(-cosine[row], kind="stable"):
            best.setdefault(own.entry[question], question)
        wanted = list(best.items())[:3]
        assert [each.decode() for each in found["id"][row]] == [own.ids[entry] for entry, _ in wanted]
        assert [each.decode() for each in found["answer"][row]] == [own.answers[entry] for entry, _ in wanted]
        assert [each.decode() for each in found["question"][row]] == [own.questions[place] for _, place in wanted]
        np.testing.assert_allclose(found["score"][row], [cosine[row, place] for _, place in wanted], atol=1e-6)


def test_quality_is_the_share_of_texts_beside_their_own():
    task = Embedding(Config().model, Config().embedding)
    answers = {"embedding": unit([[1, 0], [1, 0.1], [0, 1], [0.1, 1]])}
    assert task.quality(answers, ["0", "0", "1", "1"]) == 1.0
    assert task.quality(answers, ["0", "0", "0", "1"]) == 0.5


def test_sizes_beyond_the_encoders_are_refused(bert_folder):
    from trainer.modes import job

    config = Config.from_flat(
        {"task": "embedding", "encoder": str(bert_folder), "sequence_length": 16, "matryoshka": "9,4"}
    )
    with pytest.raises(UserError, match="--matryoshka=9,4: the encoder's vectors have 8 dimensions; 9 is more"):
        job.open_encoder(config)


@pytest.mark.parametrize("columns", [2, 3])
def test_a_head_learns_from_its_own_texts_of_a_row(columns):
    texts, numbers = drawn(5, 3, 8), np.int32([[0, 7], [1, -1], [0, 8], [2, 1], [3, 9]])[:, : columns - 1]
    loss = OwnTexts(Ranking((8,)), columns)
    expected = ranking(texts[:, :columns], numbers)
    assert float(loss(tf.constant(numbers), texts.reshape(-1, 8))) == pytest.approx(expected, rel=1e-5)
    alone = loss(tf.constant(numbers), texts[:, :1].reshape(-1, 8), np.zeros(5, np.float32))
    assert float(alone) == 0.0  # a batch of another data set, whose rows have no other texts


def test_a_head_says_of_each_text_its_vector_and_of_pairs_how_they_were_found():
    head = EmbeddingHead(Config().model, Config().embedding)
    near = unit([[1, 0], [0, 1], [1, 0.1]])
    found = list(head.rows(PairVectors(near, np.array([0, 2]), near[[2, 0]][:, None])))
    assert [set(row) for row in found] == [{"embedding", "score", "nearest_row"}, {"embedding"}, set(found[0])]
    assert [row.get("nearest_row") for row in found] == [2, None, 0]  # of all rows, not of those of pairs
    assert head.truth(["other", "third"]) == {"true_rank": 1, "text_pair": "other"}
    assert head.partners([["a", "b"], ["c", "d"]]) == [["a", "c"]]
    plain = list(head.rows(near))
    assert [row["embedding"] for row in plain] == [row["embedding"] for row in found]
