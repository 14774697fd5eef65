"""The preprocessor frames, cuts and packs as the reference does, whatever runs it."""

import numpy as np
import pytest
import tensorflow as tf

from tests.tiny_encoders import VOCABULARY, bert_reference, byte_pairs, roberta_reference
from trainer.export.hostile import hostile_texts, oversized_texts
from trainer.models import tokenizers
from trainer.models.preprocessor import TEXT_BYTES, SpecialTokens, TextPreprocessor, longest_first
from trainer.models.wordpiece import WordPiece

FEATURES = ("token_ids", "segment_ids", "padding_mask")
TEXTS = ["the film is great", "", "a plot of life and films, never dull! not a bad film", "x"]
PAIRS = ["not bad", "the film is very great, great, great", "", "the plot"]


def bert(length):
    start, end, pad = map(VOCABULARY.index, ("[CLS]", "[SEP]", "[PAD]"))
    return TextPreprocessor(WordPiece(VOCABULARY), SpecialTokens(start, (end,), end, pad), length, FEATURES)


def roberta(length):
    import keras_hub

    vocabulary, merges = byte_pairs()
    hub = keras_hub.models.RobertaTokenizer(vocabulary=vocabulary, merges=[" ".join(pair) for pair in merges])
    tokenizer, special = tokenizers._hub_framed(hub)
    return TextPreprocessor(tokenizer, special, length, ("token_ids", "padding_mask"))


def reference(length, tokenizer=None):
    tokenizer = tokenizer or bert_reference()
    tokenizer.enable_truncation(length, strategy="longest_first")
    return tokenizer


@pytest.mark.parametrize("length", [4, 5, 8, 24])
def test_single_texts_are_framed_and_cut_as_the_reference_does(length):
    tokens = bert(length).tokenize(tf.constant(TEXTS))
    assert tokens.ids.to_list() == [encoding.ids for encoding in reference(length).encode_batch(TEXTS)]
    whole = [encoding.ids for encoding in bert_reference().encode_batch(TEXTS)]
    assert tokens.truncated.numpy().tolist() == [len(ids) > length for ids in whole]
    assert tokens.first.numpy().tolist() == [len(ids) for ids in tokens.ids.to_list()]


@pytest.mark.parametrize("length", [4, 7, 8, 24])
def test_pairs_are_framed_and_cut_as_the_reference_does(length):
    features, truncated = bert(length)(tf.constant(TEXTS), tf.constant(PAIRS))
    encodings = reference(length).encode_batch(list(zip(TEXTS, PAIRS, strict=True)))
    for row, encoding in enumerate(encodings):
        own = {name: feature[row, : len(encoding.ids)].numpy().tolist() for name, feature in features.items()}
        assert own == {"token_ids": encoding.ids, "segment_ids": encoding.type_ids, "padding_mask": [1] * len(encoding)}
        assert not any(feature[row, len(encoding.ids) :].numpy().any() for feature in features.values())
        assert bool(truncated[row]) == bool(encoding.overflowing)


def test_pairs_of_a_roberta_have_two_separators():
    tokenizer = roberta_reference(*byte_pairs())
    for length in (5, 6, 9, 24):
        tokens = roberta(length).tokenize(tf.constant(TEXTS), tf.constant(PAIRS))
        encodings = reference(length, tokenizer).encode_batch(list(zip(TEXTS, PAIRS, strict=True)))
        assert tokens.ids.to_list() == [encoding.ids for encoding in encodings]
        assert tokens.truncated.numpy().tolist() == [bool(encoding.overflowing) for encoding in encodings]


def test_longest_first_over_a_grid_of_lengths():
    tokenizer = bert_reference()
    for budget in range(1, 9):
        tokenizer.enable_truncation(budget + 3, strategy="longest_first")
        for length, pair_length in np.ndindex(12, 12):
            types = tokenizer.encode("a " * length, "a " * pair_length).type_ids
            kept = longest_first(*(tf.constant([n], tf.int64) for n in (length, pair_length)), budget)
            assert [int(n[0]) for n in kept] == [types.count(0) - 2, types.count(1) - 1], (budget, length, pair_length)


def test_a_batch_is_as_long_as_its_longest_row():
    features, _ = bert(24)(tf.constant(["a", "a film", ""]))
    assert {name: feature.shape for name, feature in features.items()} == dict.fromkeys(FEATURES, (3, 4))
    assert features["padding_mask"].numpy().sum(axis=1).tolist() == [3, 4, 2]


def test_an_empty_batch_gives_empty_features():
    for columns in ([tf.zeros([0], tf.string)], [tf.zeros([0], tf.string)] * 2):
        features, truncated = bert(8)(*columns)
        assert {feature.shape[0] for feature in features.values()} == {0} and truncated.shape == (0,)


def test_features_are_those_that_the_encoder_takes():
    features, _ = roberta(8)(tf.constant(["a film"]))
    assert set(features) == {"token_ids", "padding_mask"} and features["token_ids"].dtype == tf.int32


def test_texts_beyond_the_byte_limit_are_cut_and_flagged():
    long = "é".encode() * (TEXT_BYTES // 2)  # cut in between, the last character would be half there
    texts = [b"a", b" " * (TEXT_BYTES - 1) + b"a", b" " * TEXT_BYTES + b"a", b"a" + long]
    tokens = bert(8).tokenize(tf.constant(texts))
    assert tokens.truncated.numpy().tolist() == [False, False, True, True]
    unknown, a = VOCABULARY.index("[UNK]"), VOCABULARY.index("a")
    assert [ids[1:-1] for ids in tokens.ids.to_list()] == [[a], [a], [], [unknown]]


def test_eager_data_pipeline_and_saved_model_agree(tmp_path):
    preprocessor, texts = bert(16), [*hostile_texts(), *oversized_texts()]
    rows = {"text": texts, "text_pair": texts[::-1]}
    module = tf.Module()
    module.tokenizer = preprocessor.tokenizer
    module.pack = tf.function(preprocessor.__call__, input_signature=[tf.TensorSpec([None], tf.string)] * 2)
    tf.saved_model.save(module, str(tmp_path))
    loaded, count = tf.saved_model.load(str(tmp_path)), 0
    batches = tf.data.Dataset.from_tensor_slices(rows).batch(9)
    mapped = batches.map(lambda row: preprocessor(row["text"], row["text_pair"]))
    for batch, features in zip(batches, mapped, strict=True):
        eager, served = preprocessor(batch["text"], batch["text_pair"]), loaded.pack(batch["text"], batch["text_pair"])
        for other in (features, served):
            tf.nest.map_structure(np.testing.assert_array_equal, tf.nest.flatten(eager), tf.nest.flatten(other))
        count += len(batch["text"])
    assert count == len(texts)


def test_the_fingerprint_knows_vocabulary_settings_and_frame():
    preprocessor = bert(8)
    assert preprocessor.fingerprint == bert(24).fingerprint and preprocessor.fingerprint.startswith("sha256:")
    swapped = [*VOCABULARY[:5], *VOCABULARY[6:], VOCABULARY[5]]
    others = [
        TextPreprocessor(WordPiece(swapped), preprocessor.special, 8, FEATURES),
        TextPreprocessor(preprocessor.tokenizer, SpecialTokens(2, (3, 3), 3, 0), 8, FEATURES),
        roberta(8),
    ]
    assert len({p.fingerprint for p in [preprocessor, *others]}) == 4
