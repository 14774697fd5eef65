"""Rows and flags on which the tiny encoder learns each task in seconds, for the contract test of all tasks."""

import dataclasses
import re
from collections.abc import Callable

import numpy as np

from tests import tiny_reviews

SCORES = {"good": 1.0, "great": 2.0, "bright": 1.5, "bad": -1.0, "dull": -2.0, "awful": -1.5}


@dataclasses.dataclass(frozen=True)
class Walk:
    """rows: callable, (count, seed) to rows; columns: their names; flags: of the run; metric: (name, least on test);
    served: callable, (result of the client, row of predictions.jsonl), that asserts they are one; None where the task
    makes no version, and its road ends with what it makes. task: its name, where that is not the name of the walk."""

    rows: Callable
    columns: tuple
    flags: tuple
    metric: tuple
    served: Callable | None
    task: str = ""


def same(given, expected):
    assert abs(given - expected) < 1e-5


def is_label(result, row):
    assert result.label == row["label"]
    same(result.score, row["score"])
    assert (result.out_of_scope is None) == ("out_of_scope" not in row)
    same(result.out_of_scope or 0.0, row.get("out_of_scope", 0.0))
    assert result.probabilities.keys() == row["probabilities"].keys()
    for label, probability in row["probabilities"].items():
        same(result.probabilities[label], probability)


def is_label_set(result, row):
    assert set(result.labels) == set(row["labels"])
    for label, probability in row["probabilities"].items():
        same(result.probabilities[label], probability)


def is_score(result, row):
    same(result.value, row["value"])


def scored(count, seed=0):
    """[(text, number), …]: the mean of the marks of its words."""
    texts = [text for text, _ in tiny_reviews.rows(count, seed)]
    marks = [[SCORES[word] for word in text.split() if word in SCORES] for text in texts]
    return [(text, f"{sum(each) / max(1, len(each)):.2f}") for text, each in zip(texts, marks, strict=True)]


def scored_pairs(count, seed=0):
    """[(text, second text, number from 0 to 5), …]: how alike their marks are."""
    first, second = scored(count, seed), scored(count, seed + 9)
    return [(a, b, f"{5 - abs(float(x) - float(y)):.2f}") for (a, x), (b, y) in zip(first, second, strict=True)]


def label_sets(count, seed=0):
    """[(text, labels with | between them), …]: praise, blame, both one after the other, or none."""
    (first, second), found = (tiny_reviews.rows(count, seed + part) for part in (0, 50)), []
    for row, ((text, label), (more, other)) in enumerate(zip(first, second[1:] + second[:1], strict=True)):
        found += [[(text, label)], [(f"{text} {more}", f"{label}|{other}")], [(tiny_reviews.NEUTRAL[row % 5], "")]][
            row % 3
        ]
    return found


def are_entities(result, row):
    names = ("start", "end", "label", "text")
    for entity, expected in zip(result.entities, row["entities"], strict=True):
        assert [getattr(entity, name) for name in names] == [expected[name] for name in names]
        assert row["text"][entity.start : entity.end] == entity.text
        same(entity.score, expected["score"])


def tagged(count, seed=0):
    """[(text, spans), …]: praise and blame where they stand, some of several words; some texts take windows."""
    found = []
    for row, (text, _) in enumerate(tiny_reviews.rows(count, seed)):
        text = " ".join([text] * (6 if row % 8 == 0 else 1))
        matches = re.finditer("full of life|never see|" + "|".join(SCORES), text)
        kinds = ("PRAISE", "BLAME")
        spans = [(m.start(), m.end(), kinds[m[0] == "never see" or SCORES.get(m[0], 1) < 0]) for m in matches]
        found.append((text, spans))
    return found


def is_answer(result, row):
    names = ("answer", "start", "end", "answerable")
    assert [getattr(result, name) for name in names] == [row[name] for name in names]
    assert row["text_pair"][result.start : result.end] == result.answer or not result.answerable
    same(result.score, row["score"])


def questioned(count, seed=0):
    """[(question, context, answers), …]: what is said of the film, or nothing; some contexts take windows."""
    random, found = np.random.default_rng(seed), []
    marks = [*SCORES, "full of life", "never see"]
    for row in range(count):
        mark = "" if row % 4 == 3 else str(random.choice(marks))
        before, behind = (" ".join(random.choice(tiny_reviews.NEUTRAL, 1 + 2 * (row % 5 == 0))) for _ in range(2))
        context = f"{before} is {mark} , {behind}" if mark else f"{before} {behind}"
        answers = [[len(before) + 4, mark]] if mark else []
        found.append((str(random.choice(["the film is", "a plot !", "see the film , is"])), context, answers))
    return found


def echoes(count, seed=0):
    """[(text,), …] without labels: a word and its echoes, so that a masked one is known from its neighbours."""
    words = (*SCORES, "film", "plot")
    return [(" ".join([words[(row + seed) % len(words)]] * (4 + row % 5)),) for row in range(count)]


def is_of_every_head(result, row):
    is_label(result["mood"], row["mood"])
    are_entities(result["marks"], {"text": row["text"], **row["marks"]})
    is_score(result["stars"], row["stars"])
    is_vector(result["like"], row["like"])


def of_every_head(count, seed=0):
    """[(text, label, spans, score, a text with the same mark), …]."""
    rows = zip(tiny_reviews.rows(count, seed), tagged(count, seed), scored(count, seed), strict=True)
    return [
        (text, label, spans, score, f"the plot is {next((word for word in text.split() if word in SCORES), label)} .")
        for (_, label), (text, spans), (_, score) in rows
    ]


def is_vector(result, row):
    assert result.vector.dtype == np.float32
    np.testing.assert_allclose(result.vector, row["embedding"], atol=1e-5)
    same(float(np.linalg.norm(result.vector)), 1.0)


def belonging(count, seed=0):
    """[(text, another text with the same mark), …]: few different ones, as answers are."""
    draw, marks = np.random.default_rng(seed), sorted(SCORES)
    chosen = [marks[place] for place in draw.integers(0, len(marks), count)]
    texts = [text.split() for text in tiny_reviews.NEUTRAL]
    return [
        (" ".join([*texts[row % 5], mark, "x" * (row % 3)]).strip(), f"the plot is {mark} .")
        for row, mark in enumerate(chosen)
    ]


HEADS = (
    "mood: --out_of_scope=energy; marks: --task=tagging --label_column=spans; "
    "stars: --task=regression --label_column=score --score_range=-2,2 --loss_weight=0.5; "
    "like: --task=embedding --text_pair_column=answer --matryoshka=4 --loss_weight=0.2"
)
LABEL = ("text", "label")
WALKS = {
    "classification": Walk(tiny_reviews.rows, LABEL, (), ("accuracy", 0.8), is_label),
    "few_shot": Walk(
        tiny_reviews.rows,
        LABEL,
        ("--learning=few_shot", "--pair_passes=2", "--epochs=4"),
        ("accuracy", 0.8),
        is_label,
        "classification",
    ),
    "multi_label": Walk(label_sets, ("text", "labels"), ("--label_column=labels",), ("micro_f1", 0.75), is_label_set),
    "regression": Walk(
        scored, ("text", "score"), ("--label_column=score", "--score_range=-2,2"), ("spearman", 0.6), is_score
    ),
    "tagging": Walk(
        tagged,
        ("text", "spans"),
        ("--label_column=spans", "--sequence_length=16", "--window_overlap=4"),
        ("span_f1", 0.7),
        are_entities,
    ),
    "span_qa": Walk(
        questioned,
        ("question", "context", "answers"),
        (
            *("--text_column=question", "--text_pair_column=context", "--label_column=answers"),
            *("--sequence_length=20", "--window_overlap=4", "--question_tokens=4", "--answer_tokens=4", "--epochs=14"),
        ),
        ("f1", 0.6),
        is_answer,
    ),
    "mlm": Walk(echoes, ("text",), ("--epochs=30",), ("masked_accuracy", 0.6), None),
    "embedding": Walk(
        belonging,
        ("text", "answer"),
        ("--text_pair_column=answer", "--matryoshka=4", "--epochs=10"),
        ("mrr_at_10", 0.55),  # 0.41 by chance; 0.61 where praise is told from blame
        is_vector,
    ),
    "multi": Walk(
        of_every_head,
        ("text", "label", "spans", "score", "answer"),
        (f"--heads={HEADS}", "--window_overlap=8", "--sequence_length=24"),
        ("mean_quality", 0.6),
        is_of_every_head,
    ),
}
