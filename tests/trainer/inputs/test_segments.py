"""Segments are those of one text, in order or not, or of two texts; the same again for the same key; none is lost."""

import collections

import numpy as np
import pytest

from tests.tiny_encoders import VOCABULARY
from trainer.inputs.masked import MaskedRows, Masking
from trainer.inputs.segments import FOLLOWS, NO_PAIR, NOT, Segments
from trainer.inputs.tokens import tokenize
from trainer.models import tokenizers
from trainer.models.mask_tokens import mask_tokens
from trainer.models.preprocessor import TextPreprocessor

TEXTS = ["the film is great and a life", "see a dull filmly plot !", "中国 中国 good good", "plots"]
FEATURES = ("token_ids", "padding_mask", "segment_ids")
SEPARATOR = VOCABULARY.index("[SEP]")


@pytest.fixture(scope="module")
def preprocess(bert_folder):
    return TextPreprocessor(*tokenizers.load(str(bert_folder), bert_folder), 10, FEATURES)


def segments_of(preprocess, kind, texts=TEXTS, pairs=None):
    begins = mask_tokens(preprocess).begins
    tokens = tokenize(preprocess, texts, pairs)
    return Segments(kind, tokens, begins, preprocess.special, preprocess.sequence_length)


def bodies(segments):
    """The tokens of each text, without special ones."""
    return [segments._ids(row)[1:-1].tolist() for row in range(len(segments.tokens))]


def stands_in(part, whole):
    return any(whole[place : place + len(part)] == part for place in range(len(whole)))


def drawn(segments, row, count=200):
    """[(first segment, second one, what is to be told)] of a row in many epochs."""
    found = []
    for epoch in range(count):
        ids, first, told = segments.draw(row, (1, epoch, row))
        assert len(ids) <= segments.lengths()[row] <= segments.longest
        if told != NO_PAIR:
            assert ids[first - 1] == ids[-1] == SEPARATOR and ids[0] == VOCABULARY.index("[CLS]")
        found.append((ids[1 : first - 1].tolist(), ids[first:-1].tolist(), told))
    return found


@pytest.mark.parametrize("kind", ["nsp", "sop"])
def test_half_of_the_pairs_follow_and_are_the_whole_text(preprocess, kind):
    segments = segments_of(preprocess, kind)
    whole, kept = bodies(segments)[1], segments.longest - 3
    found, begins = drawn(segments, 1), mask_tokens(preprocess).begins
    assert 0.4 < np.mean([told == FOLLOWS for *_, told in found]) < 0.6
    for first, second, told in found:
        if told == FOLLOWS:
            assert first + second == whole[:kept] and begins[second[0]]
        elif kind == "sop":
            assert second + first == whole[:kept]
    assert len({len(first) for first, _, told in found if told == FOLLOWS}) > 1, "the cut is drawn anew in each epoch"


def test_segments_that_do_not_follow_are_another_texts(preprocess):
    segments = segments_of(preprocess, "nsp")
    own, others = bodies(segments)[0], [bodies(segments)[row] for row in (1, 2, 3)]
    sources = collections.Counter()
    for first, second, told in drawn(segments, 0):
        if told == NOT:
            assert first == own[: len(first)] and len(second) <= len(own) - len(first) + 1
            sources[next(row for row, body in enumerate(others) if stands_in(second, body))] += 1
    assert len(sources) == 3


def test_the_two_texts_of_a_row_are_its_segments(preprocess):
    segments = segments_of(preprocess, "sop", ["the film", "a plot"], ["is great", "see a life"])
    names = [VOCABULARY.index(word) for word in ("the", "film", "is", "great")]
    assert {(tuple(first), tuple(second), told) for first, second, told in drawn(segments, 0)} == {
        (tuple(names[:2]), tuple(names[2:]), FOLLOWS),
        (tuple(names[2:]), tuple(names[:2]), NOT),
    }


def test_a_text_of_one_word_is_no_pair(preprocess):
    segments = segments_of(preprocess, "nsp")
    assert {told for *_, told in drawn(segments, 3, 20)} == {NO_PAIR}
    assert {told for *_, told in drawn(segments_of(preprocess, "nsp", TEXTS[:1]), 0, 20)} == {NO_PAIR}


def test_rows_are_packed_as_pairs_and_the_same_run_draws_the_same(preprocess):
    segments = segments_of(preprocess, "sop", TEXTS * 4)
    rows = MaskedRows(segments.tokens, preprocess, Masking(mask_tokens(preprocess), 0.3), segments)
    runs = [list(rows.training("buckets", 4, 1, 8)) for _ in range(2)]
    orders = set()
    for (features, _, weight), (again, _, _) in zip(*runs, strict=True):
        assert all(np.array_equal(features[name], again[name]) for name in features)
        for row, order in enumerate(features["segment_order"].numpy()):
            mask, second = features["padding_mask"][row].numpy(), features["segment_ids"][row].numpy()
            assert not features["token_ids"][row].numpy()[mask == 0].any()
            assert (order == NO_PAIR) == (not second.any()) and weight[row] <= mask.sum()
            orders.add(int(order))
    assert orders == {FOLLOWS, NOT, NO_PAIR}
