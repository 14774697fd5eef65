"""When two texts are the same: the exact key collapses white space, the near key keeps letters and digits alone."""

import re

_NEITHER = re.compile(r"[\W_]+")  # \w is str.isalnum and the underscore, so that ideographs count as letters


def exact_key(text, pair=None):
    """The words of a text, and of its pair."""
    words = " ".join(text.split())
    return words if pair is None else f"{words}\0{' '.join(pair.split())}"


def near_key(text, pair=None):
    """The lower-cased letters and digits of a text, and of its pair; of a text without any, its exact key."""
    key = _NEITHER.sub("", text.lower()) or exact_key(text)
    return key if pair is None else f"{key}\0{_NEITHER.sub('', pair.lower()) or exact_key(pair)}"
