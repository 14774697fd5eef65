"""A command line of the serving rooms: absl flags in, one `error:` line and the shared exit codes out.

Exit codes: 0 done, 2 the user's mistake, 3 refused by the proof, 4 server not reachable, 5 environment (disk, memory,
device, port), 130 interrupted.
"""

import errno
import sys

from absl import app, flags

from serving.contract import ServingError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def run(main):
    """Parses the flags, calls `main(positional arguments)` and exits with what it returns (None counts as 0)."""
    flags.FLAGS.set_gnu_getopt(True)  # flags may follow the subcommand
    app.run(lambda argv: sys.exit(_guarded(main, argv[1:])), flags_parser=_parse)


def fail(message, exit_code=2):
    """Prints the one error line; returns the exit code."""
    print(f"error: {' '.join(str(message).split())}", file=sys.stderr, flush=True)
    return exit_code


def _parse(argv):
    try:
        return flags.FLAGS(argv)
    except flags.Error as error:
        sys.exit(fail(f"{str(error).replace(' ?', '?')}; --help lists the flags"))
    except SystemExit:
        sys.exit(0)  # only --help and its kin leave here, and absl calls that a failure


def _guarded(main, arguments):
    try:
        return main(arguments) or 0
    except ServingError as error:
        return fail(error, error.exit_code)
    except KeyboardInterrupt:
        return fail("interrupted", 130)
    except MemoryError:
        return fail("out of memory; close other programs or take a machine with more", 5)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        advice = "; free some space and run the same command again" if error.errno in _FULL else ""
        return fail(f"{where}{error.strerror or error}{advice}", 5)
