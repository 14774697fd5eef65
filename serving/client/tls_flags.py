"""--tls and --tls_*: the Tls of a command line."""

from .tls import Tls

_FLAGS = {
    "ca": ("FILE", "PEM file of the CA that signed the server's certificate; default: the public ones"),
    "certificate": ("FILE", "PEM file of this client's own certificate, for a server that wants one"),
    "key": ("FILE", "PEM file of that certificate's key"),
    "server_name": ("NAME", "name in the server's certificate, where it is not the one in --target"),
}


def add_tls_flags(parser):
    """Gives an argparse parser the flags of a TLS connection."""
    parser.add_argument("--tls", action="store_true", help="talk TLS; each of --tls_* says so too")
    for name, (what, said) in _FLAGS.items():
        parser.add_argument(f"--tls_{name}", metavar=what, help=said)


def tls_of(args):
    """The Tls that parsed arguments ask for, or None."""
    given = {name: getattr(args, f"tls_{name}") for name in _FLAGS}
    return Tls(**given) if args.tls or any(value is not None for value in given.values()) else None
