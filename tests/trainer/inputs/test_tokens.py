"""Token ids are made once, whatever the chunks, for any text that Python can hold."""

import numpy as np
import pytest
import tensorflow as tf

from tests.tiny_encoders import VOCABULARY
from trainer.inputs import tokens as tokens_lib
from trainer.inputs.tokens import encodable, tokenize
from trainer.models.preprocessor import SpecialTokens, TextPreprocessor
from trainer.models.wordpiece import WordPiece

TEXTS = ["the film is great", "", "a plot of life and films, never dull", "x\0x", "\ud800 film", "é" * 40]


@pytest.fixture(scope="module")
def preprocessor():
    start, end, pad = map(VOCABULARY.index, ("[CLS]", "[SEP]", "[PAD]"))
    return TextPreprocessor(WordPiece(VOCABULARY), SpecialTokens(start, (end,), end, pad), 10, ("token_ids",))


def rows_of(found):
    return [found.ids[found.starts[i] : found.starts[i + 1]].tolist() for i in range(len(found))]


def test_rows_are_those_of_the_preprocessor_whatever_the_chunks(preprocessor, monkeypatch):
    direct = preprocessor.tokenize(tf.constant([encodable(text) for text in TEXTS]))
    for chunk in (1, 4, 1024):
        monkeypatch.setattr(tokens_lib, "_CHUNK", chunk)
        found = tokenize(preprocessor, TEXTS)
        assert rows_of(found) == direct.ids.to_list()
        assert found.truncated.tolist() == direct.truncated.numpy().tolist()
        assert found.first.tolist() == found.lengths.tolist() == direct.first.numpy().tolist()


def test_pairs_keep_where_the_second_text_begins(preprocessor):
    found = tokenize(preprocessor, TEXTS, TEXTS[::-1])
    direct = preprocessor.tokenize(*(tf.constant([encodable(t) for t in texts]) for texts in (TEXTS, TEXTS[::-1])))
    assert rows_of(found) == direct.ids.to_list() and found.first.tolist() == direct.first.numpy().tolist()
    assert (found.first < found.lengths).all()


def test_padded_rows(preprocessor):
    found = tokenize(preprocessor, ["a film", "a"])
    out = found.padded(np.array([1, 0, 1]), 5, 9)
    assert out.dtype == np.int32 and out.tolist() == [
        [*ids, *[9] * (5 - len(ids))] for ids in rows_of(found)[::-1] + rows_of(found)[1:]
    ]


def test_progress_counts_to_the_end(preprocessor, monkeypatch):
    monkeypatch.setattr(tokens_lib, "_CHUNK", 4)
    seen = []
    tokenize(preprocessor, TEXTS, progress=seen.append)
    assert seen == [4, 6]


def test_no_texts_are_no_rows(preprocessor):
    found = tokenize(preprocessor, [])
    assert len(found) == 0 and found.lengths.tolist() == [] and found.ids.dtype == np.int32


@pytest.mark.parametrize(
    "text, encoded",
    [
        ("plain é 中", "plain é 中".encode()),
        ("lone \ud800 high", "lone \ufffd high".encode()),
        ("lone \udc00 low", "lone \ufffd low".encode()),
        ("\ude00\ud83d", "\ufffd\ufffd".encode()),
        ("\ud83d\ude00", "\U0001f600".encode()),  # two halves side by side are one character
        ("\ufeffmark", "\ufeffmark".encode()),
        ("\0", b"\0"),
        ("", b""),
    ],
)
def test_any_string_can_be_encoded(text, encoded):
    assert encodable(text) == encoded
