"""A file in protobuf's text format, as TF Serving's flags name them, read with one line for whatever is wrong in it."""

import re

from google.protobuf import text_format

from serving.contract import ServingError

_NO_FIELD = re.compile(r'no field named "([a-z_]{1,20})"')  # too short to tell anything of a key


def read(path, message, given, what, secret=False):
    """Fills `message` from a file and returns it; ServingError, with file:line, where it does not hold one.

    given: how the user named the file, for example --model_config_file=PATH. what: what it should be.
    secret: the file holds a key, so that nothing that stands in it is told.
    """
    try:
        with open(path, encoding="utf-8") as file:
            return text_format.Parse(file.read(), message)
    except text_format.ParseError as error:
        reason = _without_content(error) if secret else str(error).split(" : ", 1)[-1].strip()
        raise ServingError(f"{path}:{error.GetLine() or 1}: not {what}: {reason}") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        raise ServingError(f"{given}: {reason}; give {what}") from None


def _without_content(error):
    """Why the file cannot be read. protobuf's own words quote the line, and a key may be all on one line."""
    field = _NO_FIELD.search(str(error))
    if field:
        return f"it has no field named {field[1]}"
    return (
        f"what stands at column {error.GetColumn() or 1} cannot be read; it may be the key and is not shown; "
        "each PEM is one text in quotes, its line ends as \\n"
    )
