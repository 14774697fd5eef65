"""`python -m data.clean IN --output=OUT`: mends and leaves out what is asked for, nothing else; logs every change."""

import json
import os
import pathlib
import sys

from absl import flags

from data import command
from data.clean.cleaning import Cleaning, check_paths
from data.clean.drops import DROPS
from data.clean.repairs import FIXES
from trainer.config import UserError
from trainer.inputs.columns import SUFFIXES, kind_of, nearest

USAGE = """usage: python -m data.clean FILE --output=FILE [--fix=NAME,...] [--drop=NAME,...] [--leaked_from=FILE,...]
Writes FILE (.csv .tsv .jsonl, also .gz) anew in the same format: other columns, and rows that nothing was wrong with,
stay as they are. Every change goes, line by line, to OUTPUT.changes.jsonl."""
CHANGES = ".changes.jsonl"


def main(arguments=None):
    """Runs the command; returns the exit code of the process."""
    return command.guarded(run, arguments, "interrupted; nothing was written")


def run(arguments):
    """Cleans the file that the command line names and prints what was done."""
    values = define()
    given = command.parse(values, "clean", arguments, help_text(values))
    if given is None:
        return 0
    path, output, log = paths(given, values)
    fixes, drops = names_of("fix", values.fix, FIXES), names_of("drop", values.drop, DROPS)
    leaked_from = [name for name in values.leaked_from.split(",") if name]
    if not (fixes or drops or leaked_from):
        raise UserError("nothing to do: give --fix, --drop or --leaked_from; see python -m data.clean --help")
    check_encoding(values.encoding)
    columns = (values.text_column, values.text_pair_column, values.label_column)
    figures = Cleaning(path, columns, fixes, drops, values.encoding, leaked_from).write(output, log)
    result = {"input": str(path), "output": str(output), "changes": str(log), **figures}
    print(json.dumps(result, ensure_ascii=False) if values.json else listed(result))
    return 0


def paths(given, values):
    """(file to read, file to write, its log). Raises UserError unless one can be read and the others written."""
    if len(given) != 1:
        raise UserError(f"{len(given)} files; give one, and --output=FILE; see python -m data.clean --help")
    if not values.output:
        raise UserError("--output is empty: give the file to write; the one that is read is never changed")
    path, output = (pathlib.Path(os.path.expanduser(name)) for name in (given[0], values.output))
    if kind_of(path) not in SUFFIXES:
        raise UserError(f"{path}: allowed are {', '.join(SUFFIXES)}, each also as .gz")
    log = output.with_name(output.name + CHANGES)
    check_paths(path, output, log)
    return path, output, log


def check_encoding(name):
    """Raises UserError for an encoding of text that Python does not know."""
    try:
        b"a".decode(name)
    except (LookupError, UnicodeError):  # rot13 and the like are codecs, but not of text
        raise UserError(f"--encoding={name}: unknown; e.g. cp1252, gb18030, shift_jis") from None


def names_of(flag, given, known):
    """The names of a comma-separated flag. Raises UserError for one that is not known."""
    names = [name.strip() for name in given.split(",") if name.strip()]
    for name in names:
        if name not in known:
            near = nearest(name, known)
            hint = f"; did you mean {near}?" if near else ""
            raise UserError(f"--{flag}={name}: allowed are {', '.join(known)}{hint}")
    return names


def define():
    """The flags of this command, apart from absl's global ones."""
    values = flags.FlagValues()
    command.define_columns(values)
    texts = {
        "output": ("", "File to write, in the format of the one that is read."),
        "fix": ("", "What to mend, comma-separated; see below."),
        "drop": ("", "Which rows to leave out, comma-separated; see below."),
        "leaked_from": ("", "Files, comma-separated: rows whose text (letters and digits) one holds are left out."),
        "encoding": ("cp1252", "How --fix=encoding reads bytes that are no UTF-8, e.g. gb18030."),
    }
    for name, (default, help_line) in texts.items():
        flags.DEFINE_string(name, default, help_line, flag_values=values)
    flags.DEFINE_bool("json", False, "Print one JSON object instead of lines.", flag_values=values)
    return values


def help_text(values):
    """The usage, each flag, and what can be fixed and dropped."""
    fixes = [f"  {name:<22}{about}" for name, about in FIXES.items()]
    drops = [f"  {name:<22}{about}" for name, about in DROPS.items()]
    return "\n".join([USAGE, "flags:", *command.flag_lines(values), "--fix:", *fixes, "--drop:", *drops])


def listed(result):
    """The figures of a cleaning, a line each."""
    lines = [f"{result['output']}: {result['written']:,} of {result['rows']:,} rows"]
    lines += [f"  fixed    {name:<18}{count:,}" for name, count in result["fixed"].items()]
    lines += [f"  dropped  {name:<18}{count:,}" for name, count in result["dropped"].items()]
    left = result["unreadable"] - result["dropped"].get("malformed", 0)
    if left:
        lines.append(f"  {left:,} rows cannot be read and were left as they are; --drop=malformed leaves them out")
    return "\n".join([*lines, f"every change: {result['changes']}"])


if __name__ == "__main__":
    sys.exit(main())
