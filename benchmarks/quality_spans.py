"""Rows of the data sets in which spans are learned: columns of words and tags, tags of words, ends that are inclusive.

Row: {"text", "label": JSON of [[start, end, type], …] in characters, end exclusive, "words": [[start, end], …]}. Our
side reads text and label; what the reference tags are words, for it knows no spans.
"""

import collections
import json
import re

from benchmarks.reference_spans import spans_of_tags

_DOCUMENT = "-DOCSTART-"


def conll_rows(lines):
    """Dicts of a CoNLL file: words and tags of each text, with a space between. The first and last column count."""
    words, tags = [], []
    for line in (*lines, ""):
        columns = line.split()
        if columns and columns[0] != _DOCUMENT:
            words.append(columns[0])
            tags.append(columns[-1])
        elif words:
            yield {"words": " ".join(words), "tags": " ".join(tags)}
            words, tags = [], []


def row_of(text, label):
    """The row of a text. label: str, a tag for each word; or {type: {entity: [[start, last], …]}} of characters.

    Raises ValueError for tags that are more or fewer than the words.
    """
    if isinstance(label, str):
        words = [list(word.span()) for word in re.finditer(r"\S+", text)]
        spans = _tagged(words, label.split())
    else:
        # run_ner over Chinese tags characters, and so does the encoder's WordPiece cut them
        words = [[place, place + 1] for place, character in enumerate(text) if not character.isspace()]
        places = [(*place, kind) for kind, named in label.items() for each in named.values() for place in each]
        spans = _apart([start, last + 1, kind] for start, last, kind in places)
    return {"text": text, "label": json.dumps(spans, ensure_ascii=False), "words": words}


def strata(rows):
    """For each row its rarest type of span, "" where it has none: what its share of a draw goes by."""
    types = [sorted({kind for _, _, kind in json.loads(row["label"])}) for row in rows]
    count = collections.Counter(kind for each in types for kind in each)
    return [min(each, key=lambda kind: count[kind], default="") for each in types]


def _tagged(words, tags):
    if len(words) != len(tags):
        raise ValueError(f"{len(tags)} tags for {len(words)} words")
    return [[words[first][0], words[end - 1][1], kind] for first, end, kind in spans_of_tags(tags)]


def _apart(spans):
    """The spans in their order, without those that share a character with one before: no tagger can answer both."""
    kept = []
    for span in sorted(spans, key=lambda span: (span[0], -span[1])):
        if not kept or span[0] >= kept[-1][1]:
            kept.append(span)
    return kept
