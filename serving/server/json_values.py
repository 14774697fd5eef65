"""JSON as the real server reads it, by the same RapidJSON; and a value of it in the words of an error.

Source: ParseJson, JsonValueToString and JsonTypeString in tensorflow_serving/util/json_tensor.cc. Invalid UTF-8, which
the real server hands to the model, is refused here, and so is what is nested deeper than 1,000 levels; of a key that
stands twice the last one counts, there the first.
"""

import re

import numpy as np
import rapidjson

from serving.server import decimals
from serving.server.status import invalid

_NUMBERS = rapidjson.NM_NATIVE | rapidjson.NM_NAN
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_FAULT = re.compile(r"Parse error at offset (\d+): (.*)", re.DOTALL)
_LARGEST_FLOAT = float(np.finfo(np.float32).max)
_INDENT = "    "
_SHOWN = 512  # characters of a value, half of what a status holds


def parse(body):
    """The object that a request's body holds, a dict; INVALID_ARGUMENT where it holds none."""
    if not body:
        raise invalid("JSON Parse error: The document is empty")
    try:
        document = rapidjson.loads(body.removeprefix(_BYTE_ORDER_MARK), number_mode=_NUMBERS)
    except UnicodeDecodeError as error:
        raise _unparsed("Invalid encoding in string.", error.start) from None
    except (rapidjson.JSONDecodeError, RecursionError) as error:
        offset, reason = _FAULT.fullmatch(str(error)).groups()
        raise _unparsed(reason, offset) from None
    if not isinstance(document, dict):
        raise faulty(document, "Is not object")
    return document


def faulty(value, what):
    """INVALID_ARGUMENT that shows the value and says what is wrong with it."""
    return invalid(f"JSON Value: {text(value)} {what}")


def text(value):
    """The value as JSON again, cut where it is long: the reason that stands behind it is to be read."""
    if isinstance(value, float):
        return decimals.texts([value], "float32" if abs(value) <= _LARGEST_FLOAT else "float64")[0]
    shown = ""
    for piece in _pieces(value, 0):
        shown += piece
        if len(shown) > _SHOWN:
            return f"{shown[:_SHOWN]}..."
    return shown


def kind(value):
    """RapidJSON's name for what a value is."""
    if value is None or isinstance(value, bool):
        return {None: "Null", False: "False", True: "True"}[value]
    names = {dict: "Object", list: "Array", str: "String"}
    return names.get(type(value), "Number")


def _unparsed(reason, offset):
    return invalid(f"JSON Parse error: {reason} at offset: {offset}")


def _pieces(value, depth):
    """The text of a value, piece by piece, so that no more of it is made than is shown."""
    if not isinstance(value, (dict, list)) or not value:
        value = value[: _SHOWN + 1] if isinstance(value, str) else value
        yield rapidjson.dumps(value, ensure_ascii=False, number_mode=_NUMBERS)
        return
    named = isinstance(value, dict)
    outer = "\n" + _INDENT * depth
    yield "{" if named else "["
    for index, each in enumerate(value):
        yield f"{',' if index else ''}{outer}{_INDENT}"
        if named:
            yield f"{rapidjson.dumps(each, ensure_ascii=False)}: "
        yield from _pieces(value[each] if named else each, depth + 1)
    yield f"{outer}{'}' if named else ']'}"
