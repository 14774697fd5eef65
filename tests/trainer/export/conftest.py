"""A classifier on top of the tiny encoder, of weights that nobody trained, and one proven export of it."""

import dataclasses
import pathlib
import shutil
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from serving import exchange, loader
from trainer.config import Config
from trainer.export import clean_process
from trainer.export.served_form import served_form
from trainer.export.version import export_version
from trainer.models.encoder import load_encoder
from trainer.tasks import TASKS

DEV = ["a great film", "the plot", "", "bad bad bad", "dull!", "a film never filmed", "great " * 40]
LENGTH = 12


@dataclasses.dataclass
class Trained:
    """What an export needs of a training. model: KerasHub's form; served: the one that is exported."""

    task: Any
    model: Any
    served: Any
    encoder: Any
    config: Config

    def answers(self, texts, pairs):
        """{output: array over rows}: what a version is compared with."""
        columns = [tf.constant(column) for column in (texts, pairs) if column is not None]
        found = self.task.reference(self.model, self.encoder.preprocessor, *columns)
        return {name: each.numpy() for name, each in found.items()}

    def probabilities(self, texts, pairs):
        return self.answers(texts, pairs)["probabilities"]

    def labels(self):
        """What it says of DEV: with these as labels its accuracy is 1."""
        pairs = DEV[::-1] if self.task.text_pair else None
        return [self.task.labels[best] for best in self.probabilities(DEV, pairs).argmax(axis=1)]

    def export(self, out_dir, **changes):
        given = {
            "config": self.config,
            "data_fingerprint": "sha256:data",
            "dev_texts": DEV,
            "reference": self.answers,
        }
        if self.task.text_pair:
            given["dev_pairs"] = DEV[::-1]
        return export_version(self.task, self.served, self.encoder, out_dir=out_dir, **(given | changes))


def train(folder, pair=False, **flags):
    """Trained, of weights that nobody trained."""
    config = Config.from_flat({"encoder": str(folder), "sequence_length": LENGTH, "model_name": "tiny", **flags})
    encoder = load_encoder(str(folder), "", LENGTH)
    task = TASKS["classification"](("bad", "good", "unsure"), pair, config.model)
    model = task.build(encoder)
    head = model.get_layer("logits").kernel
    head.assign(np.random.default_rng(3).normal(size=head.shape))
    return Trained(task, model, served_form(task, model, encoder), encoder, config)


@pytest.fixture(scope="session")
def trained(bert_folder):
    return train(bert_folder)


@pytest.fixture(scope="session")
def exported(trained, tmp_path_factory):
    """ExportReport of the tiny classifier; leave its files as they are."""
    return trained.export(tmp_path_factory.mktemp("export"), card_sections="## Scores\n")


@pytest.fixture
def in_process(monkeypatch):
    """The version is asked in this process: the same loading and running, without the start of another Python."""

    def ask(version_dir, requests, scratch, mixed_precision=False):
        asked, answered = version_dir.parent / "asked.npz", version_dir.parent / "answered.npz"
        exchange.write(asked, requests)
        status = loader.answer_requests(version_dir, asked, answered, mixed_precision)
        return status, exchange.read(answered) if status["status"] == "ok" else None

    monkeypatch.setattr(clean_process, "ask", ask)


@pytest.fixture
def version(exported, tmp_path):
    """A copy of the proven version, to be spoilt."""
    return pathlib.Path(shutil.copytree(exported.version_dir, tmp_path / "version"))
