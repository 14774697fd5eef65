"""Ports: a taken one is an error here, since gRPC's SO_REUSEPORT would share it in silence."""

import socket

from serving.contract import ServingError

_BACKLOG = 128
_WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}


def claim(host, port, flag="--port"):
    """The port itself, or for 0 a free one; ServingError (exit 5) where another program listens there already."""
    with listener(host, port, flag) as probe:
        return probe.getsockname()[1]


def listener(host, port, flag):
    """A socket that listens there, for 0 on a free port; ServingError (exit 5) where another program does."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise ServingError(f"--host={host}: {error.strerror or error}; give an address of this machine") from None
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # the last server's closed connections do not count
    try:
        made.bind(address)
        made.listen(_BACKLOG)  # with SO_REUSEADDR two sockets may bind, but only one may listen
    except OSError as error:
        made.close()
        raise ServingError(refusal(host, port, flag, error.strerror), exit_code=5) from None
    return made


def refusal(host, port, flag="--port", reason="Address already in use"):
    """The one line for a port that cannot be had."""
    free = "--port=0 lets the server choose" if flag == "--port" else f"{flag}=0 does without"
    return f"{flag}={port} on {host}: {reason}; stop the other program or give another port ({free})"


def joined(host, port):
    """`host:port`, IPv6 in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def address(host, port):
    """`host:port` that a client on this machine can dial."""
    return joined(_WILDCARDS.get(host, host), port)
