"""The flags of python -m serving.load, checked before anything is sent."""

import argparse
import math
import pathlib
import sys

from serving.client.tls_flags import add_tls_flags
from serving.contract import ServingError
from serving.load.schedule import ARRIVALS
from serving.nearest import did_you_mean


class _Parser(argparse.ArgumentParser):
    """argparse whose mistakes are a ServingError of one line."""

    def error(self, message):
        raise ServingError(f"{message}; see --help")

    def check_names(self, arguments):
        """Raises ServingError for a flag that there is not, with the one that was probably meant: argparse itself
        would first complain of flags that are missing."""
        for name in (word.partition("=")[0] for word in arguments):
            if name.startswith("--") and name not in self._option_string_actions:
                near = did_you_mean(name, self._option_string_actions)
                raise ServingError(f"there is no flag {name}; {near or 'see --help'}")


def parse(argv=None):
    """The settings of a load, of command-line words; ServingError for flags that make none."""
    parser = _parser()
    parser.check_names(sys.argv[1:] if argv is None else argv)
    settings = parser.parse_args(argv)
    if settings.concurrency and settings.arrivals:
        raise ServingError("--arrivals is for --rate: callers of --concurrency ask when they have their last answer")
    settings.arrivals = settings.arrivals or "constant"
    picture = settings.picture
    if picture and (picture.suffix.lower() != ".png" or not picture.parent.is_dir()):
        raise ServingError(f"--picture={picture}: give the name of a .png file in a folder that exists")
    return settings


def _parser():
    parser = _Parser(
        prog="python -m serving.load",
        description="Sends real texts to a model in TensorFlow Serving over gRPC, and says how it bore them. Requests "
        "are those of serving.client, without its retries.",
        epilog="Exit codes: 0 done, 2 a mistake in flags or texts, 3 --verify found texts with too many answers, "
        "4 the server does not answer, 5 the picture cannot be written, 130 interrupted (what was measured is shown).",
        allow_abbrev=False,
    )
    _add_target(parser)
    _add_load(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument("--picture", metavar="FILE", type=pathlib.Path, help="draw the result, too: a .png file")
    return parser


def _add_target(parser):
    parser.add_argument("--target", default="localhost:8500", help="HOST:PORT of the gRPC port (default %(default)s)")
    parser.add_argument("--model", required=True, help="name of the model in the server")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--version", type=_whole(0), help="version to ask; default: the newest")
    which.add_argument("--label", help="label of the version to ask, such as stable or canary")
    parser.add_argument("--signature", help="signature to ask (default serving_default)")
    parser.add_argument(
        "--deadline", type=_over_zero, default=10.0, help="seconds for each request (default %(default)g)"
    )
    add_tls_flags(parser)


def _add_load(parser):
    parser.add_argument("--texts", metavar="FILE", required=True, help="texts to send, one per line; - is stdin")
    parser.add_argument("--text_pairs", metavar="FILE", help="second text of each pair, line by line")
    loop = parser.add_mutually_exclusive_group(required=True)
    loop.add_argument(
        "--rate",
        type=_over_zero,
        help="open loop: requests a second, sent when they are due whether or not the server keeps up",
    )
    loop.add_argument(
        "--concurrency",
        type=_whole(1),
        help="closed loop: callers that each ask again once they have their answer, so that a stall holds them up too",
    )
    parser.add_argument("--arrivals", choices=ARRIVALS, help="gaps between requests of --rate (default constant)")
    parser.add_argument("--seconds", type=_over_zero, default=10.0, help="what is measured (default %(default)g)")
    parser.add_argument(
        "--warmup_seconds", type=_from_zero, default=2.0, help="sent before that, not measured (default %(default)g)"
    )
    parser.add_argument("--batch_size", type=_whole(1), default=1, help="texts in a request (default %(default)s)")
    parser.add_argument(
        "--seed", type=int, default=0, help="of the order of texts and of arrivals (default %(default)s)"
    )
    parser.add_argument(
        "--verify",
        metavar="N",
        nargs="?",
        const=1,
        type=_whole(1),
        help="compare the answers to each text, warm-up included: at most N distinct ones are right (1 unless given; "
        "2 while one version takes over from another)",
    )
    parser.add_argument(
        "--tolerance",
        type=_from_zero,
        default=1e-4,
        help="by which the numbers of answers that --verify takes for one may differ (default %(default)g)",
    )


def _whole(least):
    def whole(text):
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"must be a whole number from {least} on, not {text!r}")
        return int(text)

    return whole


def _over_zero(text):
    if (value := _from_zero(text)) == 0:
        raise argparse.ArgumentTypeError("must be more than 0")
    return value


def _from_zero(text):
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"must be a number from 0 on, not {text!r}")
    return value
