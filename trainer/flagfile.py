"""The text of flagfiles: `expand` reads it into settings or says with file:line what is wrong, `render` writes it.

absl takes a line without `--` for a positional argument, keeps quotes and trailing comments in the value, and lets
the last of two lines win, all without a word. Here each of these is an error; nothing reaches absl unchecked.
"""

import dataclasses
import difflib
import os
import pathlib
import re
import sys

from trainer.config import GROUPS, UserError

EXACT = "# slipway: every flag, values exact"  # first line of a written flagfile: its values are taken as they stand
FLAGFILE = "flagfile"
_SHIPPED = pathlib.Path(__file__).parent / "flagfiles"
_COMMENT = re.compile(r"\s(#|//\s)")
_QUOTES = (('"', '"'), ("'", "'"), ("“", "”"), ("‘", "’"))


@dataclasses.dataclass(frozen=True)
class Setting:
    """One flag as it was given; `value` is None for a bare boolean, `where` is `file:line: ` or empty."""

    name: str
    value: str | None
    file: str = ""
    line: int = 0

    @property
    def where(self):
        return f"{self.file}:{self.line}: " if self.file else ""


def expand(arguments, known):
    """Settings in the order in which they count (the last wins), flagfiles opened where they stand.

    `known`: {flag name: type}. Raises UserError.
    """
    settings, rest = [], list(arguments)
    while rest:
        word = rest.pop(0)
        if not word.startswith("-") or not word.strip("-"):
            raise UserError(f"unexpected argument '{word}'{_positional_hint(word, settings, known)}")
        setting = _split(word, known, Setting(word, None))
        if setting.value is None and known.get(setting.name) is not bool:
            setting = dataclasses.replace(setting, value=_next_value(setting.name, rest, known))
        settings += _open(setting, known, ()) if setting.name == FLAGFILE else [setting]
    return settings


def _positional_hint(word, settings, known):
    last = settings[-1] if settings and not settings[-1].file else None
    if last and last.value is None and known.get(last.name) is bool:
        return f": write --{last.name}={word}"
    if word.partition("=")[0] in known:
        return f"; did you mean --{word}?"
    if word.endswith(".flags"):
        return f"; did you mean --flagfile={word}?"
    return ": every setting is a flag, --name=value; see --help"


def _next_value(name, rest, known):
    if not rest or (rest[0].startswith("--") and rest[0][2:].partition("=")[0] in {*known, FLAGFILE}):
        raise UserError(f"--{name} needs a value: --{name}=VALUE")
    return rest.pop(0)


def _split(word, known, at):
    """`--name=value`, `--name` or `--noname` as a Setting; unknown names are errors."""
    name, equals, value = word.lstrip("-").partition("=")
    if name in known or name == FLAGFILE:
        return dataclasses.replace(at, name=name, value=value if equals else None)
    positive = name.removeprefix("no")
    if positive != name and known.get(positive) is bool:
        if equals:
            raise UserError(f"{at.where}--{name} takes no value: write --{positive}={value}")
        return dataclasses.replace(at, name=positive, value="false")
    raise UserError(f"{at.where}unknown flag --{name}{_nearest_flag(name, known)}")


def _nearest_flag(name, known):
    names = [*known, FLAGFILE, *("no" + other for other, kind in known.items() if kind is bool)]
    near = difflib.get_close_matches(name.replace("-", "_").lower(), names, n=1)
    return f"; did you mean --{near[0]}?" if near else "; see --help for all flags"


def _open(setting, known, opened):
    """All settings of the flagfile that `setting` names; `opened`: the files that include it, outermost first."""
    path = _find(setting)
    real = os.path.realpath(path)
    if real in opened:
        raise UserError(f"{setting.where}--flagfile={setting.value}: the file includes itself")
    lines, settings = _read_lines(path, setting.where), []
    exact = bool(lines) and lines[0].rstrip() == EXACT
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith(("#", "//")):
            continue
        inner = _read_line(line, known, Setting("", None, str(path), number), exact)
        settings += _open(inner, known, (*opened, real)) if inner.name == FLAGFILE else [inner]
    return settings


def _find(setting):
    """Path of a flagfile: from the current folder as absl does, else beside the file that includes it."""
    if not setting.value:
        raise UserError(f"{setting.where}--flagfile is empty: give --flagfile=FILE")
    given = pathlib.Path(os.path.expanduser(setting.value))
    if _is_file(given):
        return given
    folder = pathlib.Path(setting.file).parent
    for beside in (folder / given, folder / given.name) if setting.file else ():
        if _is_file(beside):
            print(f"note: {setting.where}{given} is not in the current folder; taking {beside}", file=sys.stderr)
            return beside
    raise UserError(f"{setting.where}--flagfile={setting.value}: {_missing(given, setting)}")


def _is_file(path):
    return os.path.exists(path) and not os.path.isdir(path)  # a pipe will do: --flagfile=<(…)


def _missing(given, setting):
    if os.path.isdir(given):
        return "this is a folder; name a file in it"
    folders = [given.parent, _SHIPPED] if os.path.isdir(given.parent) else [_SHIPPED]
    files = {path.stem: path for folder in reversed(folders) for path in folder.glob("*.flags")}
    near = difflib.get_close_matches(given.stem, files, n=1)
    hint = f"; did you mean {os.path.relpath(files[near[0]])}?" if near else f"; the current folder is {os.getcwd()}"
    return ("no such file here or beside the file that includes it" if setting.file else "no such file") + hint


def _read_lines(path, where):
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UserError(f"{where}--flagfile={path}: cannot be read: {error.strerror}") from error
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise UserError(f"{path}:{line}: not UTF-8; save the flagfile as UTF-8") from error
    return text.replace("\r\n", "\n").split("\n")  # not splitlines(): a value may hold U+2028


def _read_line(line, known, at, exact):
    """One `--name=value` line of a flagfile as a Setting; `exact`: the value may hold anything but a line break."""
    text = line if exact else line.strip()
    if not text.startswith("-"):
        raise UserError(f"{at.where}'{_short(text)}' does not begin with --{_dash_hint(text, known)}")
    name, equals, value = text.lstrip("-").partition("=")
    if re.search(r"\s", name):
        raise UserError(f"{at.where}'{_short(text)}': {_space_hint(name, known)}")
    setting = _split(text, known, at)
    if setting.value is None and known.get(setting.name) is not bool:
        raise UserError(f"{at.where}--{name} needs a value: --{name}=VALUE")
    if equals and not (exact and known.get(setting.name) is str):
        _check_value(name, value, at)
    return setting


def _check_value(name, value, at):
    comment = _COMMENT.search(value)
    if comment:
        raise UserError(
            f"{at.where}a comment after a value becomes part of it: write --{name}={value[: comment.start()].strip()} "
            "and put the comment on a line of its own"
        )
    if value != value.strip():
        raise UserError(f"{at.where}white space round the value: write --{name}={value.strip()}")
    if len(value) > 1 and (value[0], value[-1]) in _QUOTES:
        raise UserError(f"{at.where}quotes become part of the value: write --{name}={value[1:-1]}")


def _dash_hint(text, known):
    bare = text.strip("\"'“”")
    name = re.split(r"[\s=]", bare.lstrip("-"), maxsplit=1)[0]
    if name in known or name == FLAGFILE:
        return f"; did you mean --{bare.lstrip('-')}?"
    return "; comments begin with #, settings with --"


def _space_hint(name, known):
    flag, rest = name.split(None, 1) if len(name.split()) > 1 else (name.strip(), "VALUE")
    if _COMMENT.search(name):
        return "put the comment on a line of its own"
    if known.get(flag) is bool and rest == "VALUE":
        return f"no space before the =; write --{flag}=true or --{flag}=false"
    return f"write --{flag}={rest}, without spaces"


def _short(text):
    return text if len(text) <= 60 else text[:57] + "..."


def render(config):
    """The text of a flagfile that gives `config` again, every flag named and every float exact."""
    lines = [EXACT]
    for group, settings in GROUPS.items():
        lines += ["", f"# {group}"]
        for field in dataclasses.fields(settings):
            value = getattr(getattr(config, group), field.name)
            lines.append(f"--{field.name}={exact(value, type(field.default))}")
    return "\n".join(lines) + "\n"


def values(text):
    """{flag: value text} of a rendered flagfile, whatever flags it names."""
    found = {}
    for line in text.splitlines():
        if line.startswith("--"):
            name, equals, value = line[2:].partition("=")
            found[name] = value if equals else "true"
    return found


def exact(value, kind):
    """A value as its flag reads it back: the shortest digits that give the same float, lower-case booleans."""
    if kind is bool:
        return "true" if value else "false"
    return repr(float(value)) if kind is float else str(value)
