"""Windows of long texts: every token answered once, by the window in which it stands furthest from an edge."""

import numpy as np
import pytest
import tensorflow as tf

from benchmarks.mixed_texts import mixed_texts
from tests.tiny_encoders import SPECIAL
from tests.trainer.models.test_offsets import SPELLING
from trainer.models.preprocessor import SpecialTokens, TextPreprocessor
from trainer.models.windows import WindowPreprocessor, cut, own_tokens
from trainer.models.wordpiece import WordPiece

CLS, SEP = SPECIAL.index("[CLS]"), SPECIAL.index("[SEP]")


def windows_of(length, sequence_length=12, overlap=4, most=100):
    preprocessor = TextPreprocessor(
        WordPiece(SPELLING), SpecialTokens(CLS, (SEP,), SEP, 0), sequence_length, ("token_ids", "padding_mask")
    )
    return WindowPreprocessor(preprocessor, overlap, most)


@pytest.mark.parametrize("budget, overlap, most", [(8, 4, 100), (8, 0, 3), (5, 4, 7), (1, 0, 100)])
def test_each_token_is_answered_once_where_it_stands_furthest_from_an_edge(budget, overlap, most):
    lengths = np.arange(60)
    text, start, stop, begin, end, read = (each.numpy() for each in cut(tf.constant(lengths), budget, overlap, most))
    for row, length in enumerate(lengths):
        own = text == row
        answered = np.concatenate([np.arange(a, b) for a, b in zip(begin[own], end[own], strict=True)])
        np.testing.assert_array_equal(answered, np.arange(read[row]))
        assert 1 <= own.sum() <= most and (read[row] == length or own.sum() == most)
        assert ((stop - start)[own] == min(length, budget)).all()
        for token in answered:
            edges = np.minimum(token - start[own], stop[own] - 1 - token)
            (chosen,) = np.flatnonzero((begin[own] <= token) & (token < end[own]))
            # the first and the last window have an edge that is none: nothing stands beyond it
            inner = edges[(start[own] <= token) & (token < stop[own])]
            assert edges[chosen] >= inner.max() - 1 or token < budget // 2 or token >= read[row] - budget // 2


def test_windows_hold_the_texts_tokens_in_their_order():
    texts = [*mixed_texts(60), "", " ", "film " * 40]
    windowed = windows_of(12)
    features, found = windowed(tf.constant(texts))
    ids, mask = features["token_ids"].numpy(), features["padding_mask"].numpy()
    assert (ids[:, 0] == CLS).all() and (ids[np.arange(len(ids)), mask.sum(axis=1) - 1] == SEP).all()
    assert ids.shape[1] <= 12 and len(ids) > len(texts) + 40
    lengths = found.offsets.start.row_lengths()
    own = own_tokens(tf.cast(ids, tf.float32)[:, :, tf.newaxis], found.begin, found.end, lengths)
    back = tf.RaggedTensor.from_tensor(tf.cast(own[:, :, 0], tf.int32), lengths=lengths).to_list()
    assert back == windowed.preprocessor.tokenizer(tf.constant(texts)).to_list() == found.offsets.ids.to_list()
    assert not found.truncated.numpy().any()


def test_what_no_window_reads_is_truncated():
    texts = ["film " * 10, "film " * 23, "film " * 22, "film"]
    _, found = windows_of(12, most=3)(tf.constant(texts))
    assert found.truncated.numpy().tolist() == [False, True, False, False]
    assert found.offsets.start.row_lengths().numpy().tolist() == [10, 22, 22, 1]


def test_a_window_alone_is_that_of_the_batch():
    texts = mixed_texts(20, seed=5)
    together = windows_of(12).tokenize(tf.constant(texts))
    alone = [windows_of(12).tokenize(tf.constant([text])).ids.to_list() for text in texts]
    assert [row for rows in alone for row in rows] == together.ids.to_list()


def test_a_tokenizer_without_offsets_is_refused():
    with pytest.raises(ValueError, match="function tells no offsets; WordPiece does"):
        WindowPreprocessor(TextPreprocessor(lambda text: text, None, 12, ()), 4, 3)


@pytest.mark.parametrize("most", [100, 2])
def test_windows_of_pairs_have_the_question_in_front_and_answer_each_token_once(most):
    contexts = [*mixed_texts(40), "", " ", "film " * 40, "中国 film 👍🏽 " * 9]
    questions = [*mixed_texts(43, seed=3), "film"]
    windowed = WindowPreprocessor(windows_of(0, 20).preprocessor, 3, most, question_tokens=6)
    features, found = windowed(tf.constant(questions), tf.constant(contexts))
    tokenizer = windowed.preprocessor.tokenizer
    asked = [row[:6] for row in tokenizer(tf.constant(questions)).to_list()]
    lengths = found.offsets.start.row_lengths()
    read = [row[:count] for row, count in zip(tokenizer(tf.constant(contexts)).to_list(), lengths, strict=True)]
    columns = (found.text, found.first, found.start, found.begin, found.end)
    answered = [[] for _ in contexts]
    for row, (text, first, start, begin, end) in enumerate(zip(*(each.numpy() for each in columns), strict=True)):
        ids = found.ids[row].numpy().tolist()
        assert ids[:first] == [CLS, *asked[text], SEP] and ids[-1] == SEP and len(ids) <= 20
        assert ids[first:-1] == read[text][start : start + len(ids) - 1 - first]
        answered[text] += ids[begin:end]
        assert features["token_ids"][row].numpy().tolist()[: len(ids)] == ids
    assert answered == read == found.offsets.ids.to_list()
    whole = tokenizer(tf.constant(contexts)).to_list(), tokenizer(tf.constant(questions)).to_list()
    cut_off = [a != b or c != d for a, b, c, d in zip(read, whole[0], asked, whole[1], strict=True)]
    assert found.truncated.numpy().tolist() == cut_off and any(cut_off)
    assert any(len(context) > len(row) for context, row in zip(whole[0], read, strict=True)) == (most == 2)


def test_windows_of_pairs_mark_the_context_as_the_second_segment():
    windowed = WindowPreprocessor(windows_of(12).preprocessor, 2, 9, question_tokens=4)
    windowed.preprocessor.features |= {"segment_ids"}
    features, found = windowed(tf.constant(["film", "a film film"]), tf.constant(["film " * 20, "film"]))
    for row, first in enumerate(found.first.numpy()):
        length = features["padding_mask"][row].numpy().sum()
        segments = features["segment_ids"][row].numpy()
        assert segments.tolist() == [0] * first + [1] * (length - first) + [0] * (len(segments) - length)
    assert found.first.numpy()[-1] > found.first.numpy()[0] == 3
