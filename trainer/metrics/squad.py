"""Exact match and F1 of answers, as the official evaluation script of SQuAD 2.0 has them.

Source: https://worksheets.codalab.org/rest/bundles/0x6b567e1cf2e041ec80d7098f031c5c9e/contents/blob/ (Rajpurkar et al.)
"""

import collections
import re
import string

_ARTICLES = re.compile(r"\b(a|an|the)\b", re.UNICODE)
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalised(answer):
    """An answer in lower case, without ASCII punctuation and articles, one space between words."""
    return " ".join(_ARTICLES.sub(" ", answer.lower().translate(_PUNCTUATION)).split())


def exact_match(answer, golds):
    """1.0 where the answer, normalised, is one of the gold answers; "" is no answer, which no gold answers asks for."""
    return float(normalised(answer) in map(normalised, _asked_for(golds)))


def f1(answer, golds):
    """The best F1 of the answer's words against those of a gold answer, each word as often as it is there."""
    return max(_f1(normalised(answer).split(), normalised(gold).split()) for gold in _asked_for(golds))


def scores(answers, golds):
    """{metric: mean over questions} of answers (str, "" for none) against lists of gold answers.

    Where some questions have no answer, also those of either kind by themselves, as the script's HasAns and NoAns.
    """
    exact = [exact_match(*each) for each in zip(answers, golds, strict=True)]
    overlap = [f1(*each) for each in zip(answers, golds, strict=True)]
    has = [bool(each) for each in golds]
    found = {"exact_match": _mean(exact), "f1": _mean(overlap)}
    if all(has):
        return found
    return found | {
        "answerable_exact_match": _mean(_of(exact, has)),
        "answerable_f1": _mean(_of(overlap, has)),
        "unanswerable_exact_match": _mean(_of(exact, [not each for each in has])),
    }


def _asked_for(golds):
    return [gold for gold in golds if normalised(gold)] or [""]


def _f1(words, gold):
    if not words or not gold:
        return float(words == gold)
    same = (collections.Counter(words) & collections.Counter(gold)).total()
    return 2 * same / (len(words) + len(gold))


def _of(values, chosen):
    return [value for value, is_one in zip(values, chosen, strict=True) if is_one]


def _mean(values):
    return sum(values) / len(values) if values else 0.0
