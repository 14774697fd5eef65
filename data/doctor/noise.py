"""Labels that the other rows speak against: probabilities by cross-validation, judged by cleanlab.

Every row is scored by models that never saw it: TF-IDF of words, or of characters where the text has no spaces, and
logistic regression, five folds. cleanlab (Northcutt et al., Confident Learning, JAIR 2021) estimates which labels are
wrong and how sure a row's own label is.
"""

import dataclasses

import numpy as np

from data.doctor.findings import EXAMPLES, NOTE, WARNING, Tally

FOLDS = 5
MOST_ROWS = 200_000  # rows beyond it are left out, evenly; memory stays under 1 GB
_WEIGHTS = 1_000_000  # features × labels: 8 MB, of which the solver keeps some thirty copies
MANY = 0.03  # a larger share of suspicious labels is worth a warning


@dataclasses.dataclass(frozen=True)
class Suspicions:
    """Rows `<int64>[n]`, the worst first; the label suggested for each; cleanlab's score, 0 … 1, low is bad."""

    rows: np.ndarray
    suggested: np.ndarray
    scores: np.ndarray
    judged: int  # rows that were scored


def suspicious(rows, files):
    """Suspicions about the labels of the sources with these indices; None where there is nothing to compare.

    A text that repeats is scored once for each label; labels with fewer rows than folds are left out.
    """
    chosen = _chosen(rows, rows.of(*files))
    labels, classes = _numbered(rows.label[chosen])
    if classes is None or len(classes) < 2:
        return None
    texts = [rows.texts[row] for row in chosen.tolist()]
    probabilities = _out_of_fold(texts, labels, len(classes))
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    issues = find_label_issues(labels, probabilities, filter_by="prune_by_noise_rate", n_jobs=1)
    scores = get_label_quality_scores(labels, probabilities)
    best = probabilities.argmax(1)
    doubted = np.flatnonzero(issues & (best != labels))
    doubted = doubted[np.argsort(scores[doubted], kind="stable")]
    return Suspicions(chosen[doubted], classes[best[doubted]], scores[doubted], len(chosen))


def find_noise(rows, progress):
    """([{"where", "text", "label", "suggested", "score"}, …], [Finding]) over all data sets."""
    listed, found = [], []
    scopes = rows.scopes()
    for done, files in enumerate(scopes):
        progress("judging labels", done, len(scopes))
        doubts = suspicious(rows, files)
        if doubts is None or not len(doubts.rows):
            continue
        tally = Tally()
        for row, suggested in zip(doubts.rows[:EXAMPLES], doubts.suggested[:EXAMPLES], strict=True):
            given, text = rows.labels[rows.label[row]], rows.texts[row]
            tally.add(rows.where(row), f"[{given}, rather {rows.labels[suggested]}] {text}")
        listed += [
            {**one, "label": rows.labels[rows.label[row]], "suggested": rows.labels[other], "score": round(float(s), 4)}
            for one, row, other, s in zip(tally.examples, doubts.rows, doubts.suggested, doubts.scores, strict=False)
        ]
        tally.count = len(doubts.rows)
        severity = WARNING if tally.count > MANY * doubts.judged else NOTE
        name = rows.sources[files[0]].group if len(files) > 1 else rows.sources[files[0]].path
        message = f"{{}} of {doubts.judged:,} labels of {name} look wrong to models that learned from the other rows"
        found += tally.found("label_noise", severity, message)
    return listed, found


def _chosen(rows, own):
    """One row of each text and label, at most MOST_ROWS, in the order of the rows."""
    own = own[(rows.label[own] >= 0) & (rows.near[own] != 0)]
    pairs = np.stack([rows.near[own], rows.label[own].astype(np.int64)], axis=1)
    _, first = np.unique(pairs, axis=0, return_index=True)
    own = own[np.sort(first)]
    counts = np.bincount(rows.label[own], minlength=1)
    own = own[counts[rows.label[own]] >= FOLDS]
    if len(own) > MOST_ROWS:
        own = own[np.linspace(0, len(own) - 1, MOST_ROWS).astype(np.int64)]
        counts = np.bincount(rows.label[own])
        own = own[counts[rows.label[own]] >= FOLDS]
    return own


def _numbered(labels):
    """(labels as 0 … classes − 1, the label of each class)."""
    if not len(labels):
        return labels, None
    classes, numbers = np.unique(labels, return_inverse=True)
    return numbers, classes


def _out_of_fold(texts, labels, classes):
    """Probabilities `<float32>[rows, classes]` of models that did not see the row."""
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold
    from threadpoolctl import threadpool_limits

    features = _vectorizer(texts, classes).fit_transform(texts)
    probabilities = np.zeros((len(texts), classes), np.float32)
    # One thread: the solver's steps are so small that several spend their time waiting for each other.
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a model that ranks rows need not be at its optimum
        for learn, judge in StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(texts, labels):
            model = LogisticRegression(C=5.0, max_iter=100).fit(features[learn], labels[learn])
            probabilities[judge] = model.predict_proba(features[judge])
    return probabilities


def _vectorizer(texts, classes):
    from sklearn.feature_extraction.text import TfidfVectorizer

    most = max(2_000, min(20_000, _WEIGHTS // classes))
    some = "".join(texts[:: max(1, len(texts) // 200)])
    spaceless = sum(character > "\u2e7f" for character in some) > 0.3 * len(some)
    words = {"ngram_range": (1, 2), "token_pattern": r"(?u)\w+|[^\w\s]"}  # words of one letter too, and texts of none
    options = {"analyzer": "char", "ngram_range": (1, 3)} if spaceless else words
    return TfidfVectorizer(**options, sublinear_tf=True, max_features=most, dtype=np.float32)
