"""Logits of tokens come back in the order of the texts, whatever the batches and however many devices."""

import numpy as np
import pytest

from tests.task_walks import of_every_head
from tests.tiny_reviews import write
from trainer.config import Config
from trainer.loop.evaluate import Evaluator
from trainer.modes import job, rows

HEADS = "mood: ; marks: --task=tagging --label_column=spans"


@pytest.fixture(scope="module")
def run(bert_folder, tmp_path_factory):
    """(task, encoder, rows of dev, model over padded batches)."""
    folder = tmp_path_factory.mktemp("heads")
    for seed, split in enumerate(("train", "dev")):
        write(folder / f"{split}.jsonl", of_every_head(20, seed), ("text", "label", "spans", "score", "answer"))
    flat = {"task": "multi", "heads": HEADS, "data": str(folder), "encoder": str(bert_folder), "sequence_length": 16}
    config = Config.from_flat(flat | {"window_overlap": 4, "cache_dir": str(folder), "workdir": str(folder / "run")})
    corpus, encoder = job.read_corpus(config), job.open_encoder(config)
    task = job.make_task(config, corpus.learned)
    return (
        task,
        encoder,
        rows.make_rows(config, task, encoder.preprocessor, corpus.splits.dev, "dev"),
        task.build(encoder),
    )


@pytest.mark.parametrize(
    "kind, batch_size, distributed, unpadded",
    [("pools", 4, False, True), ("pools", 100, False, False), ("buckets", 4, True, False), ("buckets", 64, True, True)],
)
def test_every_token_in_its_place(run, kind, batch_size, distributed, unpadded):
    task, encoder, dev, model = run
    if unpadded:
        faster = task.build(encoder.over_real_tokens())
        faster.set_weights(model.get_weights())
        model = faster
    found = Evaluator(model, kind, batch_size, distributed).logits(dev)
    assert len(found["marks"]) == len(found["mood"]) == len(dev.texts) == 20 < len(dev)
    for row, text in enumerate(dev.texts):
        expected = task.reference(run[3], encoder.preprocessor, np.array([text.encode()], object))
        tokens = found["marks"].values[found["marks"].starts[row] : found["marks"].starts[row + 1]]
        given = np.exp(tokens) / np.exp(tokens).sum(axis=1, keepdims=True)
        np.testing.assert_allclose(given, expected["marks_probabilities"].numpy()[0], atol=1e-5)
        np.testing.assert_allclose(
            task.heads["mood"].probabilities(found["mood"][row : row + 1]), expected["mood_probabilities"], atol=1e-5
        )
