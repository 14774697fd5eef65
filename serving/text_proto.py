"""A file in protobuf's text format, as TF Serving's flags name them, read with one line for whatever is wrong in it."""

from google.protobuf import text_format

from serving.contract import ServingError


def read(path, message, given, what):
    """Fills `message` from a file and returns it; ServingError, with file:line, where it does not hold one.

    given: how the user named the file, for example --model_config_file=PATH. what: what it should be.
    """
    try:
        with open(path, encoding="utf-8") as file:
            return text_format.Parse(file.read(), message)
    except text_format.ParseError as error:
        reason = str(error).split(" : ", 1)[-1].strip()
        raise ServingError(f"{path}:{error.GetLine() or 1}: not {what}: {reason}") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        raise ServingError(f"{given}: {reason}; give {what}") from None
