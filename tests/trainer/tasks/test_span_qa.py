"""Answers stand in their context whatever its script; alone as in a batch, offline as served; targets are the gold."""

import json

import numpy as np
import pytest
import tensorflow as tf

from benchmarks.mixed_texts import mixed_texts
from tests.tiny_encoders import SPECIAL
from trainer.config import Config, UserError
from trainer.inputs.answer_rows import AnswerRows, AnswerTruth
from trainer.inputs.window_rows import window_tokens
from trainer.loop.evaluate import Evaluator
from trainer.models.encoder import load_encoder
from trainer.tasks.no_answer import NoAnswer
from trainer.tasks.span_qa import SpanQA

CONTEXTS = [
    *("the film is very good , never dull", "中国 film 中国 的 国", "a 👍🏽 film 👨‍👩‍👧 of 😀 life !", "", " \u200b "),
    *("the plot was dull . " * 30, "é film e\u0301 " * 12, *mixed_texts(20, seed=7)),
]
QUESTIONS = [("is the film good", "国", "")[row % 3] for row in range(len(CONTEXTS))]
FLAGS = {
    **{"sequence_length": 20, "window_overlap": 4, "question_tokens": 4, "answer_tokens": 5},
    "max_windows": 5,
}


@pytest.fixture(scope="module")
def asked(bert_folder, tmp_path_factory):
    """(task, model that has learned nothing, its preprocessor)."""
    config = Config.from_flat(FLAGS)
    encoder = load_encoder(str(bert_folder), tmp_path_factory.mktemp("cache"), config.input.sequence_length)
    task = SpanQA(True, config.model, config.input)
    model = task.build(encoder)
    kernel = np.random.default_rng(3).normal(size=model.get_layer("logits").kernel.shape)
    model.get_layer("logits").kernel.assign(kernel * 2)
    return task, model, encoder.preprocessor


def respond(asked, threshold=None, rows=slice(None)):
    task, model, preprocessor = asked
    texts = (tf.constant(each[rows]) for each in (QUESTIONS, CONTEXTS))
    found = task.decided(NoAnswer(threshold)).reference(model, preprocessor, *texts)
    return {name: each.numpy() for name, each in found.items()}


def rows_of(asked, cells=None):
    task, _, preprocessor = asked
    preprocess = task.preprocess(preprocessor)
    windows = window_tokens(preprocess, QUESTIONS, CONTEXTS)
    truth = AnswerTruth(*task.window_targets(cells, windows)[1::-1]) if cells else None
    return AnswerRows(windows, preprocess, CONTEXTS, truth)


def test_answers_stand_in_their_context(asked):
    found = respond(asked)
    for row, context in enumerate(CONTEXTS):
        start, end, count = found["start"][row], found["end"][row], found["token_count"][row]
        assert found["answerable"][row] == (count > 0)
        assert context[max(start, 0) : max(end, 0)] == found["answer"][row].decode()
        if count:
            starts, ends = (found[f"token_{edge}"][row, :count].tolist() for edge in ("start", "end"))
            assert 0 <= ends.index(end) - len(starts) + 1 + starts[::-1].index(start) < 5
            assert 0 < found["score"][row] <= 1 and found["second"][row] <= found["score"][row] + 1e-6
        else:
            assert (start, end, found["score"][row]) == (-1, -1, 1.0)
    assert found["truncated"][5] and not found["truncated"][:5].any() and found["token_count"][3] == 0


def test_a_row_alone_is_that_of_its_batch(asked):
    together = respond(asked, 0.0)
    for row in range(len(CONTEXTS)):
        alone = respond(asked, 0.0, slice(row, row + 1))
        for name in ("answer", "start", "end", "answerable", "truncated"):
            assert alone[name][0] == together[name][row]
        assert alone["score"][0] == pytest.approx(together["score"][row], abs=1e-5)


def test_the_threshold_decides_what_has_no_answer(asked):
    always, sometimes = respond(asked), respond(asked, 0.5)
    silent = always["advantage"] > 0.5
    assert (sometimes["answerable"] == ~silent).all() and 3 < silent.sum() < len(silent) - 3
    assert set(sometimes["answer"][silent]) == {b""} and (sometimes["start"][silent] == -1).all()
    np.testing.assert_array_equal(sometimes["answer"][~silent], always["answer"][~silent])
    silent &= always["token_count"] > 0
    nothing = always["score"][silent] * np.exp(always["advantage"][silent])
    np.testing.assert_allclose(sometimes["score"][silent], nothing, rtol=1e-4)


def test_what_is_evaluated_is_what_is_served(asked):
    served, rows = respond(asked, 0.5), rows_of(asked)
    logits = Evaluator(asked[1], "pools", 7).logits(rows)
    found = asked[0].decided(NoAnswer(0.5)).answers(logits)
    for name in ("answer", "start", "end", "answerable"):
        np.testing.assert_array_equal(found[name], served[name], name)
    np.testing.assert_allclose(found["score"], served["score"], atol=1e-5)
    np.testing.assert_array_equal(rows.truncated, served["truncated"])


def test_targets_are_the_tokens_of_the_first_gold_answer_in_each_window_that_holds_it(asked):
    golds = [
        [[16, "good"], [0, "the"]],
        [[3, "film 中国"]],
        [[0, "a 👍🏽 film"]],
        [],
        [],
        [[9, "was dull"]],
        [[2, "film"]],
    ]
    cells = [json.dumps({"id": "", "answers": each}) for each in golds + [[]] * 20]
    rows = rows_of(asked, cells)
    tokens, windows = rows.tokens, rows.windows
    said = {}
    for window, (first, last) in enumerate(rows.targets):
        ids = tokens.ids[tokens.starts[window] : tokens.starts[window + 1]]
        assert first <= last < len(ids) and (first > 0) == (last > 0)
        if first:
            assert first >= tokens.first[window]
            said.setdefault(int(windows.text[window]), []).append(ids[first : last + 1].tolist())
    tokenizer = asked[2].tokenizer
    for text, found in said.items():
        wanted = tokenizer(tf.constant([golds[text][0][1]])).to_list()[0]
        assert all(each == wanted for each in found)
    assert said.keys() == {0, 1, 2, 5, 6} and SPECIAL[0] == "[PAD]"
    assert (rows.targets == 0).all(axis=1).sum() > 20


def test_answers_that_no_window_holds_are_counted(asked):
    task, _, preprocessor = asked
    long = " ".join(["film"] * 200)
    windows = window_tokens(task.preprocess(preprocessor), ["is"] * 4, [long, long, "films", "a film"])
    golds = [[[0, long[:99]]], [[700, long[700:704]]], [[1, "ilm"]], [[2, "film"]]]
    places, given, counted = task.window_targets([json.dumps({"answers": each}) for each in golds], windows)
    assert counted == (1, 2) and given == golds
    assert places[-2:].tolist() == [[3, 3], [4, 4]] and not places[:-2].any()


def test_the_loss_of_dev_is_that_of_training(asked):
    task, model, _ = asked
    cells = [json.dumps({"id": "", "answers": []})] * len(CONTEXTS)
    cells[0] = json.dumps({"id": "", "answers": [[16, "good"]]})
    rows = rows_of(asked, cells)
    dataset, _ = rows.evaluation("pools", len(rows))
    (features, target, weight) = next(iter(dataset))
    logits = Evaluator(model, "pools", 9).logits(rows)
    told = task.score(logits, rows.truth)
    assert told["loss"] == pytest.approx(float(task.loss()(target, model(features), weight)), rel=1e-4)
    assert told.keys() >= {"f1", "exact_match", "answerable_f1", "unanswerable_exact_match"}
    best = task.score_on_dev(logits, rows.truth)
    assert best["f1"] >= told["f1"] and best["unanswerable_exact_match"] > told["unanswerable_exact_match"]


def test_an_encoder_without_offsets_is_refused():
    class Encoder:
        name = "roberta"
        preprocessor = type("Preprocessor", (), {"tokenizer": object()})

    with pytest.raises(UserError, match="--task=span_qa: the tokenizer of roberta does not tell where its tokens lie"):
        SpanQA.check_encoder(Encoder, Config.from_flat({"task": "span_qa"}))
