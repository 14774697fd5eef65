"""Extractive question answering: where in its context the answer to a question stands, or that it has none."""

import json

import keras
import numpy as np
import tensorflow as tf

from trainer.metrics import squad
from trainer.metrics.place_accuracy import PlaceAccuracy
from trainer.models.head import head
from trainer.models.pooling import token_vectors
from trainer.models.windows import own_tokens
from trainer.tasks import answers, no_answer
from trainer.tasks.losses import PlacesCrossEntropy
from trainer.tasks.no_answer import NoAnswer
from trainer.tasks.spans import cut_out
from trainer.tasks.windowed import WindowedTask

_TEXTS = 64  # that are decoded together
_ROW = ("answer", "start", "end", "score", "answerable")  # what is said of each question


class SpanQA(WindowedTask):
    """Start and end of the answer in windows of the context, each behind the question.

    Args:
        unanswerable: bool; whether training rows hold questions without an answer. model_config:
            trainer.config.ModelConfig. input_config: trainer.config.InputConfig, for windows, questions and answers.
    """

    name, column = "span_qa", "answers"
    compared, quality_name = "probabilities", "F1"
    served = frozenset({*_ROW, "truncated"})
    signatures = frozenset({"serving_default", "tokens", "contract"})
    decisions_type = NoAnswer
    labels, text_pair = (), True

    def __init__(self, unanswerable, model_config, input_config):
        self.unanswerable, self.config, self.input = unanswerable, model_config, input_config
        self.windowing = input_config.window_overlap, input_config.max_windows, input_config.question_tokens
        self.decisions = NoAnswer()

    @classmethod
    def of(cls, learned, text_pair, config, class_weights=None):
        """The task of a Config, after what the training rows said of the label column."""
        return cls(learned["unanswerable"], config.model, config.input)

    def build(self, encoder):
        """keras.Model: the encoder's inputs to logits `<float32>[windows, length, 2]`, those of padding very low."""
        vectors = keras.layers.Identity(name="embedding", dtype="float32")(token_vectors(encoder))
        logits = head(vectors, 2, self.config.dropout)
        mask = encoder.backbone.input["padding_mask"]
        return keras.Model(encoder.backbone.input, _OfRealTokens(name="real", dtype="float32")(logits, mask))

    def window_targets(self, cells, windows):
        """(places `<int32>[windows, 2]`, gold answers per text, (cut, unread) numbers of answers) of a label column.

        Places are those of the first gold answer's first and last token where the window holds all of it, else 0, of
        [CLS]. cut: begin or end within a token; unread: stand whole in no window.

        Args:
            windows: trainer.inputs TextWindows.
        """
        given = [json.loads(cell)["answers"] for cell in cells]
        bounds, cut = np.zeros((len(given), 2), np.int32), 0
        for row, golds in enumerate(given):
            own = slice(windows.starts[row], windows.starts[row + 1])
            start, end = windows.start[own], windows.end[own]
            first, behind = bounds[row] = answers.token_bounds(golds, start, end)
            if behind:
                opening, text = golds[0]
                cut += bool(start[first] < opening or end[behind - 1] > opening + len(text))
        before = windows.tokens.first  # special tokens and question
        last_read = windows.at + windows.tokens.lengths - 1 - before
        first, behind = bounds[windows.text].T
        whole = (behind > first) & (first >= windows.at) & (behind <= last_read)
        shift = before - windows.at
        places = np.where(whole[:, np.newaxis], np.stack([first + shift, behind - 1 + shift], axis=1), 0)
        read = np.zeros(len(given), bool)
        np.logical_or.at(read, windows.text, whole)
        unread = sum(bool(golds) for golds in given) - int(read.sum())
        return places.astype(np.int32), given, (cut, unread)

    def loss(self):
        """Mean of the cross-entropies of start and end `<int>[batch, 2]` among the tokens of each window."""
        return PlacesCrossEntropy()

    def metrics(self):
        return [PlaceAccuracy()]

    def answers(self, logits):
        """{output: array over texts} of WindowLogits: what `serving_default` gives, and `advantage` of no answer."""
        found = []
        for part in logits.parts(_TEXTS):
            windows, padded = _padded(part)
            characters = tf.strings.unicode_decode(tf.constant(part.texts, tf.string), "UTF-8", errors="ignore")
            best = answers.best(padded, windows, self.input.answer_tokens)
            lie = (tf.RaggedTensor.from_row_lengths(each, part.counts) for each in (part.start, part.end))
            outputs = self._outputs(best, *lie, characters) | {"advantage": best.nothing - best.logit}
            found.append({name: each.numpy() for name, each in outputs.items()})
        return {name: np.concatenate([each[name] for each in found]) for name in found[0]} if found else {}

    def score(self, logits, truth):
        """WindowLogits and AnswerTruth to {metric: float}."""
        golds = _texts(truth.answers)
        return squad.scores(_decoded(self.answers(logits)), golds) | {"loss": _loss(logits, truth.places)}

    def score_on_dev(self, logits, truth):
        """At the threshold that is best on these rows."""
        return self.decide(None, logits, truth).score(logits, truth)

    def per_class(self, logits, truth):
        """Nothing: there are no labels."""
        return []

    def respond(self, model, preprocessor, text, text_pair):
        """`serving_default`: questions and contexts `<string>[batch]` to the named outputs, as TensorFlow ops."""
        return self._responses(model, preprocessor, text, text_pair)[0]

    def respond_tokens(self, model, preprocessor, text, text_pair):
        """`tokens`: the probability of each token of a context to begin and to end the answer of its window,
        `<float32>[batch, most, 2]`, and where it lies; how much better no answer is than the best span, in logits; and
        the probability of the next best span."""
        return self._responses(model, preprocessor, text, text_pair)[1]

    def further(self, model, preprocessor):
        """{signature: callable of texts} besides serving_default."""
        return {"tokens": lambda text, text_pair: self.respond_tokens(model, preprocessor, text, text_pair)}

    def reference(self, model, preprocessor, text, text_pair):
        """All outputs that the proof compares, eagerly."""
        outputs, tokens = self._responses(model, preprocessor, text, text_pair)
        return outputs | tokens

    def quality(self, answers, cells):
        """F1 of the answers in {output: array over rows}."""
        return squad.scores(_decoded(answers), _texts(json.loads(cell)["answers"] for cell in cells))["f1"]

    def rows(self, logits):
        """What predictions.jsonl says of each question of WindowLogits."""
        found = self.answers(logits)
        columns = [_decoded(found), *(found[name].tolist() for name in _ROW[1:])] if found else []
        for row in zip(*columns, strict=True):
            yield dict(zip(_ROW, row, strict=True))

    def truth(self, cell):
        """What predictions.jsonl says of a row's gold answers."""
        given = json.loads(cell)
        found = [{"start": start, "text": text} for start, text in given["answers"]]
        return {"true_answers": found} | ({"id": given["id"]} if given["id"] else {})

    def stated(self):
        """What contract.json says of it besides labels and decisions."""
        given = self.input
        return {
            "windows": {"most": given.max_windows, "overlap": given.window_overlap},
            "question_tokens": given.question_tokens,
            "answer_tokens": given.answer_tokens,
        }

    def check_dev(self, settings, cells):
        no_answer.check_dev(self.unanswerable, [json.loads(cell)["answers"] for cell in cells])

    def decide(self, settings, logits, truth):
        """The threshold of the best F1 on dev, where there is one to learn."""
        if not self.unanswerable:
            return self
        found = self.decided(NoAnswer()).answers(logits)
        threshold = no_answer.best_threshold(found["advantage"], _decoded(found), _texts(truth.answers))
        return self.decided(NoAnswer(threshold))

    def decision_figures(self, judged):
        """The threshold, and what the same answers score where every question is answered."""
        if self.decisions.threshold is None:
            return {}
        always = self.decided(NoAnswer())
        return self.decisions.to_dict() | {
            "always_answered": {split: always.score(*each)["f1"] for split, each in judged.items()}
        }

    def _responses(self, model, preprocessor, text, text_pair):
        features, found = self.preprocess(preprocessor)(text, text_pair)
        logits, offsets = model(features, training=False), found.offsets
        size = tf.cast(found.ids.row_lengths(), tf.int32) - found.first - 1
        counts = offsets.start.row_lengths()
        windows = answers.Windowed(found.text, found.first, found.start, size, counts)
        best = answers.best(logits, windows, self.input.answer_tokens)
        outputs = self._outputs(best, offsets.start, offsets.end, offsets.characters)
        tokens = {
            "probabilities": own_tokens(tf.nn.softmax(logits, axis=1), found.begin, found.end, counts),
            "token_start": offsets.start.to_tensor(),
            "token_end": offsets.end.to_tensor(),
            "token_count": tf.cast(counts, tf.int32),
            "advantage": best.nothing - best.logit,
            "second": tf.exp(best.second - best.total),
        }
        return outputs | {"truncated": found.truncated}, tokens

    def _outputs(self, best, start, end, characters):
        """The named outputs of Best; start, end: `<int32>[batch, (tokens)]`, where the tokens lie in the contexts."""
        answerable = best.logit > answers.LOWEST / 2
        if self.decisions.threshold is not None:
            answerable &= best.nothing - best.logit <= tf.constant(self.decisions.threshold, tf.float32)
        row = tf.range(tf.size(best.first))
        start, end = (
            tf.where(answerable, tf.gather_nd(each.to_tensor(shape=[None, None]), place), -1)
            for each, place in ((_wide(start), _at(row, best.first)), (_wide(end), _at(row, best.last)))
        )
        return {
            "answer": cut_out(characters, row, tf.maximum(start, 0), tf.maximum(end, 0)),
            "start": start,
            "end": end,
            "score": tf.exp(tf.where(answerable, best.logit, best.nothing) - best.total),
            "answerable": answerable,
        }


class _OfRealTokens(keras.layers.Layer):
    """Logits `<float32>[batch, length, outputs]`, very low where `padding_mask` `<int>[batch, length]` is 0."""

    def call(self, logits, padding_mask):
        return keras.ops.where(padding_mask[:, :, None] > 0, logits, answers.LOWEST)


def _wide(ragged):
    """The same rows with one more cell, so that also an empty one has a first."""
    return tf.concat([ragged, tf.zeros([ragged.nrows(), 1], ragged.dtype)], axis=1)


def _at(row, place):
    return tf.stack([row, place], axis=1)


def _padded(part):
    """(Windowed, logits `<float32>[windows, most, 2]`) of a WindowPart."""
    columns = (tf.constant(each, tf.int32) for each in (part.text, part.first, part.at))
    size = tf.constant(part.lengths - part.first - 1, tf.int32)
    logits = tf.RaggedTensor.from_row_lengths(part.logits, part.lengths).to_tensor(shape=[None, None, 2])
    return answers.Windowed(*columns, size, tf.constant(part.counts)), logits


def _decoded(found):
    return [answer.decode("utf-8") for answer in found["answer"]]


def _texts(golds):
    return [[text for _, text in each] for each in golds]


def _loss(logits, places):
    """Mean cross-entropy of the places `<int32>[windows, 2]`."""
    starts = logits.windows.tokens.starts
    if len(starts) < 2:
        return 0.0
    peak = np.maximum.reduceat(logits.values, starts[:-1])
    shares = np.exp(logits.values - np.repeat(peak, np.diff(starts), axis=0))
    totals = peak + np.log(np.add.reduceat(shares, starts[:-1]))
    chosen = logits.values[starts[:-1, np.newaxis] + places, [0, 1]]
    return float(np.mean(totals - chosen))
