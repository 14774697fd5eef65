"""Flags: one per field of Config, made from the field's type, default, help and choices; the only absl flags here.

`parse` goes through trainer.flagfile first, so that a mistake in a flagfile is an error with file and line.
"""

import dataclasses
import difflib
import os
import shutil
import textwrap

from absl import flags

from trainer import config as config_lib
from trainer import flagfile
from trainer.heads import head_configs

render = flagfile.render  # rooms that may not see absl take it from trainer.flagfile
HELP = ("help", "helpfull", "helpshort", "h", "?")
_WANTED = {bool: "true or false", int: "a whole number", float: "a number"}
_USAGE = """usage: python -m trainer.main [--flagfile=FILE] [--name=value ...]
Later flags win over earlier ones; a flagfile counts where it stands. Booleans: --export, --noexport, --export=false."""


def fields():
    """(group name, field) of every setting, in the order of Config."""
    return [(name, field) for name, group in config_lib.GROUPS.items() for field in dataclasses.fields(group)]


def define():
    """A fresh absl FlagValues with one flag per field; not absl's global one, so that two runs share nothing."""
    values = flags.FlagValues()
    for _, field in fields():
        kind, choices = type(field.default), field.metadata["choices"]
        options = {"flag_values": values, "help": field.metadata["help"], "allow_using_method_names": True}
        if choices:
            flags.DEFINE_enum(field.name, field.default, list(choices), **options)
        else:
            definition = {bool: flags.DEFINE_bool, int: flags.DEFINE_integer, float: flags.DEFINE_float}
            definition.get(kind, flags.DEFINE_string)(field.name, field.default, **options)
    return values


def parse(arguments):
    """The validated Config of a command line (without the program's name).

    Raises UserError; SystemExit(0) after printing the help.
    """
    if any(word.lstrip("-").partition("=")[0] in HELP for word in arguments if word.startswith("-")):
        print(help_text(), flush=True)
        raise SystemExit(0)
    values = define()
    kinds = {field.name: type(field.default) for _, field in fields()}
    seen = {}
    for setting in flagfile.expand(arguments, kinds):
        _set(values[setting.name], setting)
        _check_twice(seen, setting, values[setting.name].value)
    config = config_lib.Config.from_flat({name: values[name].value for name in kinds})
    config.validate()
    if config.heads.heads:
        head_configs(config)
    return config


def _set(flag, setting):
    """Gives one setting to its absl flag; no shell opens the ~ of `--workdir=~/runs`, so it is done here."""
    value = "true" if setting.value is None else setting.value
    value = os.path.expanduser(value) if value.startswith("~/") else value
    _check_text(setting, value)
    try:
        flag.parse(value)
    except flags.IllegalFlagValueError as error:
        wanted = _WANTED.get(type(flag.default)) or _allowed(value, flag.parser.enum_values)
        raise config_lib.UserError(f"{setting.where}--{setting.name}={value}: allowed is {wanted}") from error
    flag.using_default_value = False


def _allowed(value, choices):
    near = difflib.get_close_matches(value.lower(), choices, n=1)
    return ", ".join(choices) + (f"; did you mean {near[0]}?" if near else "")


def _check_text(setting, value):
    """Refuses what flags.txt could not carry to the next run: line breaks, and bytes that are not UTF-8."""
    if "\n" in value or "\r" in value:
        raise config_lib.UserError(f"{setting.where}--{setting.name}: line breaks are not allowed in a value")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise config_lib.UserError(f"{setting.where}--{setting.name}={value!a}: not UTF-8") from error


def _check_twice(seen, setting, value):
    """The last of two lines of one file would win silently; overriding another file or the command line is fine."""
    if not setting.file:
        return
    line, first = seen.setdefault((setting.file, setting.name), (setting.line, value))
    if first != value:
        raise config_lib.UserError(
            f"{setting.where}--{setting.name}={value} again: line {line} says --{setting.name}={first}; keep one"
        )


def help_text(width=None):
    """Every flag by group, with default and choices."""
    width = min(width or shutil.get_terminal_size((100, 24)).columns, 120)
    lines = [_USAGE]
    for group, settings in config_lib.GROUPS.items():
        lines += ["", f"{group}:"]
        for field in dataclasses.fields(settings):
            lines += [*_head(field), *_wrapped(field.metadata["help"], width)]
    return "\n".join(lines)


def _head(field):
    """A flag's name, choices and default: a line, or two where one would be too long."""
    choices = "|".join(field.metadata["choices"] or [_KINDS[type(field.default)]])
    default = f"(default: {flagfile.exact(field.default, type(field.default)) or 'empty'})"
    line = f"  --{field.name}={choices}"
    return [f"{line}  {default}"] if len(line) + len(default) < _LONGEST else [line, " " * 6 + default]


def _wrapped(text, width):
    return textwrap.wrap(text, max(width, 40), initial_indent=" " * 6, subsequent_indent=" " * 6)


_LONGEST = 119  # of what stands before the two spaces and the default, with it
_KINDS = {bool: "true|false", int: "INT", float: "FLOAT", str: "TEXT"}
