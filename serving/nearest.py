"""What a user probably meant by a name that is not known, for the end of an error line."""

import difflib
import os


def did_you_mean(name, known):
    """`did you mean stable?`, of the known name that is most like this one; "" where none is."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"did you mean {near[0]}?" if near else ""


def folder_beside(path):
    """The same for a folder that is not there: the path of that beside it whose name is most like its own."""
    parent, name = os.path.split(os.path.abspath(path))
    if not os.path.isdir(parent):
        return ""
    with os.scandir(parent) as entries:
        near = difflib.get_close_matches(name, [each.name for each in entries if each.is_dir()], n=1)
    return f"did you mean {os.path.join(parent, near[0])}?" if near else ""
