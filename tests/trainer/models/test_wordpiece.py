"""WordPiece gives the ids of the reference tokenizer, eagerly, in tf.data and in a SavedModel alike."""

import unicodedata

import pytest
import tensorflow as tf

from tests.tiny_encoders import VOCABULARY, WORDS, bert_reference
from trainer.export.hostile import hostile_texts
from trainer.models.wordpiece import NormalizerSettings, WordPiece

TEXTS = [
    "the film is great, never dull!",
    "The FILM lif\u00e9 filmly films heard-of",
    "\u4e2d\u56fd\u4e2dfilm",
    "unknownword a never-ending plot",
    "een enn onnae naao",
    "ΑΣ σ Σ aΣ",
    "",
    "   ",
]
# Each is a setting that a tokenizer.json may name, under its name there.
SETTINGS = {
    "uncased": ({}, NormalizerSettings()),
    "cased": ({"lowercase": False}, NormalizerSettings(lowercase=False)),
    "accents kept": ({"strip_accents": False}, NormalizerSettings(strip_accents=False)),
    "cased, no accents": ({"lowercase": False, "strip_accents": True}, NormalizerSettings(False, True)),
    "ideographs together": ({"handle_chinese_chars": False}, NormalizerSettings(split_ideographs=False)),
    "not cleaned": ({"clean_text": False}, NormalizerSettings(clean_text=False)),
}
CHARACTERS = [*VOCABULARY, *sorted({c for word in WORDS for c in word} - set(VOCABULARY)), "##\u0301", "##X", "A", "É"]


def reference_ids(tokenizer, texts):
    return [tokenizer.encode(text, add_special_tokens=False).ids for text in texts]


def readable(texts):
    """The hostile bytes as str: what is not UTF-8 in them is dropped, as a served model drops it."""
    return [text.decode("utf-8", "ignore") for text in texts]


@pytest.mark.parametrize("name", SETTINGS)
def test_ids_are_those_of_the_reference(name):
    normal, settings = SETTINGS[name]
    texts = [*(text.encode() for text in TEXTS), *hostile_texts()]
    ids = WordPiece(CHARACTERS, settings)(tf.constant(texts)).to_list()
    expected = reference_ids(bert_reference(CHARACTERS, **normal), readable(texts))
    assert {t: i for t, i, e in zip(texts, ids, expected, strict=True) if i != e} == {}
    assert sum(map(len, ids)) > 500  # no test of unknown tokens alone


def test_eager_data_pipeline_and_saved_model_agree(tmp_path):
    wordpiece, texts = WordPiece(VOCABULARY), [*(text.encode() for text in TEXTS), *hostile_texts()]
    eager = wordpiece(tf.constant(texts)).to_list()
    dataset = tf.data.Dataset.from_tensor_slices(texts).batch(7).map(wordpiece)
    assert [row for batch in dataset for row in batch.to_list()] == eager
    module = tf.Module()
    module.tokenizer = wordpiece
    module.ids = tf.function(lambda text: wordpiece(text), input_signature=[tf.TensorSpec([None], tf.string)])
    tf.saved_model.save(module, str(tmp_path))
    assert tf.saved_model.load(str(tmp_path)).ids(tf.constant(texts)).to_list() == eager


@pytest.mark.parametrize("batch", [[], [""], ["", "a"], ["a", "", "the film"]])
def test_empty_texts_and_batches_have_no_ids(batch):
    ids = WordPiece(VOCABULARY)(tf.constant(batch, tf.string))
    assert ids.to_list() == reference_ids(bert_reference(), batch) and ids.dtype == tf.int32


def test_special_tokens_in_a_text_are_plain_text():
    wordpiece = WordPiece([*VOCABULARY, "[", "]", "cls", "sep", "mask", "pad"])
    ids = wordpiece(tf.constant(["[CLS] a [SEP][MASK] [PAD]"])).to_list()[0]
    tokens = [wordpiece.vocabulary[i] for i in ids]
    assert tokens == ["[", "cls", "]", "a", "[", "sep", "]", "[", "mask", "]", "[", "pad", "]"]


def test_final_sigma_is_lowered_as_everywhere_else():
    wordpiece = WordPiece([*VOCABULARY, "α", "##σ", "##ς"])
    assert wordpiece(tf.constant(["ΑΣ"])).to_list() == [[wordpiece.token_id("α"), wordpiece.token_id("##σ")]]


def test_words_beyond_a_hundred_characters_are_unknown_and_shorter_ones_are_spelt():
    wordpiece = WordPiece([*VOCABULARY, "##x", "##é"], NormalizerSettings(lowercase=False))
    for character in "xé":
        fits, beyond = wordpiece(tf.constant([character * 100, character * 101])).to_list()
        assert len(fits) == 100 and beyond == [wordpiece.token_id("[UNK]")]


def test_unicode_as_the_reference_knows_it():
    """The reference's tables are of Unicode 9 or older: only characters that came later may differ."""
    assert all(is_newer(code) for code in differing(range(0x3100)))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["uncased", "cased", "accents kept", "not cleaned"])
def test_every_character_of_unicode(name):
    newer = differing(range(0x110000), name)
    assert len(newer) < 700 and all(map(is_newer, newer))


def is_newer(code):
    """Whether a character came after Unicode 3.2, or was moved to another category since."""
    return code in (0x166D, 0x1734, 0x1885, 0x1886) or unicodedata.ucd_3_2_0.category(chr(code)) == "Cn"


def differing(codes, name="uncased"):
    """Code points, surrogates left out, that split `a?B` into other words than the reference's."""
    normal, settings = SETTINGS[name]
    reference, wordpiece = bert_reference(**normal), WordPiece(VOCABULARY, settings)
    split = tf.function(lambda text: tf.strings.split(wordpiece._split_marks(wordpiece._normalize(text))))
    # U+0000 becomes U+0001 where nothing is cleaned; neither is in any vocabulary
    codes = [code for code in codes if code and not 0xD800 <= code < 0xE000]
    texts = [f"a{chr(code)}B" for code in codes]
    found = []
    for start in range(0, len(codes), 1 << 16):
        part = slice(start, start + (1 << 16))
        for code, text, words in zip(codes[part], texts[part], split(tf.constant(texts[part])).to_list(), strict=True):
            expected = reference.pre_tokenizer.pre_tokenize_str(reference.normalizer.normalize_str(text))
            if [word.encode() for word, _ in expected] != words:
                found.append(code)
    return found
