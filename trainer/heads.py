"""What --heads says: several tasks over one encoder, each with flags of its own."""

import dataclasses
import re
import shlex

from trainer import flagfile
from trainer.config import GROUPS, HEADS, Config, UserError

_OWN_GROUPS = ("data", "target", "decision")
_OWN = ("task", "label_smoothing", "focal_gamma", "loss_weight")
_OF_VECTORS = {field.name for field in dataclasses.fields(GROUPS["embedding"])}
_SEARCHES = ("faq", "faq_answers")
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
    given = {}
    try:
        settings = list(flagfile.expand(words, types))
        task = next((each.value for each in reversed(settings) if each.name == "task"), "classification")
        own = _own_flags(task)
        for setting in settings:
            if setting.name in own:
                given[setting.name] = _typed(setting, types[setting.name])
            elif not setting.file:  # a head may take a flagfile whole: what it says of the run does not count
                raise UserError(_refusal(setting.name, task))
        values = config.flat() | {"task": "classification", "heads": "", "metric": "auto"} | given
        head = Config.from_flat(values)
        head.validate()
    except UserError as error:
        raise UserError(f"--heads, {name}: {error}") from error
    if head.model.task not in HEADS:
        raise UserError(f"--heads, {name}: --task={head.model.task}: allowed for a head are {', '.join(HEADS)}")
    if head.data.text_pair_column and head.model.task != "embedding":
        raise UserError(
            f"--heads, {name}: --text_pair_column: a head of --task={head.model.task} takes one text a row; leave it "
            "out, or give --task=embedding"
        )
    if head.decision.needs_vectors():
        raise UserError(
            f"--heads, {name}: allowed for a head are --out_of_scope=max_softmax or energy, with --in_scope_kept; a "
            "distance and texts out of scope are of --task=classification by itself"
        )
    return head


def _own_flags(task):
    """Names of the flags that a head of this task has of its own."""
    own = {field.name for group in _OWN_GROUPS for field in dataclasses.fields(GROUPS[group])} | set(_OWN)
    return own | _OF_VECTORS | {"pooling"} if task == "embedding" else own


def _refusal(flag, task):
    """Why a head of this task may not have a flag, and what next."""
    if flag in _OF_VECTORS:
        return f"--{flag}: a head of --task={task} learns no vectors; leave it out, or give --task=embedding"
    if flag in _SEARCHES:
        return f"--{flag}: heads answer no search; leave it out: --task=embedding alone does"
    return f"--{flag} is of the whole run; give it outside of --heads"


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
