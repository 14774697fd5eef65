"""Which rows of a data set are trained on, chosen on and tested on, where its files do not say: fixed, and by label."""

import random

from benchmarks import quality_spans

DEV_SHARE = 0.1  # of the training rows, where a data set has no dev file
TEST_SHARE = 0.2  # of all rows, where it has only one file: a tenth of them would be too few to see a point
FOLDS = {"train": range(16), "dev": range(16, 18), "test": range(18, 20)}


def hold_out(rows, share):
    """(rest, held out): `share` of each label's rows, drawn with one fixed seed; both keep the file's order."""
    by_label = {}
    for index, label in enumerate(labels_of(rows)):
        by_label.setdefault(label, []).append(index)
    draw, held = random.Random(0), set()
    for label in sorted(by_label):
        held.update(draw.sample(by_label[label], max(1, round(share * len(by_label[label])))))
    return (
        [row for index, row in enumerate(rows) if index not in held],
        [row for index, row in enumerate(rows) if index in held],
    )


def hold_out_texts(rows, share):
    """The same of second texts: `share` of them, with all their rows."""
    texts = sorted({row["text_pair"] for row in rows})
    held = set(random.Random(0).sample(texts, max(1, round(share * len(texts)))))
    return [row for row in rows if row["text_pair"] not in held], [row for row in rows if row["text_pair"] in held]


def draw(rows, count):
    """At most `count` rows, each label with its share of them, drawn with one fixed seed; in the file's order."""
    if count >= len(rows):
        return rows
    order, labels = list(range(len(rows))), labels_of(rows)
    random.Random(0).shuffle(order)
    order.sort(key=labels.__getitem__)  # stable: of each label, every n-th of a random order
    return [rows[index] for index in sorted(order[i * len(rows) // count] for i in range(count))]


def labels_of(rows):
    """What each row's share goes by: its label; of spans, their rarest type."""
    return quality_spans.strata(rows) if rows and "words" in rows[0] else [row["label"] for row in rows]


def by_label(rows):
    """{split: rows} of one file. Broken and repeated texts are left out: a repeated one might stand on both sides."""
    seen, kept = set(), []
    for row in rows:
        text = " ".join(row["text"].split())
        if text not in seen and "\ufffd" not in text:
            seen.add(text)
            kept.append(row)
    rest, test = hold_out(kept, TEST_SHARE)
    train, dev = hold_out(rest, DEV_SHARE)
    return {"train": train, "dev": dev, "test": test}


def by_fold(rows, folds):
    """{split: rows} by the number of each row's fold."""
    pairs = list(zip(rows, folds, strict=True))
    return {split: [row for row, fold in pairs if int(fold) in numbers] for split, numbers in FOLDS.items()}
