"""One value of any source as the text that JSONL would give for it."""

import datetime
import decimal
import math
import numbers
import re

_UNDECODED = re.compile("[\udc80-\udcff]")
_SPELLED = (datetime.date, datetime.time, datetime.timedelta, decimal.Decimal)


class ArrayColumn(str):
    """Name of a column whose cells may be arrays, or null; `separator` stands between their strings in the text."""

    empty = ""  # the text of null
    takes_objects = False  # whether `joined` is also given JSON objects

    def __new__(cls, name, separator=" "):
        column = super().__new__(cls, name)
        column.separator = separator
        return column

    def joined(self, values):
        """The text of an array. Raises ValueError for what is no string in it, or holds the separator."""
        texts = [as_text(value, str(self)) for value in values]
        held = next((text for text in texts if self.separator in text), None)
        if held is not None:
            raise ValueError(self.holding(held))
        return self.separator.join(texts)

    def holding(self, text):
        """What to say of a string that holds the separator."""
        return f"column '{self}' has '{text}', which holds the separator '{self.separator}'"


def as_text(value, column):
    """Strings as they are, numbers as they are written, true and false; bytes that are not UTF-8 as U+DC80 to U+DCFF.

    Raises ValueError for null, a number that is none (NaN, infinity), an array or an object.
    """
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    if isinstance(value, str):
        return _whole_characters(value)
    if isinstance(value, bool) or type(value).__name__ in ("bool_", "bool"):
        return "true" if value else "false"
    if isinstance(value, numbers.Real) and math.isfinite(value):
        return str(value)
    if isinstance(value, _SPELLED):
        return str(value)
    if value is None and isinstance(column, ArrayColumn):
        return column.empty
    kind = "null" if value is None or isinstance(value, numbers.Real) else "an object"
    if isinstance(value, dict) and getattr(column, "takes_objects", False):
        return column.joined(value)
    if isinstance(value, (list, tuple)) or getattr(value, "shape", ()):
        if isinstance(column, ArrayColumn):
            return column.joined(value)
        kind = "an array"
    raise ValueError(f"column '{column}' is {kind}; it must be a string")


def named(value, names):
    """The name of a class number; a number beyond the names, as -1 for a label kept back, stays a number.

    Args:
        names: list of str, or None where the column holds no class numbers.
    """
    is_class = names and isinstance(value, numbers.Integral) and 0 <= value < len(names)
    return names[int(value)] if is_class else value


def not_utf8(text):
    """Whether bytes that are not UTF-8 became this text, by way of surrogateescape."""
    return not text.isascii() and _UNDECODED.search(text) is not None


def _whole_characters(text):
    """JSON escapes can spell half a surrogate pair, which UTF-8 cannot hold: it becomes U+FFFD."""
    try:
        text.encode("utf-8")
        return text
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
