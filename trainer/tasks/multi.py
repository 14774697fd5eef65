"""Several heads over one pass of one encoder: intent and slots of the same texts, or tasks of several data sets."""

import copy
import dataclasses
import json

import numpy as np
import tensorflow as tf
from keras import layers, models

from trainer.config import METRICS, OF_SCORED_VECTORS, UserError
from trainer.heads import head_configs
from trainer.models.head import head
from trainer.models.pooling import check_pooling, tokens_and_pooled
from trainer.models.windows import WindowPreprocessor, own_tokens
from trainer.tasks.classification import Classification
from trainer.tasks.embedding_head import EmbeddingHead
from trainer.tasks.multi_label import MultiLabel
from trainer.tasks.regression import Regression
from trainer.tasks.tagging import Tagging
from trainer.tasks.windowed import WindowedTask

_TASKS = {task.name: task for task in (Classification, MultiLabel, Regression, Tagging, EmbeddingHead)}


@dataclasses.dataclass(frozen=True)
class HeadDecisions:
    """What each head decides; heads: {name: the fields of its own decisions}."""

    heads: dict

    target_precision = 0.0

    def to_dict(self):
        return {"heads": self.heads}


class Multi(WindowedTask):
    """Tasks over one encoder. Each output of a head is named HEAD_output.

    Args:
        heads: {name: Task}, of single texts. weights: {name: float}, what the loss of each counts. settings: {name:
            trainer.config.DecisionConfig}, how each decides.
        model_config: trainer.config.ModelConfig. overlap, windows: see trainer/models/windows.py.
    """

    name, column = "multi", "heads"
    compared, quality_name = None, "mean quality of all heads"
    served = frozenset({"truncated"})
    signatures = frozenset({"serving_default", "contract"})  # and those of its heads
    decisions_type = HeadDecisions
    text_pair, example_method, labels = False, None, ()

    def __init__(self, heads, weights, settings, model_config, overlap, windows):
        self.heads, self.loss_weights, self.settings, self.config = heads, weights, settings, model_config
        self.overlap, self.windows = overlap, windows

    @property
    def decisions(self):
        return HeadDecisions({name: task.decisions.to_dict() for name, task in self.heads.items()})

    def build(self, encoder):
        """keras.Model: the encoder's inputs to {head: logits or vectors}, `<float32>[windows, …]` or of each token."""
        hows = list(dict.fromkeys(map(self._stands_on, self.heads)))
        pooled = [how for how in hows if how != "tokens"] or [self.config.pooling]
        vectors = dict(zip(["tokens", *pooled], tokens_and_pooled(encoder, *pooled), strict=True))
        layer = {"tokens": "token_vectors", self.config.pooling: "embedding"}
        for how in hows:
            vectors[how] = layers.Identity(name=layer.get(how, f"{how}_vectors"), dtype="float32")(vectors[how])
        found = {name: self._answer(name, vectors[self._stands_on(name)]) for name in self.heads}
        return models.Model(encoder.backbone.input, found, name=self.name)

    def _stands_on(self, name):
        """What a head answers from: "tokens", or the way in which they become one vector."""
        if self.answers_tokens(name):
            return "tokens"
        return self.heads[name].pooling if name in self.vector_heads else self.config.pooling

    def _answer(self, name, vectors):
        task, prefix = self.heads[name], f"{name}_"
        if name in self.vector_heads:
            return task.normalised(vectors, prefix)
        return head(vectors, task.outputs, self.config.dropout, getattr(task, "first_logit", 0.0), prefix)

    def embedder(self, model):
        """keras.Model that shares `model`'s weights: the encoder's inputs to vectors `<float32>[windows, hidden]`.

        They are those of the first embedding among the heads; without one those that the other heads stand on.
        """
        layer = f"{self.vector_heads[0]}_unit" if self.vector_heads else "embedding"
        return models.Model(model.input, model.get_layer(layer).output, name="embedder")

    def answers_tokens(self, name):
        return isinstance(self.heads[name], Tagging)

    @property
    def vector_heads(self):
        """Names of the heads that learn vectors from pairs."""
        return [name for name, task in self.heads.items() if isinstance(task, EmbeddingHead)]

    @staticmethod
    def check_encoder(encoder, config):
        WindowedTask.check_encoder(encoder, config)
        for name, own in head_configs(config).items():
            if own.model.task == EmbeddingHead.name:
                try:
                    check_pooling(encoder, own.model.pooling)
                    EmbeddingHead.check_encoder(encoder, own)
                except UserError as error:
                    raise UserError(f"--heads, {name}: {error}") from error

    def preprocess(self, preprocessor):
        """The WindowPreprocessor of a TextPreprocessor; without a head for tokens it reads one window."""
        most = self.windows if any(map(self.answers_tokens, self.heads)) else 1
        return WindowPreprocessor(preprocessor, self.overlap, most)

    def loss(self):
        """{head: loss}; Keras weighs them by `loss_weights`."""
        return {name: task.loss() for name, task in self.heads.items()}

    def metrics(self):
        return {name: task.metrics() for name, task in self.heads.items()}

    def of_head(self, name, cells):
        """(rows `<int64>[labelled]`, the head's own cells) of the cells that have a label for it."""
        found = [(row, own[name]) for row, cell in enumerate(cells) if name in (own := json.loads(cell))]
        return np.array([row for row, _ in found], np.int64), [cell for _, cell in found]

    def table_of(self, name, table):
        """The rows of a Table that have a label for a head, as a Table of its own task."""
        rows, cells = self.of_head(name, table.labels)
        own = dataclasses.replace(table.take(rows), labels=cells)
        return dataclasses.replace(own, pairs=self.heads[name].partners(cells)[0]) if name in self.vector_heads else own

    def score(self, logits, truth):
        """{head: logits}, {head: (texts, truth)} to {metric: float}: HEAD_metric of each, their mean, their loss."""
        return self._scores(logits, truth, lambda task: task.score)

    def score_on_dev(self, logits, truth):
        return self._scores(logits, truth, lambda task: task.score_on_dev)

    def per_class(self, logits, truth):
        """Those of each head, labels as HEAD/label."""
        return [
            {**each, "label": f"{name}/{each['label']}"}
            for name, task, own, wanted in self.judged(logits, truth)
            for each in task.per_class(own, wanted)
        ]

    def respond(self, model, preprocessor, text):
        """`serving_default`: texts `<string>[batch]` to the named outputs of all heads, of one pass."""
        outputs, windows = self._decoded(*self._logits(model, preprocessor, text), tokens=False)
        return outputs | {"truncated": windows.truncated}

    def further(self, model, preprocessor):
        """{signature: callable of texts} besides serving_default."""
        of_tokens = [self.answers_tokens(name) for name in self.heads]

        def embed(text):
            features, windows = self.preprocess(preprocessor)(text)
            return {"embedding": tf.gather(embedder(features, training=False), _first_windows(windows))}

        def tokens(text):
            return self._decoded(*self._logits(model, preprocessor, text), tokens=True)[0]

        found = {"tokens": tokens} if any(of_tokens) else {}
        if not all(of_tokens):
            embedder = self.embedder(model)
            found["embed"] = embed
        return found

    def reference(self, model, preprocessor, text):
        """All outputs that the proof compares, eagerly."""
        logits, windows = self._logits(model, preprocessor, text)
        found, _ = self._decoded(logits, windows, tokens=False)
        return found | self._decoded(logits, windows, tokens=True)[0] | {"truncated": windows.truncated}

    def proof_rows(self, table):
        """(texts, None, cells) of a dev Table: texts of pairs once each, their numbers in the place of their cells."""
        cells = [json.loads(cell) for cell in table.labels]
        labelled = [{name: own for name, own in cell.items() if name not in self.vector_heads} for cell in cells]
        found = [(text, own) for text, own in zip(table.texts, labelled, strict=True) if own]
        for name in self.vector_heads:
            rows, own = self.of_head(name, table.labels)
            texts, numbers = self.heads[name].proof_texts([table.texts[row] for row in rows], own)
            found += [(text, {name: number}) for text, number in zip(texts, numbers, strict=True)]
        return [text for text, _ in found], None, [json.dumps(own) for _, own in found]

    def quality(self, answers, cells):
        """Mean of the heads' quality in {output: array over rows}."""
        found = []
        for name, task in self.heads.items():
            rows, own = self.of_head(name, cells)
            if len(rows):
                found.append(task.quality({key: each[rows] for key, each in stripped(answers, name).items()}, own))
        return float(np.mean(found))

    def rows(self, logits):
        """What predictions.jsonl says of each text: an object for each head."""
        answers = [task.rows(logits[name]) for name, task in self.heads.items()]
        for row in zip(*answers, strict=True):
            yield dict(zip(self.heads, row, strict=True))

    def truth(self, cell):
        """What predictions.jsonl says of a row's own labels, by head."""
        return {"true_heads": {name: self.heads[name].truth(own) for name, own in json.loads(cell).items()}}

    def stated(self):
        """What contract.json says of it besides labels and decisions."""
        heads = {
            name: {"task": task.name, "labels": list(task.labels), **task.stated()} for name, task in self.heads.items()
        }
        return {"heads": heads, "windows": {"most": self.windows, "overlap": self.overlap}}

    @classmethod
    def of(cls, learned, text_pair, config, class_weights=None):
        """The task of a Config, after what the training rows said of the heads' label columns."""
        own = head_configs(config)
        heads = {
            name: _TASKS[each.model.task].of(learned[name], False, each, (class_weights or {}).get(name))
            for name, each in own.items()
        }
        weights = {name: each.heads.loss_weight for name, each in own.items()}
        settings = {name: each.decision for name, each in own.items()}
        return cls(heads, weights, settings, config.model, config.input.window_overlap, config.input.max_windows)

    def decided(self, decisions):
        """The same task whose heads follow HeadDecisions from here on."""
        own = {name: self.heads[name].decisions_type(**each) for name, each in decisions.heads.items()}
        return self._with({name: task.decided(own[name]) for name, task in self.heads.items()})

    def check_dev(self, settings, cells):
        """Refuses decisions that dev rows of these labels could not show: before training, not after it."""
        for name, task in self.heads.items():
            task.check_dev(self.settings[name], self.of_head(name, cells)[1])

    def decide(self, settings, logits, truth):
        """The task whose heads decide as their own settings, not the run's, and the dev rows say."""
        judged = self.judged(logits, truth)
        decided = {name: task.decide(self.settings[name], own, wanted) for name, task, own, wanted in judged}
        return self._with(self.heads | decided)

    def decision_figures(self, judged):
        """{"heads": {name: figures}}; judged: {split: (logits, truth)}."""
        by_head = {name: {} for name in self.heads}
        for split, each in judged.items():
            for name, _, own, wanted in self.judged(*each):
                by_head[name][split] = own, wanted
        return {"heads": {name: self.heads[name].decision_figures(each) for name, each in by_head.items()}}

    def _with(self, heads):
        task = copy.copy(self)
        task.heads = heads
        return task

    def judged(self, logits, truth):
        """Yields (name, Task, its logits of the texts that have a label for it, what they are held against)."""
        for name, task in self.heads.items():
            texts, wanted = truth[name]
            if len(texts):
                yield name, task, self._labelled(name, logits[name], texts), wanted

    def _labelled(self, name, logits, texts):
        """Logits of the texts that have a label; of pairs those of each text and of its partners."""
        if name in self.vector_heads:
            return logits.pairs()
        return logits.take(texts) if self.answers_tokens(name) else logits[texts]

    def _scores(self, logits, truth, score_of):
        found, best, loss = {}, [], 0.0
        for name, task, own, wanted in self.judged(logits, truth):
            scores = score_of(task)(own, wanted)
            best.append(scores[_first_metric(task)])
            loss += self.loss_weights[name] * scores["loss"]
            found |= {f"{name}_{metric}": value for metric, value in scores.items()}
        return {"mean_quality": float(np.mean(best)), **found, "loss": loss}

    def _logits(self, model, preprocessor, text):
        """({head: logits of texts, or of their tokens}, Windows)."""
        features, windows = self.preprocess(preprocessor)(text)
        lengths, first = windows.offsets.start.row_lengths(), _first_windows(windows)
        found = model(features, training=False)
        return {
            name: own_tokens(each, windows.begin, windows.end, lengths)
            if self.answers_tokens(name)
            else tf.gather(each, first)
            for name, each in found.items()
        }, windows

    def _decoded(self, logits, windows, tokens):
        """({HEAD_output: tensor}, Windows) of all heads, or of the tokens behind those that answer spans."""
        found = {}
        for name, task in self.heads.items():
            if not self.answers_tokens(name):
                outputs = {} if tokens else task.serving_outputs(logits[name], windows.truncated)
            else:
                outputs = (task.token_outputs if tokens else task.decoded)(logits[name], windows.offsets)
            found |= {f"{name}_{key}": each for key, each in outputs.items() if key != "truncated"}
        return found, windows


def _first_metric(task):
    scored = isinstance(task, EmbeddingHead) and task.learns_scores
    return (OF_SCORED_VECTORS if scored else METRICS[task.name])[0]


def stripped(answers, name):
    """The outputs of one head under the names that its own task gives them."""
    prefix = f"{name}_"
    own = {key.removeprefix(prefix): each for key, each in answers.items() if key.startswith(prefix)}
    return own | {key: answers[key] for key in ("truncated",) if key in answers}


def _first_windows(windows):
    """Place of each text's first window, `<int32>[texts]`; every text has one."""
    texts = tf.shape(windows.truncated)[0]
    return tf.cast(tf.searchsorted(windows.text, tf.range(texts)), tf.int32)
