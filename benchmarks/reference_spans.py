"""Spans on the reference side: tags of words, as transformers' run_ner.py learns them, and strict span scores.

As in examples/pytorch/token-classification/run_ner.py: the first piece of a word has the word's tag, all other tokens
−100, which the loss and the scores leave out; a word beyond the length is in neither. Numpy alone, nothing of Slipway.
"""

import json

IGNORED = -100  # what torch's cross-entropy leaves out


class Tagging:
    """A tag for each word. rows: the training rows, whose types of span are all that there are."""

    model, collator = "AutoModelForTokenClassification", "DataCollatorForTokenClassification"
    head = "classifier"

    def __init__(self, rows):
        types = sorted({kind for row in rows for _, _, kind in json.loads(row["label"])})
        self.names = ["O", *(f"{prefix}-{kind}" for kind in types for prefix in "BI")]
        self.outputs = len(self.names)

    def settings(self):
        """What the model is made with."""
        return {"num_labels": self.outputs}

    def encode(self, rows, tokenizer, max_length):
        """Token ids without padding, and `labels`: the tag's number on the first piece of each word."""
        words = [[row["text"][start:end] for start, end in row["words"]] for row in rows]
        ids = tokenizer(words, is_split_into_words=True, truncation=True, max_length=max_length)
        encoded = []
        for place, row in enumerate(rows):
            tags = [self.names.index(tag) for tag in tags_of_spans(json.loads(row["label"]), row["words"])]
            labels = _on_first_pieces(ids.word_ids(place), tags)
            encoded.append({name: ids[name][place] for name in ids} | {"labels": labels})
        return encoded

    def scores(self, logits, gold, encoded=None):
        """Micro F1, precision and recall of spans. logits: `<float>[rows, length, tags]`; gold: `<int>[rows, length]`.

        A span is right where first word, last word and type all are.
        """
        predicted, kept = logits.argmax(-1), gold != IGNORED
        right = given = wanted = 0
        for mine, theirs, words in zip(predicted, gold, kept, strict=True):
            mine, theirs = ({*spans_of_tags([self.names[i] for i in ids[words]])} for ids in (mine, theirs))
            right, given, wanted = right + len(mine & theirs), given + len(mine), wanted + len(theirs)
        return {
            "span_f1": 2 * right / max(1, given + wanted),
            "span_precision": right / max(1, given),
            "span_recall": right / max(1, wanted),
        }


def spans_of_tags(tags):
    """[(first word, end word, type)]: from a B-X, or an I-X that follows no X, over all I-X behind it (seqeval)."""
    found, before = [], "O"
    for place, tag in enumerate(tags):
        prefix, _, kind = tag.partition("-")
        if prefix == "I" and before[2:] == kind:
            found[-1] = (found[-1][0], place + 1, kind)
        elif prefix != "O":
            found.append((place, place + 1, kind))
        before = tag
    return found


def tags_of_spans(spans, words):
    """The BIO tag of each word. spans: [[start, end, type]] of characters; words: [[start, end]] of characters."""
    tags, first = ["O"] * len(words), {start: place for place, (start, _) in enumerate(words)}
    for start, end, kind in spans:
        place = first[start]
        inside = sum(opening < end for opening, _ in words[place:])
        tags[place : place + inside] = [f"B-{kind}", *[f"I-{kind}"] * (inside - 1)]
    return tags


def _on_first_pieces(word_of, tags):
    """A label for each token. word_of: for each token the place of its word, None for special tokens."""
    before = [None, *word_of[:-1]]
    return [IGNORED if word is None or word == last else tags[word] for word, last in zip(word_of, before, strict=True)]
