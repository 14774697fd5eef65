"""Human-rated snippets of movie reviews → train, dev and test tables of positive and negative texts.

Source: Hutto and Gilbert, VADER, ICWSM 2014; each snippet's rating is the mean of some 20 people's, −4 … 4.
The split never moves: rows are ordered by the sha256 of their letters and digits, so neither the order of the file
nor a seed decides which row is tested on.
"""

import collections
import hashlib

from trainer.config import EnvironmentFault

HEADER = "text\tlabel\n"
NEUTRAL = 0.5  # a mean rating nearer to 0 than this names no side
TEST_ROWS, DEV_ROWS = 2600, 1000  # the rest trains


def rated_rows(raw):
    """`(text, mean rating)` of each line `number<TAB>rating<TAB>text` of the UTF-8 bytes `raw`."""
    try:
        lines = raw.decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise EnvironmentFault(f"rated snippets: byte {error.start} is not UTF-8") from None
    rows = []
    for number, line in enumerate(lines, 1):
        fields = line.rstrip("\r").split("\t", 2)
        if fields == [""]:
            continue
        try:
            rows.append((" ".join(fields[2].split()), float(fields[1])))  # no tab or newline is left in a text
        except (IndexError, ValueError):
            raise EnvironmentFault(f"rated snippets, line {number}: not `number<TAB>rating<TAB>text`") from None
    return rows


def labelled(rows):
    """`(text, label)` by the sign of the rating; ratings under NEUTRAL and texts without a letter or digit go."""
    kept = [(text, rating) for text, rating in rows if abs(rating) >= NEUTRAL and key_of(text)]
    return [(text, "positive" if rating > 0 else "negative") for text, rating in kept]


def neutral(rows):
    """`(text, "neutral")` of the rows that `labelled` leaves out."""
    kept = {text for text, _ in labelled(rows)}
    return [(text, "neutral") for text, _ in rows if text not in kept]


def key_of(text):
    """The letters and digits of `text`, case folded: two texts with one key are the same text.

    Not data.keys.near_key: the splits that `catalogue.py` pins by their digests were made with this one.
    """
    return "".join(character for character in text.casefold() if character.isalnum())


def split_rows(rows, test_rows=TEST_ROWS, dev_rows=DEV_ROWS):
    """`{"train" | "dev" | "test": [(text, label), …]}` with each label's share in each split; one key, one split."""
    groups = _groups(rows)
    counts = collections.Counter(group[0][1] for _, group in groups)
    quota = {
        "test": shares(test_rows, counts),
        "dev": shares(dev_rows, counts),
        "train": dict.fromkeys(counts, len(rows)),
    }
    splits = {"train": [], "dev": [], "test": []}
    for _, group in groups:
        label = group[0][1]
        split = next(name for name in ("test", "dev", "train") if quota[name][label] >= len(group))
        quota[split][label] -= len(group)
        splits[split].extend(group)
    return splits


def shares(total, counts):
    """Splits `total` rows over `{label: count}` in proportion, largest remainders first; sums to `total` exactly."""
    everything = sum(counts.values())
    exact = {label: total * count / everything for label, count in counts.items()}
    whole = {label: int(share) for label, share in exact.items()}
    spare = total - sum(whole.values())
    for label in sorted(exact, key=lambda label: (whole[label] - exact[label], label))[:spare]:
        whole[label] += 1
    return whole


def table(rows):
    """The bytes of a TSV file: header, then `text<TAB>label`; no quoting, UTF-8."""
    return (HEADER + "".join(f"{text}\t{label}\n" for text, label in rows)).encode("utf-8")


def row_counts(splits):
    """`{split: {label: rows}}`, labels in alphabetical order."""
    return {
        name: dict(sorted(collections.Counter(label for _, label in rows).items())) for name, rows in splits.items()
    }


def _groups(rows):
    # [(key, rows of that key)], in the order of the key's hash, rows in the order of their text.
    by_key = collections.defaultdict(list)
    for row in sorted(rows):
        by_key[key_of(row[0])].append(row)
    return sorted(by_key.items(), key=lambda item: hashlib.sha256(item[0].encode()).digest())
