"""What a user probably meant by a name that is not known, for the end of an error line."""

import difflib
import os


def did_you_mean(name, known):
    """`did you mean stable?`, of the known name that is most like this one; "" where none is."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"did you mean {near[0]}?" if near else ""


def folder_beside(path):
    """The same for a folder that is not there: of the folders beside it, with their path."""
    parent, name = os.path.split(os.path.abspath(path))
    if not os.path.isdir(parent):
        return ""
    with os.scandir(parent) as entries:
        return did_you_mean(os.path.join(parent, name), [each.path for each in entries if each.is_dir()])
