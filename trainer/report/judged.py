"""What report.html shows of the judged rows: what is taken for what, scores against the true ones, worst mistakes."""

import dataclasses

import numpy as np

from trainer.metrics import squad
from trainer.metrics.per_class import confused_pairs, confusion
from trainer.report import figures, mistakes
from trainer.report.fonts import families
from trainer.report.mistakes import gold_texts
from trainer.report.templates import chart

_MOST_CONFUSED = 15
_NOTHING = {"confusion": None, "scatter": None, "confused": [], "numbered": [], "mistakes": [], "wrong": 0, "size": ""}
_NOTHING |= {"worst": "those with most labels too many or too few"}  # which of the wrong rows are shown


def rows(predictions):
    """Values of the template for the rows of predictions.jsonl, whatever the task."""
    if not predictions:
        return _NOTHING
    kinds = {
        "true_label": _labels,
        "true_labels": _label_sets,
        "true_value": _scores,
        "true_entities": _entities,
        "true_heads": _heads,
        "true_rank": _found,
        "true_answers": _answers,
    }
    return _NOTHING | next(of for name, of in kinds.items() if name in predictions[0])(predictions)


def _labels(predictions):
    labels = list(predictions[0]["probabilities"])
    place = {label: i for i, label in enumerate(labels)}
    targets = np.array([place[row["true_label"]] for row in predictions])
    probabilities = np.array([[row["probabilities"][label] for label in labels] for row in predictions])
    predicted = np.array([place[row["label"]] for row in predictions])
    matrix = confusion(targets, predicted, len(labels))
    pairs = [(labels[i], labels[j], rows) for i, j, rows in confused_pairs(matrix, _MOST_CONFUSED)]
    return {
        "confusion": chart(figures.confusion, matrix, labels, title="Rows of each true label by predicted label"),
        "confused": pairs,
        "numbered": labels if families(labels) is None else [],
        "mistakes": mistakes.worst(probabilities, targets, labels, lambda row: _text(predictions[row])),
        "wrong": int((predicted != targets).sum()),
        "size": "its probability",
    }


def _label_sets(predictions):
    labels = list(predictions[0]["probabilities"])
    wanted, selected = (
        np.array([[label in row[name] for label in labels] for row in predictions])
        for name in ("true_labels", "labels")
    )
    return {
        "mistakes": mistakes.worst_sets(wanted, selected, labels, lambda row: _text(predictions[row])),
        "wrong": int((wanted != selected).any(axis=1).sum()),
        "size": "labels",
    }


def _scores(predictions):
    targets, values = (np.array([row[name] for row in predictions]) for name in ("true_value", "value"))
    return {
        "scatter": chart(figures.scores, targets, values, title="Predicted against true scores"),
        "mistakes": mistakes.worst_scores(targets, values, lambda row: _text(predictions[row])),
        "wrong": len(predictions),
        "size": "off by",
    }


def _entities(predictions):
    wanted, given = (
        [[(each["start"], each["end"], each["label"]) for each in row[name]] for row in predictions]
        for name in ("true_entities", "entities")
    )
    return {
        "mistakes": mistakes.worst_spans(wanted, given, [row["text"] for row in predictions]),
        "wrong": sum(set(mine) != set(theirs) for mine, theirs in zip(wanted, given, strict=True)),
        "size": "spans",
    }


def _answers(predictions):
    """Questions whose answer is not a gold one, those first that share no word with it, then the surest."""
    right = [squad.exact_match(row["answer"], gold_texts(row)) > 0 for row in predictions]
    return {
        "mistakes": mistakes.worst_answers(predictions),
        "wrong": len(right) - sum(right),
        "size": "its probability",
        "worst": "those that share no word with the true answer, the surest first",
    }


def _found(predictions):
    """Queries whose own text was not the nearest, those furthest from it first."""
    return {
        "mistakes": mistakes.worst_found(predictions),
        "wrong": len(mistakes.not_found(predictions)),
        "size": "cosine of its own",
        "worst": "those whose own text is least near, beside the nearest one",
    }


def _heads(predictions):
    """Worst mistakes of each head, one head after the other; `wrong` counts rows of which any head is."""
    found, wrong = [], set()
    for name in dict.fromkeys(name for row in predictions for name in row["true_heads"]):
        own = _of_head(predictions, name)
        shown = rows(own)["mistakes"]
        found += [dataclasses.replace(each, row=own[each.row]["at"], label=f"{name}: {each.label}") for each in shown]
        wrong |= {own[each.row]["at"] for each in shown}
    return {"mistakes": found, "wrong": len(wrong), "size": "of its head"}


def _of_head(predictions, name):
    """The rows that have a label for a head, as its own task would have them; at: their place among all."""
    places = [place for place, row in enumerate(predictions) if name in row["true_heads"]]
    own_place, found = {place: own for own, place in enumerate(places)}, []
    for own, place in enumerate(places):
        row = predictions[place]
        told = {"row": own, "text": row["text"], **row[name], **row["true_heads"][name], "at": place}
        near = {"nearest_row": own_place[told["nearest_row"]]} if "nearest_row" in told else {}
        found.append(told | near)
    return found


def _text(row):
    return row["text"] + (f" ‖ {row['text_pair']}" if "text_pair" in row else "")
