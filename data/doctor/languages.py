"""Which languages the texts are in, on a sample, and rows that are in another than nearly all the others."""

import functools

import numpy as np

from data.doctor.findings import WARNING, Tally

SAMPLE = 5_000  # rows, evenly spread; py3langid takes some 0.3 ms a text
LETTERS, IDEOGRAPHS = 40, 8  # a text shorter than this could be of any language
SURE = 0.95  # least probability of a language to believe it
NEARLY_ALL = 0.95  # share of one language from which on other rows are odd


def identify(rows, sample=SAMPLE):
    """({"sample": n, "identified": n, "counts": {language: rows}}, [Finding])."""
    chosen = np.unique(np.linspace(0, len(rows) - 1, min(sample, len(rows))).astype(np.int64)) if len(rows) else []
    languages = {}
    identifier = _identifier()
    for row in chosen:
        text = rows.texts[row]
        if _long_enough(text):
            language, probability = identifier.classify(text[:2000])
            if probability >= SURE:
                languages[int(row)] = language
    counts = dict(sorted(_counted(languages.values()).items(), key=lambda item: (-item[1], item[0])))
    return {"sample": len(chosen), "identified": len(languages), "counts": counts}, _odd(
        rows, languages, counts, chosen
    )


def _odd(rows, languages, counts, chosen):
    main = next(iter(counts), None)
    if main is None or counts[main] < NEARLY_ALL * len(languages):
        return []
    tally = Tally()
    for row, language in languages.items():
        if language != main:
            tally.add(rows.where(row), f"[{language}] {rows.texts[row]}")
    of = "rows" if len(chosen) == len(rows) else f"rows of a sample of {len(chosen):,}"
    return tally.found("other_language", WARNING, f"{{}} {of} are in another language than nearly all ({main})")


def _long_enough(text):
    letters = sum(map(str.isalpha, text[:400]))
    wide = sum(character > "\u2e7f" for character in text[:400])
    return letters >= LETTERS or wide >= IDEOGRAPHS


def _counted(values):
    counts = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    return counts


@functools.cache
def _identifier():
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
