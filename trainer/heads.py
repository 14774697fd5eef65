"""What --heads says: several tasks over one encoder, each with flags of its own."""

import dataclasses
import re
import shlex

from trainer import flagfile
from trainer.config import GROUPS, HEADS, Config, UserError

_OWN_GROUPS = ("data", "target", "decision")
_OWN = ("task", "label_smoothing", "focal_gamma", "loss_weight")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_FORM = "allowed is 'NAME: --flag=value --flag=value; NAME: …', each NAME of small letters, digits and _"


def head_configs(config):
    """{name: Config} of the heads, in their order: the run's own settings but for the flags of the head.

    Raises UserError.
    """
    found = {}
    for name, words in _specs(config.heads.heads):
        if name in found:
            raise UserError(f"--heads: two heads are called {name}; give each a name of its own")
        found[name] = _config(config, name, words)
    if len(found) < 2:
        raise UserError(f"--heads={config.heads.heads}: give two heads or more; {_FORM}")
    _check_names(found)
    return found


def _specs(text):
    """Yields (name, words) of each head."""
    lexer = shlex.shlex(text, posix=True, punctuation_chars=";")
    lexer.whitespace_split = True
    try:
        words = list(lexer)
    except ValueError as error:
        raise UserError(f"--heads={text}: {error}; {_FORM}") from error
    parts = [[]]
    for word in words:
        parts = [*parts, []] if set(word) == {";"} else [*parts[:-1], [*parts[-1], word]]
    for part in filter(None, parts):
        name = part[0].removesuffix(":")
        if name == part[0] or not _NAME.fullmatch(name):
            raise UserError(f"--heads: '{part[0]}' is no name of a head; {_FORM}")
        yield name, part[1:]


def _config(config, name, words):
    types = {field.name: type(field.default) for group in GROUPS.values() for field in dataclasses.fields(group)}
    own = {field.name for group in _OWN_GROUPS for field in dataclasses.fields(GROUPS[group])} | set(_OWN)
    given = {}
    try:
        for setting in flagfile.expand(words, types):
            if setting.name in own:
                given[setting.name] = _typed(setting, types[setting.name])
            elif not setting.file:  # a head may take a flagfile whole: what it says of the run does not count
                raise UserError(f"--{setting.name} is of the whole run; give it outside of --heads")
        values = config.flat() | {"task": "classification", "heads": "", "metric": "auto"} | given
        head = Config.from_flat(values)
        head.validate()
    except UserError as error:
        raise UserError(f"--heads, {name}: {error}") from error
    if head.model.task not in HEADS:
        raise UserError(f"--heads, {name}: --task={head.model.task}: allowed for a head are {', '.join(HEADS)}")
    if head.data.text_pair_column:
        raise UserError(f"--heads, {name}: --text_pair_column: heads take one text a row; leave it out")
    if head.decision.needs_vectors():
        raise UserError(
            f"--heads, {name}: allowed for a head are --out_of_scope=max_softmax or energy, with --in_scope_kept; a "
            "distance and texts out of scope are of --task=classification by itself"
        )
    return head


def _typed(setting, kind):
    if kind is bool:
        return setting.value in (None, "true", "True", "1")
    try:
        return kind(setting.value)
    except ValueError as error:
        raise UserError(f"--{setting.name}={setting.value}: allowed is a number") from error


def _check_names(heads):
    """Outputs are named HEAD_output: no two may be one."""
    for name in heads:
        other = next((each for each in heads if each != name and each.startswith(f"{name}_")), None)
        if other:
            raise UserError(f"--heads: {other} begins with {name}_, and its outputs with those of {name}; rename one")
