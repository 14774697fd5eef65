"""Tags of words, as CoNLL files have them, to spans of characters: `(start, end, type)`, end exclusive."""

import re
from typing import NamedTuple

SCHEMES = {"BIO": "BIO", "BIOES": "BIOES", "IOB1": "IOB"}  # name: prefixes of its tags
# Kana, ideographs, and punctuation of their width: what is written without spaces between words.
_UNSPACED = re.compile(r"[\u2e80-\u30ff\u31c0-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]")


class _Tag(NamedTuple):
    prefix: str
    type: str


def tagged_spans(tags, scheme="BIO"):
    """[(first word, end word, type)] of the tags of a text's words, as seqeval reads them in its strict mode.

    What the scheme does not allow is no entity: I-X after anything but B-X or I-X in BIO, B without E in BIOES, B-X
    that parts no two X in IOB1. Raises ValueError for a tag that is none of the scheme.
    """
    tags = [*(_parse(tag, SCHEMES[scheme]) for tag in tags), _Tag("O", "")]
    found, at = [], 0
    while at < len(tags):
        end = at + 1
        if _opens(scheme, tags[at - 1] if at else tags[-1], tags[at]):
            while end < len(tags) and _continues(tags[end - 1], tags[end]):
                end += 1
            found += [(at, end, tags[at].type)] if _closes(scheme, tags[end - 1], tags[end]) else []
        at = end
    return found


def spans_of_tags(tags, bounds, scheme="BIO"):
    """[[start, end, type]] of characters, in their order; a tag that is in no entity is there with the type None.

    bounds: [(start, end)] of the characters of each word. Raises ValueError as `tagged_spans`.
    """
    found = tagged_spans(tags, scheme)
    inside = {word for first, end, _ in found for word in range(first, end)}
    loose = [(word, word + 1, None) for word, tag in enumerate(tags) if tag != "O" and word not in inside]
    return [[bounds[first][0], bounds[end - 1][1], kind] for first, end, kind in sorted(found + loose, key=_first)]


def text_of_words(words):
    """(text, [(start, end)] of each word): a space between words, none between two that are written without."""
    text, bounds = "", []
    for word in words:
        together = not text or (_UNSPACED.match(text[-1]) and _UNSPACED.match(word))
        start = len(text) + (not together)
        bounds.append((start, start + len(word)))
        text += word if together else f" {word}"
    return text, bounds


def _first(span):
    return span[0]


def _parse(tag, prefixes):
    prefix, _, kind = tag.partition("-")
    if prefix not in tuple(prefixes) or (prefix != "O") != bool(kind):
        raise ValueError(f"tag {tag!r} is none of O, {', '.join(f'{p}-TYPE' for p in prefixes if p != 'O')}")
    return _Tag(prefix, kind)


def _opens(scheme, before, tag):
    same = before.type == tag.type
    if scheme != "IOB1":
        return tag.prefix in "BS"
    return (tag.prefix == "I" and not (before.prefix == "I" and same)) or (tag.prefix == "B" and same)


def _continues(before, tag):
    return before.prefix in "BI" and tag.prefix in "IE" and before.type == tag.type


def _closes(scheme, last, after):
    if scheme == "BIOES":
        return last.prefix in "ES"
    return scheme == "BIO" or not (last.prefix == after.prefix == "B" and last.type != after.type)
