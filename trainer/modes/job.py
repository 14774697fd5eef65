"""What every mode starts from: the rows, the task, the encoder and the trained model of one Config."""

import dataclasses
import hashlib
import sys
from typing import Any

import tensorflow as tf

from trainer.config import UserError
from trainer.export.served_form import served_form
from trainer.heads import head_configs
from trainer.inputs.descriptions import check_described, read_descriptions
from trainer.inputs.heads import read_heads
from trainer.inputs.label_columns import label_column
from trainer.inputs.labels import fingerprint
from trainer.inputs.splits import Splits, load_splits
from trainer.inputs.tokens import encodable
from trainer.loop.accelerator import confine
from trainer.loop.checkpoints import Checkpoints
from trainer.loop.evaluate import Evaluator
from trainer.loop.progress_line import ProgressLine
from trainer.models.encoder import load_encoder
from trainer.models.pooling import check_pooling
from trainer.modes import rows as rows_lib
from trainer.modes.workdir import TASK
from trainer.tasks import LEARNED, TASKS


@dataclasses.dataclass(frozen=True)
class Corpus:
    """The labelled rows of a run: splits, what the training rows say of the label column (for JSON), weight of each
    label (or None), {split: {label: rows}}, fingerprint."""

    splits: Any
    learned: dict[str, Any]
    class_weights: Any
    label_counts: dict[str, dict[str, int]]
    fingerprint: str

    def own_splits(self):
        """The splits that have rows of their own: dev has none where the training rows stand in for it."""
        splits = self.splits
        return dataclasses.replace(splits, dev=None) if splits.dev is splits.train else splits


def read_corpus(config):
    """Reads and checks every row that --data names. Raises UserError with file:line."""
    if config.model.task == "multi":
        return _read_heads(config)
    column = label_column(TASKS[config.model.task].column, config)
    splits = _read_splits(config, column)
    learned = column.learned(splits)
    weights = column.class_weights(config.data.class_weights, splits.train.labels, learned)
    counts = {name: column.counts(table.labels, learned) for name, table in splits.named().items()}
    return Corpus(splits, learned, weights, counts, fingerprint(splits))


def _read_splits(config, column):
    """The Splits of --data; of zero-shot, descriptions stand in the place of its training rows.

    Without dev rows, and where nothing is to be fitted to them, the training rows take their place too.
    """
    learning = config.learning
    splits = load_splits(config.data, config.cache_dir(), column) if config.data.data else Splits(None, None, None)
    if learning.learning == "zero_shot":
        described = read_descriptions(learning.label_descriptions)
        check_described(described, splits)
        splits = dataclasses.replace(splits, train=described)
    fits_nothing = config.decision.calibration == "none" and not config.decision.abstain_precision
    if splits.dev is None and learning.dev_may_be_missing() and fits_nothing:
        print("note: no dev rows: the training rows stand in for them, and say nothing of other texts", file=sys.stderr)
        splits = dataclasses.replace(splits, dev=splits.train)
    return splits


def _read_heads(config):
    """The same of --heads, whose data sets stand one after the other."""
    heads = {
        name: (own.data, label_column(TASKS[own.model.task].column, own)) for name, own in head_configs(config).items()
    }
    found = read_heads(heads, config.cache_dir())
    return Corpus(found.splits, found.learned, found.class_weights, found.counts, fingerprint(found.splits))


def make_task(config, learned, class_weights=None):
    """The Task that --task names, after what the training rows said of the label column."""
    kind = LEARNED.get(config.learning.learning, TASKS[config.model.task])
    return kind.of(learned, bool(config.data.text_pair_column), config, class_weights)


def open_encoder(config):
    """The Encoder that --encoder names, weights and all, fit for --pooling."""
    model = config.model
    encoder = load_encoder(model.encoder, config.cache_dir(), config.input.sequence_length, model.from_scratch)
    check_pooling(encoder, config.model.pooling)
    TASKS[config.model.task].check_encoder(encoder, config)
    return encoder


class Trained:
    """The best weights of a workdir in models rebuilt in float32.

    model: KerasHub's own form, by which the export is proven. served: over real tokens alone where the encoder's kind
    allows, with the weights laid out for speed: what is evaluated, exported and asked.
    """

    def __init__(self, config, workdir):
        confine(config)
        saved = workdir.task_file()
        self.config, self.data_fingerprint = config, saved["data_fingerprint"]
        self.task = make_task(config, saved)
        if config.decision.needs_vectors():
            self.task = self.task.giving_vectors()
        self.encoder = open_encoder(config)
        check_same_vocabulary(self.encoder, workdir, config)
        self.model = self.task.build(self.encoder)
        checkpoints = Checkpoints(workdir / "checkpoints")
        self.progress = checkpoints.restore_best(self.model)
        self.served = served_form(self.task, self.model, self.encoder)
        self.fingerprint = _of_files(checkpoints.best, workdir / TASK)
        self._evaluator = Evaluator(self.served, "pools", config.input.eval_batch_size)

    def rows(self, table, name):
        """Rows of a labelled Table for this model."""
        return rows_lib.make_rows(self.config, self.task, self.encoder.preprocessor, table, name)

    def logits(self, rows, name):
        """What Rows collect of their logits: `<float32>[rows, outputs]`, in their order; of windows TextLogits."""
        line = ProgressLine(name, len(rows), "texts")
        return self._evaluator.logits(rows, line.update)

    def answer(self, table, progress):
        """(logits as of `logits`, truncated `<bool>[rows]`) of a Table without labels, in its order.

        progress: callable, rows done; called after each batch.
        """
        rows = rows_lib.unlabelled(self.task, self.encoder.preprocessor, table)
        return self._evaluator.logits(rows, progress), rows.truncated

    def vectors(self, rows, name):
        """(vectors `<float32>[rows, hidden]`, logits `<float32>[rows, outputs]`) of Rows, in their order."""
        line = ProgressLine(name, len(rows), "texts")
        embedder = Evaluator(self.task.embedder(self.served), "pools", self.config.input.eval_batch_size)
        vectors = embedder.logits(rows, line.update)
        return vectors, self.model.get_layer("logits")(vectors).numpy()

    def reference(self, texts, pairs=None):
        """{output: array over rows} of lists of str or bytes, eagerly: what the proof compares."""
        columns = [tf.constant([t if isinstance(t, bytes) else encodable(t) for t in c]) for c in (texts, pairs) if c]
        answers = self.task.reference(self.model, self.encoder.preprocessor, *columns)
        return {name: answer.numpy() for name, answer in answers.items()}


def _of_files(*paths):
    """SHA-256 of the files, one after another."""
    digest = hashlib.sha256()
    for path in paths:
        with open(path, "rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def check_same_rows(corpus, workdir):
    """Refuses rows other than those that the weights were trained on: their test split might hold trained rows."""
    if corpus.fingerprint != workdir.task_file()["data_fingerprint"]:
        raise UserError(
            "--data holds other rows than this workdir was trained on; give the same data, or train in a new --workdir"
        )


def check_same_vocabulary(encoder, workdir, config):
    """Refuses an encoder whose tokens mean other words than those that the weights were trained on."""
    if encoder.preprocessor.fingerprint != workdir.task_file()["vocabulary"]:
        raise UserError(
            f"--encoder={config.model.encoder} has another vocabulary than when {workdir.path} was trained; "
            "put the old one back, or train in a new --workdir"
        )


def save_task(workdir, corpus, encoder):
    """task.json: what later modes need of the data without reading it again, and which vocabulary was trained on."""
    content = {**corpus.learned, "data_fingerprint": corpus.fingerprint}
    workdir.write(TASK, content | {"vocabulary": encoder.preprocessor.fingerprint})
