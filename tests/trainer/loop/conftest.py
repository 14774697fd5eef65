"""Tiny training runs, without the modes round them."""

import keras
import pytest

from tests import tiny_reviews
from trainer.config import Config
from trainer.inputs.pipeline import Rows
from trainer.inputs.tokens import tokenize
from trainer.loop import accelerator
from trainer.loop.fit import Run
from trainer.models.encoder import load_encoder
from trainer.tasks import TASKS

FLAGS = {
    "sequence_length": 24,
    "batch_size": 8,
    "eval_batch_size": 16,
    "epochs": 3,
    "learning_rate": 1e-2,
    "pooling": "mean",
    "precision": "float32",
}


@pytest.fixture(scope="session")
def make_run(bert_folder):
    """make_run(workdir, **flags) is a Run over 90 training rows and 25 dev rows."""

    def make(workdir, **flags):
        config = Config.from_flat({"encoder": str(bert_folder), **FLAGS, **flags})
        chosen = accelerator.choose(config)
        with chosen.training():
            keras.utils.set_random_seed(config.run.seed)
            encoder = load_encoder(str(bert_folder), workdir, config.input.sequence_length)
            chosen, encoder = chosen.with_encoder(encoder, config)
        task = TASKS["classification"](("negative", "positive"), False, config.model)
        train, dev = (_rows(tiny_reviews.rows(count, seed), task, encoder) for count, seed in ((90, 1), (25, 2)))
        return Run(config, task, train, dev, encoder, chosen, workdir)

    return make


def _rows(table, task, encoder):
    texts, labels = zip(*table, strict=True)
    return Rows(tokenize(encoder.preprocessor, list(texts)), encoder.preprocessor, task.targets(labels))
