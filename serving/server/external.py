"""The real server as a child process: started, waited for until it answers, signals passed on, its exit status kept."""

import contextlib
import signal
import subprocess
import sys

from serving import models_config
from serving.contract import ServingError
from serving.server import ports, ready
from serving.server.options import present_versions
from serving.status_probe import StatusProbe, speaks_tls

_POLL_SECONDS = 0.2


def serve(options, command):
    """Runs `command` to its end; returns its exit status, or 0 after SIGTERM and 130 after SIGINT to this process.

    ServingError with the status as exit code where it ended before it served.
    """
    # A group of its own, so that Ctrl-C reaches it once, through here. Its log goes to stderr: stdout is for READY.
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sys.stderr, process_group=0)
    with _signals_passed_to(child) as received:
        version = _wait_until_ready(child, options)
        if version is not None:
            rest = ports.address(options.host, options.rest_api_port) if options.rest_api_port else None
            ready.announce(options.model_name, version, ports.address(options.host, options.port), rest)
        status = child.wait()
    if received:
        return 130 if received[0] == signal.SIGINT else 0
    if version is None:
        raise ServingError(
            f"{options.engine} ended with status {status} before it served {options.model_name}; see its log above",
            exit_code=_exit_code(status) or 5,
        )
    return _exit_code(status)


def _wait_until_ready(child, options):
    """The version that became AVAILABLE; None where the child ended first."""
    if options.ssl_config_file:
        return _wait_for_handshake(child, options)
    with StatusProbe(ports.address(options.host, options.port), options.model_name) as probe:
        while child.poll() is None:
            available = probe.available()
            if available:
                return max(available)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(_POLL_SECONDS)
    return None


def _wait_for_handshake(child, options):
    """The same where the server may let only its own clients in: its port opens when it has loaded."""
    while child.poll() is None:
        if speaks_tls(ports.address(options.host, options.port)):
            return max(present_versions(options.model_base_path or _first_model(options)))
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(_POLL_SECONDS)
    return None


def _first_model(options):
    return models_config.read(options.model_config_file).model_config_list.config[0].base_path


@contextlib.contextmanager
def _signals_passed_to(child):
    """SIGTERM and SIGINT end the child politely; gives the list of those that came."""
    received = []

    def pass_on(number, _):
        received.append(number)
        if child.poll() is None:
            child.terminate()

    before = {number: signal.signal(number, pass_on) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if child.poll() is None:  # only an error of our own comes here with a living child
            child.kill()
            child.wait()


def _exit_code(status):
    """A shell's view of a status: a child killed by signal N counts as 128 + N."""
    return status if status >= 0 else 128 - status
