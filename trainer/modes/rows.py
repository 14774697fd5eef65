"""A Table, tokenized for its task: rows of texts, of masked texts, of windows, or of several heads."""

import sys

import numpy as np

from trainer.inputs.answer_rows import AnswerRows, AnswerTruth
from trainer.inputs.answers import Answers
from trainer.inputs.head_rows import HeadLabels, HeadRows
from trainer.inputs.heads import data_sets
from trainer.inputs.masked import MaskedRows, Masking
from trainer.inputs.pipeline import Rows
from trainer.inputs.segments import Segments
from trainer.inputs.shot_rows import ShotRows
from trainer.inputs.spans import Spans
from trainer.inputs.text_rows import TextRows
from trainer.inputs.tokens import tokenize
from trainer.inputs.tokens_cache import TokensCache
from trainer.inputs.unlabelled import Unlabelled
from trainer.inputs.window_rows import NO_TARGET, Truth, WindowRows, window_tokens
from trainer.loop.progress_line import ProgressLine
from trainer.models.mask_tokens import mask_tokens


def make_rows(config, task, preprocessor, table, name, train=False):
    """Rows of a labelled Table, as its task reads them; class weights are in the loss of training alone."""
    if task.name == "multi":
        return _head_rows(config, task, preprocessor, table, name, train)
    if task.name == "embedding":
        return _text_rows(config, task, preprocessor, table, name)
    if task.column in (Spans.name, Answers.name):
        return _window_rows(task, preprocessor, table, name)
    tokens = _tokens(config, preprocessor, table.texts, table.pairs, name)
    if task.column == Unlabelled.name:
        return _masked_rows(task, preprocessor, tokens)
    targets = task.targets(table.labels)
    weights = task.row_weights(targets) if train else None
    if train and config.learning.learning == "few_shot":
        return ShotRows(tokens, preprocessor, targets, weights, config.learning.pair_passes)
    return Rows(tokens, preprocessor, targets, weights)


def _masked_rows(task, preprocessor, tokens):
    known = mask_tokens(preprocessor)
    if task.segments == "none":
        return MaskedRows(tokens, preprocessor, Masking(known, task.share))
    segments = Segments(task.segments, tokens, known.begins, preprocessor.special, preprocessor.sequence_length)
    return MaskedRows(tokens, preprocessor, Masking(known, task.share), segments)


def _text_rows(config, task, preprocessor, table, name):
    """Rows of each text by itself, and the number of each second and third text, or the score of the two."""
    columns = [table.texts, table.pairs] + ([table.labels] if config.embedding.negative_column else [])
    tokens = _tokens(config, preprocessor, [text for column in columns for text in column], None, name)
    return TextRows(tokens, preprocessor, len(columns), _vector_targets(task, columns, table.labels))


def _vector_targets(task, columns, cells):
    """Scores `<float32>[rows]`, or numbers `<int32>[rows, columns - 1]` of the texts behind the first column."""
    if task.learns_scores:
        return np.array([float(cell) for cell in cells], np.float32)
    number = {text: place for place, text in enumerate(dict.fromkeys(text for column in columns for text in column))}
    targets = [[number[text] if text.strip() else NO_TARGET for text in column] for column in columns[1:]]
    return np.array(targets, np.int32).T


def _windows(preprocess, table, name):
    line = ProgressLine(f"tokenizing {name}", len(table), "texts")
    return window_tokens(preprocess, table.texts, table.pairs, line.update)


def _window_rows(task, preprocessor, table, name):
    preprocess = task.preprocess(preprocessor)
    windows = _windows(preprocess, table, name)
    if task.column == Answers.name:
        return AnswerRows(windows, preprocess, table.pairs, _answer_truth(task, windows, table.labels, name))
    return WindowRows(windows, preprocess, table.texts, _truth(task, windows, range(len(table)), table.labels, name))


def _answer_truth(task, windows, cells, name):
    places, answers, (cut, unread) = task.window_targets(cells, windows)
    if cut or unread:
        print(
            f"note: {name}: of {sum(map(bool, answers))} answers {cut} begin or end within a token and are learned as "
            f"the whole token, {unread} stand whole in no window and are learned as no answer",
            file=sys.stderr,
        )
    return AnswerTruth(answers, places)


def _truth(task, windows, rows, cells, name):
    """Truth of the texts `rows`, whose spans are in `cells`."""
    labels, spans, unmatched = task.token_labels(cells, rows, windows.starts, windows.start, windows.end)
    if any(unmatched):
        print(
            f"note: {name}: of {sum(map(len, spans))} spans {unmatched.cut} end within a token and are learned as the "
            f"whole token, {unmatched.lost} hold no token that is read, {unmatched.overlapping} share one with another",
            file=sys.stderr,
        )
    return Truth(spans, labels)


def _head_rows(config, task, preprocessor, table, name, train):
    preprocess = task.preprocess(preprocessor)
    windows = _windows(preprocess, table, name)
    heads = {
        head: _vector_labels(config, task, head, preprocessor, table, name)
        if own.name == "embedding"
        else _head_labels(task, head, windows, table, name, train)
        for head, own in task.heads.items()
    }
    mixed = (data_sets(table.labels), config.heads.mixing_temperature) if train else ()
    return HeadRows(windows, preprocess, table.texts, heads, *mixed)


def _head_labels(task, head, windows, table, name, train):
    """HeadLabels of one head; class weights are in the loss of training alone."""
    own, (texts, cells) = task.heads[head], task.of_head(head, table.labels)
    weights = np.zeros(len(table), np.float32)
    weights[texts] = 1.0
    if task.answers_tokens(head):
        truth = _truth(own, windows, texts, cells, f"{name}, {head}")
        labels = np.full(len(windows.start), NO_TARGET, np.int32)
        labelled = np.repeat(weights > 0, np.diff(windows.starts))
        labels[labelled] = truth.labels
        return HeadLabels(texts, truth, True, labels, weights)
    targets = own.targets(cells)
    every = np.zeros((len(table), *targets.shape[1:]), targets.dtype)
    every[texts] = targets
    if train and (of_rows := own.row_weights(targets)) is not None:
        weights[texts] = of_rows
    return HeadLabels(texts, targets, False, every, weights)


def _vector_labels(config, task, head, preprocessor, table, name):
    """HeadLabels of a head that learns vectors from pairs."""
    own, (texts, cells) = task.heads[head], task.of_head(head, table.labels)
    columns = own.partners(cells)
    partners = tuple(_tokens(config, preprocessor, column, None, f"{name}, {head}") for column in columns)
    first, weights = [table.texts[row] for row in texts], np.zeros(len(table), np.float32)
    weights[texts] = 1.0
    targets = _vector_targets(own, [first, *columns], [label for _, label in cells])
    every = np.zeros((len(table), *targets.shape[1:]), targets.dtype)
    every[texts] = targets
    return HeadLabels(texts, targets, False, every, weights, partners)


def _tokens(config, preprocessor, texts, pairs, name):
    """TokenIds of labelled texts, which go to, and come from, the cache folder."""
    line = ProgressLine(f"tokenizing {name}", len(texts), "texts")
    limit = config.input.tokens_cache_mb
    cache = TokensCache(config.cache_dir() / "tokens", limit) if limit else None
    tokens = tokenize(preprocessor, texts, pairs, cache=cache, progress=line.update)
    if tokens.reused:
        line.update(len(texts), "found in the cache")
    return tokens


def unlabelled(task, preprocessor, table):
    """Rows of a Table without labels; nothing of them is kept in the cache."""
    if not hasattr(task, "preprocess"):
        return Rows(tokenize(preprocessor, table.texts, table.pairs), preprocessor)
    preprocess = task.preprocess(preprocessor)
    windows = window_tokens(preprocess, table.texts, table.pairs)
    if task.column == Answers.name:
        return AnswerRows(windows, preprocess, table.pairs)
    if task.name == "multi":
        return HeadRows(windows, preprocess, table.texts, {name: task.answers_tokens(name) for name in task.heads})
    return WindowRows(windows, preprocess, table.texts)
