"""Spans of characters in each text: named entities, slots."""

import json

import numpy as np
import tensorflow as tf
from keras import layers, models

from trainer.metrics import span_f1
from trainer.metrics.token_accuracy import TokenAccuracy
from trainer.models.head import head
from trainer.models.offsets import TokenOffsets
from trainer.models.pooling import token_vectors
from trainer.models.windows import own_tokens
from trainer.tasks import spans
from trainer.tasks.losses import TokenCrossEntropy
from trainer.tasks.undecided import Undecided
from trainer.tasks.windowed import WindowedTask

_TEXTS = 256  # that are decoded together


class Tagging(WindowedTask):
    """BIO labels of tokens, answered as spans of the text. Long texts are read in windows.

    Args:
        labels: tuple of str, types of span. model_config: trainer.config.ModelConfig. overlap, windows: see
            trainer/models/windows.py.
    """

    name, column = "tagging", "spans"
    compared, quality_name = "probabilities", "span F1"
    served = frozenset({"start", "end", "text", "label", "score", "count", "truncated"})
    signatures = frozenset({"serving_default", "tokens", "contract"})
    decisions_type = Undecided
    text_pair = False

    def __init__(self, labels, model_config, overlap, windows):
        self.labels, self.config = tuple(labels), model_config
        self.windowing = overlap, windows
        self.names = spans.bio_labels(self.labels)
        self.outputs = len(self.names)
        self.decisions = Undecided()

    @classmethod
    def of(cls, learned, text_pair, config, class_weights=None):
        """The task of a Config, after what the training rows said of the label column."""
        return cls(tuple(learned["labels"]), config.model, config.input.window_overlap, config.input.max_windows)

    def build(self, encoder):
        """keras.Model: the encoder's inputs to logits `<float32>[windows, length, BIO labels]`."""
        vectors = layers.Identity(name="embedding", dtype="float32")(token_vectors(encoder))
        logits = head(vectors, self.outputs, self.config.dropout)
        return models.Model(encoder.backbone.input, logits, name=self.name)

    def token_labels(self, cells, texts, starts, start, end):
        """(label ids `<int32>[tokens]`, spans per text, Unmatched over all) of the cells of a label column.

        texts: `<int>[cells]`, the text of each; starts: `<int64>[texts + 1]`, first token of each text; start, end:
        `<int32>[tokens]`, where the tokens lie.
        """
        labels, given, unmatched = [np.zeros(0, np.int32)], [], np.zeros(3, np.int64)
        for cell, text in zip(cells, texts, strict=True):
            given.append([tuple(span) for span in json.loads(cell)])
            own = slice(starts[text], starts[text + 1])
            ids, lost = spans.token_labels(given[-1], start[own], end[own], self.labels)
            labels.append(ids)
            unmatched += lost
        return np.concatenate(labels), given, spans.Unmatched(*unmatched.tolist())

    def loss(self):
        """Cross-entropy of ids `<int>[batch, length]`, averaged over the tokens that have one."""
        return TokenCrossEntropy()

    def metrics(self):
        return [TokenAccuracy()]

    def entities(self, logits):
        """[[(start, end, label, text, score)] of each text] of TextLogits."""
        found = []
        for part in logits.parts(_TEXTS):
            outputs = {name: each.numpy() for name, each in self.decoded(*_padded(part)).items()}
            columns = (outputs[name] for name in ("start", "end", "label", "text", "score"))
            for count, *row in zip(outputs["count"], *columns, strict=True):
                found.append([_entity(*each) for each in zip(*(values[:count] for values in row), strict=True)])
        return found

    def score(self, logits, truth):
        """TextLogits and Truth to {metric: float}."""
        precision, recall, f1 = span_f1.micro(span_f1.counts(self.entities(logits), truth.spans))
        likely = tf.nn.log_softmax(logits.values).numpy()[np.arange(len(truth.labels)), truth.labels]
        return {
            "span_f1": f1,
            "span_precision": precision,
            "span_recall": recall,
            "loss": -float(np.mean(likely)) if len(likely) else 0.0,
        }

    score_on_dev = score

    def per_class(self, logits, truth):
        """Precision, recall, F1 and spans of each label."""
        return span_f1.per_label(span_f1.counts(self.entities(logits), truth.spans), self.labels)

    def respond(self, model, preprocessor, text):
        """`serving_default`: texts `<string>[batch]` to the named outputs, as TensorFlow ops."""
        logits, windows = self._logits(model, preprocessor, text)
        return self.decoded(logits, windows.offsets) | {"truncated": windows.truncated}

    def respond_tokens(self, model, preprocessor, text):
        """`tokens`: the probabilities `<float32>[batch, most, BIO labels]` behind it, and where each token lies."""
        logits, windows = self._logits(model, preprocessor, text)
        return self.token_outputs(logits, windows.offsets)

    def further(self, model, preprocessor):
        """{signature: callable of texts} besides serving_default."""
        return {"tokens": lambda text: self.respond_tokens(model, preprocessor, text)}

    def reference(self, model, preprocessor, text):
        """All outputs that the proof compares, eagerly."""
        logits, windows = self._logits(model, preprocessor, text)
        decoded = self.decoded(logits, windows.offsets)
        return decoded | {"truncated": windows.truncated} | self.token_outputs(logits, windows.offsets)

    def quality(self, answers, cells):
        """F1 of the spans in {output: array over rows}."""
        columns = (answers[name] for name in ("start", "end", "label"))
        given = [
            [(int(a), int(b), kind.decode()) for a, b, kind in zip(*(each[:count] for each in row), strict=True)]
            for count, *row in zip(answers["count"], *columns, strict=True)
        ]
        return span_f1.micro(span_f1.counts(given, map(json.loads, cells)))[2]

    def rows(self, logits):
        """What predictions.jsonl says of each text of TextLogits."""
        for entities in self.entities(logits):
            names = ("start", "end", "label", "text", "score")
            yield {"entities": [dict(zip(names, each, strict=True)) for each in entities]}

    def truth(self, cell):
        """What predictions.jsonl says of a row's own spans."""
        names = ("start", "end", "label")
        return {"true_entities": [dict(zip(names, span, strict=True)) for span in json.loads(cell)]}

    def stated(self):
        """What contract.json says of it besides labels and decisions."""
        overlap, most = self.windowing
        return {"token_labels": list(self.names), "windows": {"most": most, "overlap": overlap}}

    def check_dev(self, settings, labels):
        """Nothing is decided on dev."""

    def decide(self, settings, logits, truth):
        return self

    def decision_figures(self, judged):
        return {}

    def _logits(self, model, preprocessor, text):
        """(logits `<float32>[texts, most, BIO labels]` of the texts' tokens, Windows)."""
        features, windows = self.preprocess(preprocessor)(text)
        logits = model(features, training=False)
        lengths = windows.offsets.start.row_lengths()
        return own_tokens(logits, windows.begin, windows.end, lengths), windows

    def decoded(self, logits, offsets):
        """The named outputs of padded logits `<float32>[texts, most, BIO labels]` and TokenOffsets of their tokens."""
        labels = spans.whole_words(spans.legal_labels(logits, offsets.start.row_lengths()), offsets.word)
        return spans.serving_outputs(labels, logits, offsets, self.labels)

    def token_outputs(self, logits, offsets):
        """Probabilities of the same, 0 behind the last token, and where each token lies."""
        real = tf.sequence_mask(offsets.start.row_lengths(), tf.shape(logits)[1])[:, :, tf.newaxis]
        return {
            "probabilities": tf.where(real, tf.nn.softmax(logits), 0.0),
            "token_start": offsets.start.to_tensor(),
            "token_end": offsets.end.to_tensor(),
            "token_count": tf.cast(offsets.start.row_lengths(), tf.int32),
        }


def _padded(part):
    """(logits `<float32>[texts, most, labels]`, TokenOffsets) of TextLogits."""
    rows = [tf.RaggedTensor.from_row_splits(each, part.starts) for each in (part.start, part.end, part.word)]
    logits = tf.RaggedTensor.from_row_splits(part.values, part.starts).to_tensor(
        shape=[None, None, part.values.shape[-1]]
    )
    characters = tf.strings.unicode_decode(tf.constant(list(part.texts), tf.string), "UTF-8", errors="ignore")
    return logits, TokenOffsets(None, *rows, characters)


def _entity(start, end, label, text, score):
    return int(start), int(end), label.decode(), text.decode(), float(score)
