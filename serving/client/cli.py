"""python -m serving.client --target=HOST:PORT --model=NAME TEXT…: asks a served model from the command line."""

import argparse
import contextlib
import difflib
import json
import os
import sys
import warnings

from .client import Client
from .errors import SlipwayError, one_line
from .table import table_of
from .tensors import encode_text
from .tls_flags import add_tls_flags, tls_of

_STDIN = "-"
_LONGEST_ERROR = 1000


class _Parser(argparse.ArgumentParser):
    """argparse with mistakes told in one line, and the flag that was probably meant."""

    def error(self, message):
        known = [option for action in self._actions for option in action.option_strings]
        words = [word.partition("=")[0] for word in message.split() if word.startswith("--")]
        near = difflib.get_close_matches(words[0], known, 1) if "unrecognized" in message and words else []
        raise ValueError(f"{message}; {'did you mean ' + near[0] + '?' if near else 'see --help'}")


def _parser():
    parser = _Parser(
        prog="slipway-client" if __package__ == "slipway_client" else "python -m serving.client",
        description="Asks a model in TensorFlow Serving over gRPC.",
        epilog="Exit codes: 0 done, 2 a mistake in the request, 4 the server does not answer, 130 interrupted.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "texts", metavar="TEXT", nargs="*", help="texts to ask about; - reads them from stdin, one per line"
    )
    parser.add_argument(
        "--target",
        default="localhost:8500",
        help="HOST:PORT of the gRPC port (default %(default)s), or of several servers, with commas between",
    )
    parser.add_argument("--model", required=True, help="name of the model in the server")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--version", type=int, help="version to ask; default: the newest")
    which.add_argument("--label", help="label of the version to ask, such as stable or canary")
    parser.add_argument("--text_pair", action="append", metavar="TEXT", help="second text of a pair; once per TEXT")
    parser.add_argument("--signature", help="signature to ask (default serving_default)")
    parser.add_argument("--deadline", type=float, default=10.0, help="seconds for each request (default %(default)g)")
    add_tls_flags(parser)
    parser.add_argument("--token_file", metavar="FILE", help="file of the token to send, as `authorization: Bearer …`")
    parser.add_argument(
        "--token_in_clear", action="store_true", help="send it without TLS to another machine than this one too"
    )
    parser.add_argument("--stats", action="store_true", help="print what was asked, and how long it took, to stderr")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--status", action="store_true", help="print the versions in the server instead")
    instead.add_argument("--contract", action="store_true", help="print the model's contract instead")
    instead.add_argument(
        "--ready", action="store_true", help="wait until the model can be asked, up to the deadline, instead"
    )
    return parser


def main(argv=None):
    """Runs one command; returns its exit code. Results go to stdout, one line of error to stderr."""
    try:
        args = _parser().parse_args(argv)
        with _open(args) as client, _told(client.stats, args):
            return _run(client, args)
    except SlipwayError as error:
        return _fail(error, error.exit_code)
    except (TypeError, ValueError) as error:
        return _fail(error, 2)
    except KeyboardInterrupt:
        return 130


def _open(args):
    """The Client that the flags name; what it warns of goes to stderr, one line each."""
    settings = {"version": args.version, "label": args.label, "deadline": args.deadline, "tls": tls_of(args)}
    settings |= {"token": _token(args.token_file), "token_in_clear": args.token_in_clear}
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        client = Client(args.target, args.model, **settings)
    for warning in warned:
        print(f"warning: {warning.message}", file=sys.stderr)
    return client


def _token(path):
    """What stands in the file of that name, or None."""
    if path is None:
        return None
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"--token_file={path} cannot be read: {getattr(error, 'strerror', 'not UTF-8')}") from None


@contextlib.contextmanager
def _told(stats, args):
    """Prints the counts of a command at its end, also where it fails."""
    try:
        yield
    finally:
        if args.stats:
            rows = [row | {"mean": f"{row['mean'] * 1000:.1f} ms"} for row in stats.rows()]
            print(table_of(rows) or "nothing was asked", file=sys.stderr)
            print(f"retries {stats.retries}  failovers {stats.failovers}  halvings {stats.halvings}", file=sys.stderr)


def command():
    """main() for the shell: output is UTF-8 whatever the locale says, and a reader that leaves early is no error."""
    _silence_grpc()
    sys.stdout.reconfigure(encoding="utf-8", errors="replace")
    try:
        code = main()
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains at exit
        return 0


def _silence_grpc():
    """Takes file 2 away from gRPC, which logs failed handshakes there; what this program says goes to a copy of it.

    gRPC reads GRPC_VERBOSITY while it is imported, which is too early to set it here; a user who set it is obeyed.
    """
    if sys.stderr and "GRPC_VERBOSITY" not in os.environ and "GRPC_TRACE" not in os.environ:
        sys.stderr = open(os.dup(2), "w", encoding=sys.stderr.encoding, errors="backslashreplace", buffering=1)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def _fail(error, code):
    print(f"error: {one_line(str(error), _LONGEST_ERROR)}", file=sys.stderr)
    return code


def _run(client, args):
    if args.status or args.contract or args.ready:
        if args.texts:
            raise ValueError("--status, --contract and --ready take no TEXT")
        return _tell(client, args)
    if not args.texts:
        raise ValueError("no text given; add TEXT after the flags, or - to read texts from stdin, one per line")
    columns = {"text": list(_lines(sys.stdin.buffer)) if args.texts == [_STDIN] else args.texts}
    if args.text_pair:
        columns["text_pair"] = args.text_pair
    results = client.predict(columns["text"], text_pairs=args.text_pair, signature=args.signature)
    asked = [dict(zip(columns, map(_as_sent, row), strict=True)) for row in zip(*columns.values(), strict=True)]
    rows = [row | result.to_dict() for row, result in zip(asked, results, strict=True)]
    _show(args, {"results": rows}, list(map(_for_people, rows)))
    return 0


def _for_people(row):
    """A row whose label nobody takes for an answer where the model abstains, whose spans are read at a glance, and that
    says so where a question has no answer."""
    if "entities" in row:
        told = ", ".join(f"{each['text']} ({each['label']})" for each in row["entities"])
        row = row | {"entities": told or "(none)"}
    if "matches" in row:
        row = row | {"matches": ", ".join(f"{each['answer']} ({each['score']:.3f})" for each in row["matches"])}
    if row.get("answerable") is False:
        row = row | {"answer": "(none)"}
    abstains = row.get("abstain") is True and "label" in row
    return row | {"label": f"(abstains) {row['label']}"} if abstains else row


def _as_sent(text):
    return encode_text(text).decode("utf-8")


def _tell(client, args):
    """--ready, --status and --contract."""
    if args.ready:
        ready = client.ready(args.deadline)
        if not ready:
            which = (
                f" version {args.version}" if args.version is not None else f" label {args.label}" if args.label else ""
            )
            raise SlipwayError(
                f"model '{args.model}'{which} at {args.target} is not ready after {args.deadline:g} s; "
                "see --status, and the server's log",
                "UNAVAILABLE",
                args.model,
                args.target,
            )
        print(json.dumps({"target": args.target, "model": args.model, "ready": True}) if args.json else "ready")
    elif args.status:
        rows = [status.to_dict() for status in client.status()]
        _show(args, {"versions": rows}, rows)
    elif client.contract:
        print(json.dumps(client.contract, ensure_ascii=False, indent=2))
    else:
        raise ValueError(f"model '{args.model}' at {args.target} has no contract signature; Slipway did not export it")
    return 0


def _show(args, result, rows):
    if args.json:
        print(json.dumps({"target": args.target, "model": args.model, **result}, ensure_ascii=False))
    else:
        print(table_of(rows))


def _lines(stream):
    """The lines of `stream` as str, without their ends; ValueError names a line that is not UTF-8."""
    for number, line in enumerate(stream, 1):
        try:
            yield line.decode("utf-8").rstrip("\r\n")
        except UnicodeDecodeError:
            raise ValueError(f"stdin:{number} is not UTF-8; convert it first, for example with iconv") from None
