"""What is masked: the share that was asked for, whole words, no special token, and the same again for the same key."""

import numpy as np
import pytest

from tests import tiny_encoders
from tests.tiny_encoders import SPECIAL, VOCABULARY
from trainer.inputs.masked import FIXED, NO_ANSWER, MaskedRows, Masking
from trainer.inputs.tokens import tokenize
from trainer.models import tokenizers
from trainer.models.mask_tokens import mask_tokens
from trainer.models.preprocessor import TextPreprocessor

TEXTS = ["the filmly plots is greating and a dull life", "中国中 good", "", "x", "never ever see the awful film !"] * 9
FEATURES = ("token_ids", "padding_mask", "segment_ids")
MASK = VOCABULARY.index("[MASK]")


@pytest.fixture(scope="module")
def preprocess(bert_folder):
    return TextPreprocessor(*tokenizers.load(str(bert_folder), bert_folder), 32, FEATURES)


@pytest.fixture(scope="module")
def tokens(preprocess):
    return mask_tokens(preprocess)


@pytest.fixture
def rows(preprocess, tokens):
    return MaskedRows(tokenize(preprocess, TEXTS), preprocess, Masking(tokens, 0.3))


def ids_of(*words):
    return np.array([VOCABULARY.index(word) for word in ("[CLS]", *words, "[SEP]")], np.int32)


def batches(rows, seed=1, steps=6, first=0, kind="random"):
    return [
        ({name: value.numpy() for name, value in features.items()}, weight.numpy())
        for features, _, weight in rows.training(kind, 8, seed, steps, first)
    ]


def same(one, other):
    return all(np.array_equal(one[0][name], other[0][name]) for name in one[0]) and np.array_equal(one[1], other[1])


def test_the_share_and_the_three_fates(tokens):
    words = [word for word in VOCABULARY if word not in SPECIAL and not word.startswith("##")] * 60
    ids = ids_of(*words)
    masked, positions = Masking(tokens, 0.15).mask(ids, (1, 0, 0))
    assert len(positions) == round(0.15 * len(words))
    kept = masked[positions] == ids[positions]
    hidden = masked[positions] == MASK
    assert hidden.mean() == pytest.approx(0.8, abs=0.06)
    assert kept.mean() == pytest.approx(0.1, abs=0.05)
    others = np.setdiff1d(np.arange(len(ids)), positions)
    assert np.array_equal(masked[others], ids[others])


def test_special_tokens_are_never_masked_nor_drawn(tokens):
    ids, special = ids_of("the", "[UNK]", "film", "[SEP]", "good"), [VOCABULARY.index(each) for each in SPECIAL]
    for row in range(300):
        masked, positions = Masking(tokens, 0.9).mask(ids, (1, 0, row))
        assert not set(ids[positions]) & set(special)
        drawn = masked[positions]
        assert not set(drawn[drawn != MASK]) & set(special)


def test_all_pieces_of_a_word_go_together_and_ideographs_alone(tokens):
    ids = ids_of("film", "##ly", "##s", "is", "中", "国", "good", "##ing", "a")
    seen = set()
    for row in range(200):
        _, positions = Masking(tokens, 0.5).mask(ids, (1, 0, row))
        chosen = set(positions.tolist())
        assert len(chosen & {1, 2, 3}) in (0, 3) and len(chosen & {7, 8}) in (0, 2) and 1 <= len(chosen) <= 4
        seen |= {len(chosen & {5, 6})}
    assert 1 in seen, "one ideograph must be masked without its neighbour"


def test_a_word_that_is_more_than_the_share_stays(tokens):
    _, positions = Masking(tokens, 0.15).mask(ids_of("film", "##ly", "##s"), (1, 0, 0))
    assert len(positions) == 0


def test_each_epoch_draws_anew_and_the_same_run_draws_the_same(rows):
    first, again, other = batches(rows, steps=12), batches(rows, steps=12), batches(rows, seed=2, steps=12)
    assert all(map(same, first, again)) and not any(map(same, first, other))

    def by_row(found, epoch):
        plans = list(rows.batches("random", 8, 1, 12))[6 * epoch : 6 * epoch + 6]
        pairs = zip(plans, found[6 * epoch : 6 * epoch + 6], strict=True)
        return {int(row): f["mask_positions"][i].tolist() for plan, (f, _) in pairs for i, row in enumerate(plan.rows)}

    one, two = by_row(first, 0), by_row(first, 1)
    assert one.keys() == two.keys() and sum(one[row] != two[row] for row in one) > len(one) // 3


def test_a_run_that_continues_is_the_same_run(rows):
    whole = batches(rows, steps=9)
    assert all(map(same, whole[4:], batches(rows, steps=9, first=4)))


def test_a_row_is_masked_alike_in_whatever_batch_it_comes(rows):
    """Pools put other rows together than random batches do: by (seed, epoch, row) the masks are still the same."""

    def masks(kind):
        pairs = zip(rows.batches(kind, 8, 1, 6), batches(rows, kind=kind), strict=True)
        return {int(row): f["token_ids"][i][:9].tolist() for plan, (f, _) in pairs for i, row in enumerate(plan.rows)}

    random, pools = masks("random"), masks("pools")
    width = {row: min(9, int(rows.tokens.lengths[row])) for row in random}
    assert all(random[row][: width[row]] == pools[row][: width[row]] for row in random)


def test_answers_are_the_tokens_that_were_there_and_weigh_the_row(rows):
    for plan, (features, weight) in zip(rows.batches("buckets", 8, 1, 6), batches(rows, kind="buckets"), strict=True):
        assert features["mask_ids"].shape == (plan.size, rows.masking.most(plan.width))
        for place, row in enumerate(plan.rows):
            own = rows.tokens.ids[rows.tokens.starts[row] : rows.tokens.starts[row + 1]]
            real = features["mask_ids"][place] != NO_ANSWER
            assert np.array_equal(features["mask_ids"][place][real], own[features["mask_positions"][place][real]])
            assert weight[place] == real.sum()
        assert not weight[len(plan.rows) :].any()


def test_dev_masks_are_fixed_whatever_the_batch(rows, tokens):
    def masks(size):
        dataset, order = rows.evaluation("pools", size)
        found = [row for features, _, _ in dataset for row in features["token_ids"].numpy().tolist()]
        return {int(row): found[i][: int(rows.tokens.lengths[row])] for i, row in enumerate(order)}

    assert masks(4) == masks(16)
    own = rows.tokens.ids[: rows.tokens.starts[1]]
    assert masks(4)[0] == Masking(tokens, 0.3).mask(own, (*FIXED, 0))[0].tolist()


def test_words_of_byte_pairs_open_with_their_space(tmp_path):
    folder = tiny_encoders.roberta_folder(tmp_path / "roberta")
    preprocess = TextPreprocessor(*tokenizers.load(str(folder), folder), 32, ("token_ids", "padding_mask"))
    found, vocabulary = mask_tokens(preprocess), tiny_encoders.byte_pairs()[0]
    assert (
        found.mask == vocabulary["<mask>"] and found.begins[vocabulary["Ġfilm"]] and not found.begins[vocabulary["a"]]
    )
    assert not found.text[[vocabulary[each] for each in ("<s>", "<pad>", "</s>", "<unk>", "<mask>")]].any()
    ids = preprocess.tokenize(["great film gregre"]).ids.numpy()[0]
    first = np.flatnonzero(found.begins[ids])
    for row in range(60):
        _, positions = Masking(found, 0.6).mask(ids, (1, 0, row))
        chosen, opening = set(positions.tolist()), set(range(1, first[0]))
        assert chosen & opening in (set(), opening), "the first word has no space before it and is one all the same"
