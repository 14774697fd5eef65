"""Spans become labels and come back the same; what a graph cuts out of a text stands there between its offsets."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from benchmarks.mixed_texts import mixed_texts
from tests.trainer.models.test_offsets import SPELLING, answers_of
from trainer.models.offsets import tokenize_with_offsets
from trainer.models.wordpiece import WordPiece
from trainer.tasks import spans

TYPES = ("PER", "LOC", "ORG")
NAMES = spans.bio_labels(TYPES)
WORDPIECE = WordPiece(SPELLING)


def conlleval(ids):
    """[(first, end, type)] of the label ids of one text: an I-X that follows no X begins an entity."""
    found = []
    for at, name in enumerate(NAMES[i] for i in ids):
        prefix, _, kind = name.partition("-")
        if prefix == "I" and found and found[-1][1:] == (at, kind):
            found[-1] = (found[-1][0], at + 1, kind)
        elif prefix != "O":
            found.append((at, at + 1, kind))
    return found


def drawn(rows, seed=0):
    """(TokenOffsets, logits `<float32>[rows, tokens, labels]`) of texts, more I- labels in them than a model gives."""
    offsets = tokenize_with_offsets(WORDPIECE, tf.constant(rows))
    shape = (len(rows), int(offsets.ids.bounding_shape()[1]), len(NAMES))
    return offsets, np.random.default_rng(seed).normal(size=shape).astype(np.float32) * 2


def rows_of(outputs):
    """Of each text [(start, end, text, label, score)]; what is padded must be empty."""
    found = []
    names = ("start", "end", "text", "label", "score")
    for count, *columns in zip(*(np.asarray(outputs[name]) for name in ("count", *names)), strict=True):
        assert not any(column[count:].any() for column in columns)
        entities = zip(*(column[:count] for column in columns), strict=True)
        found.append([(a, b, text.decode(), kind.decode(), score) for a, b, text, kind, score in entities])
    return found


@pytest.mark.parametrize("decode", [spans.best_labels, spans.legal_labels])
def test_entities_are_those_of_the_reference_and_stand_in_the_text(decode):
    rows = mixed_texts(500)
    offsets, logits = drawn(rows)
    labels = decode(logits, offsets.ids.row_lengths())
    probabilities = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    found = rows_of(spans.serving_outputs(labels, logits, offsets, TYPES))
    starts, ends = offsets.start.to_list(), offsets.end.to_list()
    for row, (text, ids, entities) in enumerate(zip(rows, labels.to_list(), found, strict=True)):
        expected = conlleval(ids)
        assert [(start, end, kind) for start, end, _, kind, _ in entities] == [
            (starts[row][first], ends[row][end - 1], kind) for first, end, kind in expected
        ]
        assert [cut for _, _, cut, _, _ in entities] == [text[start:end] for start, end, *_ in entities]
        scores = [probabilities[row, range(a, b), ids[a:b]].mean() for a, b, _ in expected]
        np.testing.assert_allclose([score for *_, score in entities], scores, rtol=1e-5)
    assert sum(map(len, found)) > 3000


def test_spans_of_whole_tokens_come_back_from_their_labels():
    rows, draw = mixed_texts(500, seed=3), np.random.default_rng(3)
    offsets = tokenize_with_offsets(WORDPIECE, tf.constant(rows))
    given, labels = [], []
    for start, end in zip(offsets.start.to_list(), offsets.end.to_list(), strict=True):
        bounds = itertools.pairwise(np.unique(draw.integers(0, len(start) + 1, 8)))
        chosen = [(start[a], end[b - 1], TYPES[draw.integers(3)]) for a, b in bounds]
        ids, unmatched = spans.token_labels(chosen, start, end, TYPES)
        assert unmatched.lost == 0
        given.append(None if any(unmatched) else chosen)  # two spans may hold a piece each of one Hangul syllable
        labels.append(ids)
    ids = tf.ragged.constant(labels, row_splits_dtype=tf.int64).to_tensor()
    decoded = spans.legal_labels(9 * tf.one_hot(ids, len(NAMES)), offsets.ids.row_lengths())
    found = rows_of(spans.serving_outputs(decoded, 9 * tf.one_hot(ids, len(NAMES)), offsets, TYPES))
    back = [[(start, end, kind) for start, end, _, kind, _ in row] for row in found]
    assert all(mine in (None, other) for mine, other in zip(given, back, strict=True))
    assert sum(map(len, filter(None, given))) > 1000


def test_labels_of_a_served_version_are_those_of_eager_ops(tmp_path):
    rows = [*mixed_texts(30, seed=4), "", " "]
    offsets, _ = drawn(rows)
    kernel = tf.constant(np.random.default_rng(4).normal(size=(len(SPELLING), len(NAMES))).astype(np.float32))

    def answer(text):
        found = tokenize_with_offsets(WORDPIECE, text)
        logits = tf.gather(kernel, found.ids.to_tensor())
        labels = spans.whole_words(spans.legal_labels(logits, found.ids.row_lengths()), found.word)
        return spans.serving_outputs(labels, logits, found, TYPES)

    eager, served = answer(tf.constant(rows)), answers_of(answer, WORDPIECE, tmp_path, rows)
    assert {name: each.dtype for name, each in served.items()} == {
        **dict.fromkeys(("start", "end", "count"), np.int32),
        **dict.fromkeys(("text", "label"), np.dtype(object)),
        "score": np.float32,
    }
    assert rows_of(served) == rows_of(eager) and served["count"].sum() > 50
    alone = [rows_of(answer(tf.constant([row])))[0] for row in rows]
    assert [[entity[:4] for entity in row] for row in alone] == [
        [entity[:4] for entity in row] for row in rows_of(eager)
    ]


@pytest.mark.parametrize("rows", [[], [""], ["", " "]])
def test_texts_without_tokens_have_no_entities(rows):
    offsets = tokenize_with_offsets(WORDPIECE, tf.constant(rows, tf.string))
    logits = tf.zeros((len(rows), 0, len(NAMES)))
    for decode in (spans.best_labels, spans.legal_labels):
        labels = spans.whole_words(decode(logits, offsets.ids.row_lengths()), offsets.word)
        outputs = spans.serving_outputs(labels, logits, offsets, TYPES)
        assert outputs.pop("count").numpy().tolist() == [0] * len(rows)
        assert {each.shape for each in outputs.values()} == {(len(rows), 0)}


def test_legal_labels_are_the_likeliest_that_are_legal():
    names = spans.bio_labels(TYPES[:2])
    logits = np.random.default_rng(5).normal(size=(100, 4, len(names))).astype(np.float32)
    lengths = np.arange(100) % 5
    for row, length, found in zip(logits, lengths, spans.legal_labels(logits, lengths).to_list(), strict=True):
        every = itertools.product(range(len(names)), repeat=int(length))
        legal = (
            ids for ids in every if all(b in (0, 1, 3) or a in (b - 1, b) for a, b in itertools.pairwise((0, *ids)))
        )
        assert found == list(max(legal, key=lambda ids: sum(row[at, i] for at, i in enumerate(ids))))


def test_the_first_piece_speaks_for_its_word():
    labels = tf.ragged.constant([["B-PER", "O", "B-LOC", "I-LOC", "O"], [], ["I-ORG", "I-PER", "O", "I-PER"]])
    ids = tf.ragged.map_flat_values(lambda names: tf.argmax(names[:, tf.newaxis] == NAMES, 1, tf.int32), labels)
    word = tf.ragged.constant([[0, 0, 0, 1, 2], [], [0, 0, 1, 1]], tf.int32)
    whole = [[NAMES[i] for i in row] for row in spans.whole_words(ids, word).to_list()]
    assert whole == [["B-PER", "I-PER", "I-PER", "I-LOC", "O"], [], ["I-ORG", "I-ORG", "O", "O"]]


@pytest.mark.parametrize(
    "given, names, unmatched",
    [
        ([(0, 3, "PER"), (4, 11, "LOC")], ["B-PER", "B-LOC", "I-LOC", "I-LOC", "O"], (0, 0, 0)),
        ([(4, 8, "PER"), (9, 11, "LOC")], ["O", "B-PER", "B-LOC", "I-LOC", "O"], (0, 0, 0)),
        ([(3, 8, "PER")], ["O", "B-PER", "O", "O", "O"], (0, 0, 0)),
        ([(5, 10, "PER")], ["O", "B-PER", "I-PER", "O", "O"], (1, 0, 0)),
        ([(3, 4, "PER"), (14, 20, "LOC")], ["O"] * 5, (0, 2, 0)),
        ([(4, 8, "LOC"), (0, 8, "PER"), (0, 3, "ORG")], ["B-PER", "I-PER", "O", "O", "O"], (0, 0, 2)),
    ],
)
def test_spans_become_labels(given, names, unmatched):
    start, end = [0, 4, 9, 10, 13], [3, 8, 10, 11, 14]  # "the film na  !", of which "na" is two pieces
    ids, found = spans.token_labels(given, start, end, TYPES)
    assert [NAMES[i] for i in ids] == names and found == unmatched and ids.dtype == np.int32


@pytest.mark.parametrize("span", [(2, 2, "PER"), (3, 1, "PER"), (-1, 2, "PER"), (0, 2, "film")])
def test_a_span_that_is_none_is_refused(span):
    with pytest.raises(ValueError, match="is empty, or not one of PER, LOC, ORG"):
        spans.token_labels([span], [0], [3], TYPES)
