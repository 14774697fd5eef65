"""Folders that `save_to_disk` of Hugging Face `datasets` writes: which Arrow files hold which split's rows."""

import json
import os

from trainer.config import UserError

_SPLITS, _STATE = "dataset_dict.json", "state.json"  # of several splits in a folder each, and of one
_SAVE = "save the dataset anew with save_to_disk"


def is_dict(folder):
    """Whether a folder holds a `DatasetDict`, that is several splits."""
    return os.path.isfile(folder / _SPLITS)


def is_split(folder):
    """Whether a folder holds a `Dataset`, that is one split."""
    return os.path.isfile(folder / _STATE)


def splits(folder):
    """{name: folder} of the splits of a `DatasetDict`."""
    names = _read(folder / _SPLITS, "splits")
    gone = next((name for name in names if not is_split(folder / name)), None)
    if gone is not None:
        raise UserError(f"{folder}: {_SPLITS} names the split '{gone}', but {gone}/{_STATE} is missing; {_SAVE}")
    return {name: folder / name for name in names}


def files(folder):
    """The Arrow files of one split, in the order of its rows."""
    state = _read(folder / _STATE, "_data_files")
    paths = [folder / each["filename"] for each in state]
    gone = next((path for path in paths if not path.is_file()), None)
    if gone is not None:
        raise UserError(f"{gone}: no such file, though {folder / _STATE} names it; {_SAVE}")
    return paths


def _read(path, key):
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content.get("_indices_data_files"):
            raise UserError(f"{path}: rows picked by a list of indices, as old `datasets` saved them; {_SAVE}")
        return content[key]
    except (ValueError, KeyError, AttributeError) as error:
        raise UserError(f"{path}: not what `datasets` writes: no '{key}'; {_SAVE}") from error
