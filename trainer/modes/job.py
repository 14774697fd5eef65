"""What every mode starts from: the rows, the task, the encoder and the trained model of one Config."""

import dataclasses
import hashlib
import sys
from typing import Any

import tensorflow as tf

from trainer.config import UserError
from trainer.export.served_form import served_form
from trainer.inputs.answer_rows import AnswerRows, AnswerTruth
from trainer.inputs.answers import Answers
from trainer.inputs.label_columns import label_column
from trainer.inputs.labels import fingerprint
from trainer.inputs.pipeline import Rows
from trainer.inputs.spans import Spans
from trainer.inputs.splits import load_splits
from trainer.inputs.tokens import encodable, tokenize
from trainer.inputs.tokens_cache import TokensCache
from trainer.inputs.window_rows import Truth, WindowRows, window_tokens
from trainer.loop.accelerator import confine
from trainer.loop.checkpoints import Checkpoints
from trainer.loop.evaluate import Evaluator
from trainer.loop.progress_line import ProgressLine
from trainer.models.encoder import load_encoder
from trainer.models.pooling import check_pooling
from trainer.modes.workdir import TASK
from trainer.tasks import TASKS


@dataclasses.dataclass(frozen=True)
class Corpus:
    """The labelled rows of a run: splits, what the training rows say of the label column (for JSON), weight of each
    label (or None), {split: {label: rows}}, fingerprint."""

    splits: Any
    learned: dict[str, Any]
    class_weights: Any
    label_counts: dict[str, dict[str, int]]
    fingerprint: str


def read_corpus(config):
    """Reads and checks every row that --data names. Raises UserError with file:line."""
    column = label_column(TASKS[config.model.task].column, config.target)
    splits = load_splits(config.data, config.cache_dir(), column)
    learned = column.learned(splits)
    weights = column.class_weights(config.data.class_weights, splits.train.labels, learned)
    counts = {name: column.counts(table.labels, learned) for name, table in splits.named().items()}
    return Corpus(splits, learned, weights, counts, fingerprint(splits))


def make_task(config, learned, class_weights=None):
    """The Task that --task names, after what the training rows said of the label column."""
    return TASKS[config.model.task].of(learned, bool(config.data.text_pair_column), config, class_weights)


def open_encoder(config):
    """The Encoder that --encoder names, weights and all, fit for --pooling."""
    encoder = load_encoder(config.model.encoder, config.cache_dir(), config.input.sequence_length)
    check_pooling(encoder, config.model.pooling)
    TASKS[config.model.task].check_encoder(encoder)
    return encoder


def make_rows(config, task, preprocessor, table, name, train=False):
    """Rows of a labelled Table, as its task reads them; class weights are in the loss of training alone."""
    if task.column in _WINDOWED:
        return _window_rows(task, preprocessor, table, name)
    targets = task.targets(table.labels)
    return _rows(config, preprocessor, table, name, targets, task.row_weights(targets) if train else None)


def _window_rows(task, preprocessor, table, name):
    line, preprocess = ProgressLine(f"tokenizing {name}", len(table), "texts"), task.preprocess(preprocessor)
    windows = window_tokens(preprocess, table.texts, table.pairs, line.update)
    rows, truth_of = _WINDOWED[task.column]
    truth = truth_of(task, table, windows, name)
    return rows(windows, preprocess, table.texts if table.pairs is None else table.pairs, truth)


def _span_truth(task, table, windows, name):
    labels, spans, unmatched = task.token_labels(table.labels, windows.starts, windows.start, windows.end)
    if any(unmatched):
        print(
            f"note: {name}: of {sum(map(len, spans))} spans {unmatched.cut} end within a token and are learned as the "
            f"whole token, {unmatched.lost} hold no token that is read, {unmatched.overlapping} share one with another",
            file=sys.stderr,
        )
    return Truth(spans, labels)


def _answer_truth(task, table, windows, name):
    places, answers, (cut, unread) = task.window_targets(table.labels, windows)
    if cut or unread:
        print(
            f"note: {name}: of {sum(map(bool, answers))} answers {cut} begin or end within a token and are learned as "
            f"the whole token, {unread} stand whole in no window and are learned as no answer",
            file=sys.stderr,
        )
    return AnswerTruth(answers, places)


_WINDOWED = {Spans.name: (WindowRows, _span_truth), Answers.name: (AnswerRows, _answer_truth)}


def _rows(config, preprocessor, table, name, targets, weights):
    """Their token ids go to, and come from, the cache folder."""
    line = ProgressLine(f"tokenizing {name}", len(table), "texts")
    limit = config.input.tokens_cache_mb
    cache = TokensCache(config.cache_dir() / "tokens", limit) if limit else None
    tokens = tokenize(preprocessor, table.texts, table.pairs, cache=cache, progress=line.update)
    if tokens.reused:
        line.update(len(table), "found in the cache")
    return Rows(tokens, preprocessor, targets, weights)


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
        return make_rows(self.config, self.task, self.encoder.preprocessor, table, name)

    def logits(self, rows, name):
        """What Rows collect of their logits: `<float32>[rows, outputs]`, in their order; of windows TextLogits."""
        line = ProgressLine(name, len(rows), "texts")
        return self._evaluator.logits(rows, line.update)

    def answer(self, table, progress):
        """(logits as of `logits`, truncated `<bool>[rows]`) of a Table without labels, in its order.

        progress: callable, rows done; called after each batch.
        """
        preprocessor = self.encoder.preprocessor
        if self.task.column in _WINDOWED:
            preprocess = self.task.preprocess(preprocessor)
            windows = window_tokens(preprocess, table.texts, table.pairs)
            texts = table.texts if table.pairs is None else table.pairs
            rows = _WINDOWED[self.task.column][0](windows, preprocess, texts)
            return self._evaluator.logits(rows, progress), windows.truncated
        tokens = tokenize(preprocessor, table.texts, table.pairs)
        return self._evaluator.logits(Rows(tokens, preprocessor), progress), tokens.truncated

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
