"""The peer of the quality benchmark starts where our own run starts."""

import json

import numpy as np
import pytest

from benchmarks.starting_point import starting_point
from tests import task_walks, tiny_reviews
from tests.commands import run_main
from trainer import flags
from trainer.inputs.batching import shuffled
from trainer.inputs.window_rows import window_tokens
from trainer.modes import job
from trainer.modes.workdir import open_workdir


@pytest.mark.slow
def test_head_and_order_are_those_of_the_run(bert_folder, reviews, tmp_path):
    given = (f"--encoder={bert_folder}", f"--data={reviews}", f"--workdir={tmp_path / 'run'}", "--sequence_length=24")
    given += ("--device=cpu", "--precision=float32", "--epochs=2", "--seed=5", "--noexport", "--doctor=off")
    config = flags.parse([*given, "--learning_rate=1e-10"])
    start = starting_point(config)
    assert start["kernel"].std() > 0.01 and not start["bias"].any()

    assert run_main(*given, "--learning_rate=1e-10").code == 0  # moves nothing: what it saves is what it began with
    with open_workdir(config) as workdir:
        kernel, bias = job.Trained(config, workdir).model.get_layer("logits").get_weights()
    np.testing.assert_allclose(start["kernel"], kernel, atol=1e-7)
    np.testing.assert_allclose(start["bias"], bias, atol=1e-7)

    rows = len(start["order"][0])
    for epoch, order in enumerate(start["order"]):
        batches = shuffled(np.ones(rows, np.int64), config.input.batch_size, 5, epoch)
        np.testing.assert_array_equal(np.concatenate([batch.rows for batch in batches]), order)
    assert (start["order"][0] != start["order"][1]).any()


@pytest.mark.slow
def test_a_text_of_several_windows_comes_once_where_its_first_window_does(bert_folder, tmp_path):
    rows = [(text * (4 if place % 5 == 0 else 1), spans) for place, (text, spans) in enumerate(task_walks.tagged(30))]
    for name in ("train", "dev"):
        tiny_reviews.write(tmp_path / f"{name}.jsonl", rows)
    given = (f"--encoder={bert_folder}", f"--data={tmp_path}", f"--workdir={tmp_path / 'run'}", "--task=tagging")
    given += ("--sequence_length=16", "--window_overlap=4", "--device=cpu", "--precision=float32", "--epochs=2")
    config = flags.parse(given)
    start = starting_point(config)
    assert start["kernel"].shape[1] == start["bias"].shape[0] == 5  # O, and B and I of two types
    assert start["order"].shape == (2, 30)
    for epoch in start["order"]:
        assert sorted(epoch) == list(range(30))

    corpus, encoder = job.read_corpus(config), job.open_encoder(config)
    preprocess = job.make_task(config, corpus.learned).preprocess(encoder.preprocessor)
    windows = [len(window_tokens(preprocess, [text]).tokens.lengths) for text in corpus.splits.train.texts]
    assert sum(windows) > 30
    first = {sum(windows[:text]): text for text in range(30)}
    for epoch, order in enumerate(start["order"]):
        batches = shuffled(np.ones(sum(windows), np.int64), config.input.batch_size, config.run.seed, epoch)
        came = np.concatenate([batch.rows for batch in batches])
        assert order.tolist() == [first[row] for row in came if row in first]


@pytest.mark.slow
def test_windows_that_the_peer_reads_too_are_rows_of_their_own(bert_folder, tmp_path):
    for name in ("train", "dev"):
        rows = [(*row[:2], json.dumps(row[2])) for row in task_walks.questioned(30)]
        tiny_reviews.write(tmp_path / f"{name}.jsonl", rows, ("text", "text_pair", "label"))
    given = (f"--encoder={bert_folder}", f"--data={tmp_path}", f"--workdir={tmp_path / 'run'}", "--task=span_qa")
    given += ("--sequence_length=16", "--window_overlap=4", "--question_tokens=4", "--text_pair_column=text_pair")
    config = flags.parse([*given, "--device=cpu", "--precision=float32", "--epochs=2"])
    start, corpus = starting_point(config), job.read_corpus(config)
    assert start["kernel"].shape[1] == 2
    preprocess = job.make_task(config, corpus.learned).preprocess(job.open_encoder(config).preprocessor)
    windows = len(window_tokens(preprocess, corpus.splits.train.texts, corpus.splits.train.pairs).tokens)
    assert windows > 30 and [sorted(epoch) for epoch in start["order"]] == [list(range(windows))] * 2
