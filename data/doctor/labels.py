"""Labels that are written in several ways, rare, unknown in training, or all the same."""

import re

import numpy as np

from data.doctor.findings import ERROR, EXAMPLES, NOTE, WARNING, Finding, example
from trainer.inputs.columns import nearest

FEW = 10  # rows of a label from which little is learned
SKEWED, VERY_SKEWED = 5, 20  # times that the most frequent label is as frequent as the rarest: noted, warned of
_NUMBER = re.compile(r"[+-]?\d+(\.0*)?")


class Spellings:
    """Labels as they are written, white space and all, with the row in which each is met first."""

    def __init__(self):
        self.seen = {}  # {label as written: [rows, where, text]}

    def see(self, chunk, source):
        for row, label in enumerate(chunk.labels or ()):
            if label in self.seen:
                self.seen[label][0] += 1
            elif label.strip():
                self.seen[label] = [1, chunk.where(row), chunk.texts[row]]

    def findings(self):
        """Labels that are one label to a reader, two to a program; white space at the ends is taken off in training."""
        groups = {}
        for label in self.seen:
            groups.setdefault(label_key(label), []).append(label)
        found = []
        for severity, check, by in ((ERROR, "label_spelling", str.strip), (WARNING, "label_spaces", str)):
            odd = [label for group in groups.values() for label in self._odd(group, by)]
            if odd:
                examples = [example(self.seen[label][1], f"[{label}] {self.seen[label][2]}") for label in odd]
                written = ", ".join(repr(label) for label in odd[:5]) + (", …" if len(odd) > 5 else "")
                count = sum(self.seen[label][0] for label in odd)
                message = f"{count:,} rows write a label as no others do, by case, white space or .0: {written}"
                found.append(Finding(check, severity, count, message, tuple(examples[:EXAMPLES])))
                break
        return found

    def _odd(self, group, by):
        """The spellings of one label besides its most frequent one."""
        counts = {}
        for label in group:
            counts[by(label)] = counts.get(by(label), 0) + self.seen[label][0]
        usual = max(counts, key=counts.get)
        return [label for label in group if by(label) != usual]


def label_key(label):
    """What two spellings of one label share: case folded, white space collapsed, 1.0 as 1."""
    key = " ".join(label.split()).casefold()
    return key.partition(".")[0] if _NUMBER.fullmatch(key) else key


def label_counts(rows, *files):
    """{label: rows} of one split, in one source or several, the most frequent first."""
    labels = rows.label[rows.of(*files)]
    counts = np.bincount(labels[labels >= 0], minlength=len(rows.labels))
    return {rows.labels[label]: int(counts[label]) for label in np.argsort(-counts, kind="stable") if counts[label]}


def findings(rows):
    """[Finding] of how labels are spread, for each data set."""
    found = []
    for files in rows.scopes():
        by_split = {}
        for index in files:  # several of one split are its shards
            by_split.setdefault(rows.sources[index].split, []).append(index)
        learned = by_split.get("train", files[:1])
        counts = label_counts(rows, *learned)
        if not counts:
            continue
        learns = rows.sources[learned[0]].split in ("train", None)  # a dev or test file alone may be as it likes
        if learns:
            found += _one_class(rows, learned, counts) or _spread(rows, learned, counts)
        for split, judged in by_split.items():
            if split in ("dev", "test") and "train" in by_split:
                found += _unseen(rows, judged, split, counts)
    return found


def _name(rows, files):
    """What the sources of one split are called: their file, or the data set that they belong to."""
    source = rows.sources[files[0]]
    return source.path if len(files) == 1 else f"{source.split} of {source.group}"


def _one_class(rows, files, counts):
    if len(counts) > 1:
        return []
    (label,) = counts
    message = f"every row of {_name(rows, files)} has the label '{label}'; at least two are needed"
    return [Finding("one_class", ERROR, counts[label], message, _firsts(rows, files, [label]))]


def _spread(rows, files, counts):
    path, found = _name(rows, files), []
    rare = [label for label, count in counts.items() if count < FEW]
    if rare:
        message = f"{len(rare)} of {len(counts)} labels have fewer than {FEW} rows in {path}"
        found.append(Finding("rare_labels", WARNING, len(rare), message, _firsts(rows, files, rare)))
    most, least = max(counts, key=counts.get), min(counts, key=counts.get)
    times = counts[most] / counts[least]
    if times >= SKEWED:
        severity = WARNING if times >= VERY_SKEWED else NOTE
        message = (
            f"labels of {path} are imbalanced: '{most}' has {counts[most]:,} rows, '{least}' {counts[least]:,} "
            f"({times:.0f} times); accuracy alone misleads, see --metric=macro_f1 and --class_weights=balanced"
        )
        found.append(Finding("imbalance", severity, counts[most], message, _firsts(rows, files, [most, least])))
    return found


def _unseen(rows, files, split, learned):
    counts, path, found = label_counts(rows, *files), _name(rows, files), []
    unseen = [label for label in counts if label not in learned]
    if unseen:
        near = nearest(unseen[0], list(learned))
        hint = f"; did you mean '{near}'?" if near else ""
        count = sum(counts[label] for label in unseen)
        message = f"{count:,} rows of {path} have a label that no training row has, e.g. '{unseen[0]}'{hint}"
        found.append(Finding("unseen_label", ERROR, count, message, _firsts(rows, files, unseen)))
    absent = [label for label in learned if label not in counts]
    if absent and counts:
        message = f"{len(absent)} labels of the training rows have no row in {path}: they are not judged on {split}"
        found.append(Finding("absent_label", NOTE, len(absent), message))
    return found


def _firsts(rows, files, labels):
    """Examples: the first row of each label in some sources."""
    own, examples = rows.of(*files), []
    for label in labels[:EXAMPLES]:
        row = own[np.argmax(rows.label[own] == rows.labels.index(label))]
        examples.append(example(rows.where(row), f"[{label}] {rows.texts[row]}"))
    return tuple(examples)
