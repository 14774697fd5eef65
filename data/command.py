"""The frame of this room's command lines: absl flags in, one `error:` line and the shared exit codes out."""

import errno
import os
import sys

from absl import flags

from trainer.config import DataConfig, UserError

_FULL = (errno.ENOSPC, errno.EDQUOT)
_HELP = ("--help", "-h", "--helpfull", "--helpshort")


def guarded(run, arguments=None, interrupted="interrupted"):
    """Calls `run(arguments)`, by default those of the process; returns the exit code, 0 where it returns None."""
    try:
        code = run(sys.argv[1:] if arguments is None else arguments)
        sys.stdout.flush()
        return code or 0
    except UserError as error:
        return _fail(error, error.exit_code)
    except KeyboardInterrupt:
        print(interrupted, file=sys.stderr)
        return 130
    except BrokenPipeError:  # whoever read our output has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except MemoryError:
        return _fail("out of memory; close other programs or take a machine with more", 5)
    except OSError as error:
        advice = "; free some space and run the same command again" if error.errno in _FULL else ""
        return _fail(f"{error.filename or 'the disk'}: {error.strerror or error}{advice}", 5)


def parse(values, name, arguments, help_text):
    """The positional arguments of a command line, its flags set in `values`; None after printing the help.

    Raises UserError for flags that are not allowed.
    """
    if any(word in _HELP for word in arguments):
        print(help_text)
        return None
    values.set_gnu_getopt(True)  # flags may follow the files
    try:
        return values([name, *arguments])[1:]
    except flags.Error as error:
        raise UserError(f"{error}; see python -m data.{name} --help") from None


def define_columns(values):
    """The column flags, as training has them, but that each may name several columns."""
    for name in ("text_column", "text_pair_column", "label_column"):
        field = DataConfig.__dataclass_fields__[name]
        about = f"{field.metadata['help']} NAME,NAME: the first that a file has."
        flags.DEFINE_string(name, field.default, about, flag_values=values)


def flag_lines(values):
    """Each flag and what it does, a line each."""
    return [f"  --{name:<20}{values[name].help}" for name in values]


def _fail(message, code):
    print("error: " + " ".join(str(message).split()), file=sys.stderr)
    return code
