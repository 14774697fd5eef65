"""Each token lies where it stands in the text as sent, and its id is that of the tokenizer without offsets."""

import gzip
import itertools
import unicodedata

import numpy as np
import pytest
import tensorflow as tf

from benchmarks.mixed_texts import PARTS, mixed_texts
from serving import loader, opsets
from tests.tiny_encoders import SPECIAL, VOCABULARY
from tests.trainer.models.test_real_texts import DATA, folder, texts  # noqa: F401
from tests.trainer.models.test_wordpiece import SETTINGS
from trainer.export.hostile import hostile_texts
from trainer.models import tokenizers
from trainer.models.offsets import tokenize_with_offsets
from trainer.models.wordpiece import NormalizerSettings, WordPiece

MAN, WOMAN = "\U0001f468", "\U0001f469"
FORMS = {*PARTS, *(part.lower() for part in PARTS)} | {unicodedata.normalize("NFD", part.lower()) for part in PARTS}
LETTERS = sorted(set("".join(FORMS)) - {"\x00"})
SPELLING = [*SPECIAL, "film", "heard", *LETTERS, *(f"##{c}" for c in LETTERS if c not in "한국")]


def assert_words_lie_there(wordpiece, rows, found):
    """The characters from the start of a word's first token to the end of its last spell that word and no other."""
    words = wordpiece.words(tf.constant(rows))
    cut, expected = [], []
    columns = [each.to_list() for each in (found.start, found.end, found.word, words)]
    for row, start, end, word, spelt in zip(rows, *columns, strict=True):
        row = row.decode("utf-8", "ignore") if isinstance(row, bytes) else row
        assert start == sorted(start) and end == sorted(end) and sorted(set(word)) == list(range(len(spelt)))
        for number, (first, last) in enumerate(_runs(word)):
            assert 0 <= start[first] < end[last] <= len(row)
            cut.append(row[start[first] : end[last]])
            expected.append([spelt[number]])
    assert wordpiece.words(tf.constant(cut, tf.string)).to_list() == expected


def _runs(numbers):
    bounds = np.flatnonzero(np.diff(numbers, prepend=-1, append=-1))
    return [(int(a), int(b) - 1) for a, b in zip(bounds[:-1], bounds[1:], strict=True)]


def tokens(wordpiece, text):
    """[(token, the characters it covers)] of one text."""
    found = tokenize_with_offsets(wordpiece, tf.constant([text]))
    rows = zip(*(each.to_list()[0] for each in found[:3]), strict=True)
    return [(wordpiece.vocabulary[token], text[start:end]) for token, start, end in rows]


@pytest.mark.parametrize("name", SETTINGS)
def test_ids_are_the_tokenizers_and_words_lie_where_they_stand(name):
    wordpiece = WordPiece(SPELLING, SETTINGS[name][1])
    rows = [*(text.encode() for text in mixed_texts(500)), *hostile_texts()]
    found = tokenize_with_offsets(wordpiece, tf.constant(rows))
    assert found.ids.to_list() == wordpiece(tf.constant(rows)).to_list()
    assert_words_lie_there(wordpiece, rows, found)
    assert (np.asarray(found.ids.flat_values) != wordpiece.token_id("[UNK]")).sum() > 5000


def test_pieces_spell_the_characters_they_cover():
    wordpiece = WordPiece(SPELLING)
    rows = [row for row in mixed_texts(500, seed=1) if not set(row) & {"\U0001d16d", "\u302e"}]  # NFD reorders them
    pieces, cut = [], []
    found = tokenize_with_offsets(wordpiece, tf.constant(rows))
    for row, *columns in zip(rows, *(each.to_list() for each in found[:3]), strict=True):
        for i, start, end in itertools.compress(zip(*columns, strict=True), alone(*columns[1:])):
            pieces.append([wordpiece.vocabulary[i].removeprefix("##").encode()])
            cut.append(row[start:end])
    spelt = zip(pieces, wordpiece.words(tf.constant(cut)).to_list(), strict=True)
    assert {(*piece, *words) for piece, words in spelt if words != piece != [b"[UNK]"]} == set() and len(cut) > 5000


def alone(start, end):
    """Whether each token of a text shares no character with its neighbours."""
    shares = np.less(start[1:], end[:-1])
    return ~(np.append(False, shares) | np.append(shares, False))


@pytest.mark.parametrize(
    "text, expected",
    [
        ("Ae\u0301 e\u0301.", [("a", "A"), ("##e", "e\u0301"), ("e", "e\u0301"), (".", ".")]),
        ("\u0301e \u0301x", [("e", "e"), ("x", "x")]),
        ("中\u0301国", [("中", "中\u0301"), ("国", "国")]),
        ("ＡＢ　Ｃ，", [("ａ", "Ａ"), ("##ｂ", "Ｂ"), ("ｃ", "Ｃ"), ("，", "，")]),
        ("한", [("ᄒ", "한"), ("##ᅡ", "한"), ("##ᆫ", "한")]),
        ("x\u00ady\u200b z", [("[UNK]", "x\u00ady"), ("[UNK]", "z")]),
        ("❤\ufe0f \U0001f600", [("❤", "❤\ufe0f"), ("\U0001f600", "\U0001f600")]),
        (f"{MAN}\u200d{WOMAN}\u200d!", [(MAN, f"{MAN}\u200d"), (f"##{WOMAN}", f"{WOMAN}\u200d"), ("!", "!")]),
        ("ΣΑΣ", [("σ", "Σ"), ("##α", "Α"), ("##σ", "Σ")]),
        ("x" * 101 + " x", [("[UNK]", "x" * 101), ("x", "x")]),
        ("", []),
    ],
)
def test_tokens_of_one_text(text, expected):
    assert tokens(WordPiece(SPELLING), text) == expected


def test_accents_that_are_kept_are_tokens_of_their_own():
    wordpiece = WordPiece([*VOCABULARY, "##\u0301"], NormalizerSettings(strip_accents=False))
    assert tokens(wordpiece, "ne\u0301") == [("n", "n"), ("##e", "e"), ("##\u0301", "\u0301")]


def test_marks_that_nfd_reorders_keep_the_place_of_the_text():
    wordpiece = WordPiece([*VOCABULARY, "x\U0001d165", "##\U0001d16d"])
    covered = [("x\U0001d165", "x\U0001d16d"), ("##\U0001d16d", "\U0001d165")]
    assert tokens(wordpiece, "x\U0001d16d\U0001d165") == covered


def test_offsets_are_those_of_the_text_without_bytes_that_are_not_utf8():
    rows = [b"\xffa \xe4\xb8film", b"\xed\xa0\x80\xc0\xafthe\xf0\x9f"]
    found = tokenize_with_offsets(WordPiece(VOCABULARY), tf.constant(rows))
    decoded = [row.decode("utf-8", "ignore") for row in rows]
    assert decoded == ["a film", "the"] and found.start.to_list() == [[0, 2], [0]]
    assert ["".join(map(chr, row)) for row in found.characters.to_list()] == decoded


@pytest.mark.parametrize("batch", [[], [""], ["", " "]])
def test_texts_without_tokens(batch):
    found = tokenize_with_offsets(WordPiece(VOCABULARY), tf.constant(batch, tf.string))
    assert all(each.to_list() == [[]] * len(batch) and each.dtype == tf.int32 for each in found[:4])


def test_a_row_is_as_it_is_alone_and_the_head_is_its_first_tokens():
    wordpiece, rows = WordPiece(SPELLING), mixed_texts(20, seed=2)
    together = tokenize_with_offsets(wordpiece, tf.constant(rows))
    for i, row in enumerate(rows):
        alone = tokenize_with_offsets(wordpiece, tf.constant([row]))
        assert [each.to_list()[0] for each in alone] == [each[i].numpy().tolist() for each in together]
    assert together.head(3).start.to_list() == [row[:3] for row in together.start.to_list()]


def test_data_pipeline_and_served_version_agree(tmp_path):
    wordpiece, rows = WordPiece(SPELLING), [*(text.encode() for text in mixed_texts(50)), *hostile_texts()]
    eager = [each.to_list() for each in tokenize_with_offsets(wordpiece, tf.constant(rows))]
    dataset = tf.data.Dataset.from_tensor_slices(rows).batch(7).map(lambda text: tokenize_with_offsets(wordpiece, text))
    assert [[row for batch in dataset for row in batch[i].to_list()] for i in range(5)] == eager
    served = answers_of(lambda text: padded(tokenize_with_offsets(wordpiece, text)), wordpiece, tmp_path, rows)
    assert [[[n for n in row if n >= 0] for row in served[name].tolist()] for name in sorted(served)] == eager


def padded(found):
    return {str(i): each.to_tensor(-1) for i, each in enumerate(found)}


def answers_of(function, tracked, place, rows):
    """What a v1 Session answers, of a version with no op that any TF Serving lacks."""
    module = tf.Module()
    module.tracked = tracked
    signature = tf.function(function, input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    tf.saved_model.save(module, str(place), {"serving_default": signature})
    opsets.refuse_missing(loader.graph_ops(place / "saved_model.pb"), opsets.known_targets())
    with loader.ServedVersion(place) as version:
        return version.run("serving_default", {"text": np.array(rows, object)})


@pytest.mark.slow
@pytest.mark.parametrize("name", ["uncased", "cased", "not cleaned"])
def test_every_character_of_unicode(name):
    wordpiece = WordPiece(SPELLING, SETTINGS[name][1])
    codes = [code for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    for start in range(0, len(codes), 1 << 16):
        rows = [f"a{chr(code)}\u0301B" for code in codes[start : start + (1 << 16)]]
        found = tokenize_with_offsets(wordpiece, tf.constant(rows))
        assert found.ids.to_list() == wordpiece(tf.constant(rows)).to_list()
        assert_words_lie_there(wordpiece, rows, found)


def conll_texts():
    """Sentences of conll2003, a space between words."""
    if not (DATA / "conll2003").is_dir():
        pytest.skip(f"no {DATA / 'conll2003'}")
    with gzip.open(DATA / "conll2003" / "train.txt.gz", "rt", encoding="utf-8") as file:
        blocks = file.read().split("\n\n")
    return [" ".join(line.split(" ")[0] for line in block.split("\n")) for block in blocks]


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", ["conll2003", "cluener2020", "sst2", "chnsenticorp"])
def test_real_texts_with_a_real_encoder(name, folder):  # noqa: F811
    wordpiece, _ = tokenizers.load(str(folder), folder)
    rows = conll_texts() if name == "conll2003" else texts(name)
    assert len(rows) > 8000
    for start in range(0, len(rows), 1024):
        text = tf.constant(rows[start : start + 1024])
        found = tokenize_with_offsets(wordpiece, text)
        assert found.ids.to_list() == wordpiece(text).to_list()
        assert_words_lie_there(wordpiece, rows[start : start + 1024], found)
