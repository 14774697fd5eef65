"""Which server serves: the real one where there is one, the embedded one else; and what to say about it."""

import dataclasses
import os
import platform
import shlex
import shutil
import signal
import subprocess
import sys

from serving.contract import ServingError
from serving.server import arenas, commands, ports

_DAEMON_SECONDS = 5  # a docker whose daemon hangs must not hold up the start


def serve(options):
    """Serves with the engine that the options name until a signal; returns the exit code."""
    engine, why = choose(options)
    options = dataclasses.replace(options, engine=engine)
    if engine != "embedded":
        from serving.server import external

        options = _claimed(options)
        _say(f"engine {engine}{why}{_listening(options)}")
        return external.serve(options, _command(options))
    for flag, port in (("--port", options.port), ("--rest_api_port", options.rest_api_port)):
        if port:
            ports.claim(options.host, port, flag)  # refuse before TensorFlow loads
    _say(f"engine embedded{why}. {how_to_get_the_real_one(options)}")
    for number, status in ((signal.SIGTERM, 0), (signal.SIGINT, 130)):
        signal.signal(number, lambda *_, status=status: os._exit(status))  # until it serves there is nothing to finish
    arenas.limit()  # before TensorFlow starts its threads
    from serving.server import embedded, xla

    xla.disable()  # for the whole process, which is the server's own
    return embedded.serve(options)


def choose(options):
    """(engine, why in brackets); ServingError (exit 5) where the one that was asked for is not there."""
    if options.engine == "embedded":
        return "embedded", ""
    asked = ("tensorflow_model_server", "docker") if options.engine == "auto" else (options.engine,)
    checks = {"tensorflow_model_server": _lacks_model_server, "docker": _lacks_docker}
    lacking = []
    for engine in asked:
        lack = checks[engine](options)
        if lack is None:
            return engine, ""
        lacking.append(lack)
    if options.engine != "auto":
        raise ServingError(
            f"--engine={options.engine}: {lacking[0]}; install it or take --engine=embedded", exit_code=5
        )
    return "embedded", f" ({'; '.join(lacking)})"


def how_to_get_the_real_one(options):
    """One line: the Debian package and, of one folder, the docker command that serves the same."""
    package = (
        f"The real TensorFlow Serving: apt-get install tensorflow-model-server (with {commands.DEBIAN_SOURCE!r} "
        "in /etc/apt/sources.list.d)"
    )
    if options.model_config_file:  # whose folders no one mount holds
        return package
    rest_api_port = 8501 if options.rest_api_port is None else options.rest_api_port
    command = commands.docker_command(
        dataclasses.replace(options, port=options.port or 8500, rest_api_port=rest_api_port)
    )
    return f"{package}, or: {shlex.join(command)}"


def _lacks_model_server(_):
    return None if shutil.which("tensorflow_model_server") else "no tensorflow_model_server on PATH"


def _lacks_docker(options):
    if options.model_config_file:
        return "docker mounts one folder, and models.config may name many"
    if not shutil.which("docker"):
        return "no docker on PATH"
    if not _succeeds(["docker", "info"], timeout=_DAEMON_SECONDS):
        return "docker has no running daemon"
    if options.engine == "docker":
        return None  # asked for by name: docker's own words about the image are what the user wants to read
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return f"no TensorFlow Serving image for {platform.machine()}"
    name = commands.image(options)
    if _succeeds(["docker", "image", "inspect", name], timeout=_DAEMON_SECONDS):
        return None
    _say(f"fetching the image {name}")
    return None if _succeeds(["docker", "pull", name], stdout=sys.stderr) else f"docker cannot fetch {name}"


def _succeeds(command, timeout=None, stdout=subprocess.DEVNULL):
    try:
        result = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.DEVNULL, timeout=timeout
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return result.returncode == 0


def _claimed(options):
    """The options with ports that are free now; the real server would share a taken one in silence."""
    host = "0.0.0.0" if options.engine == "tensorflow_model_server" else options.host
    port, rest_api_port = ports.claim(host, options.port), options.rest_api_port
    if rest_api_port != 0:
        rest_api_port = ports.claim(host, rest_api_port or 0, "--rest_api_port")
    return dataclasses.replace(options, port=port, rest_api_port=rest_api_port)


def _listening(options):
    if options.engine == "docker":
        return f", image {commands.image(options)}"
    return ", listening on every address of this machine (it has no flag for one)"


def _command(options):
    return commands.docker_command(options) if options.engine == "docker" else commands.model_server_command(options)


def _say(line):
    print(line, file=sys.stderr, flush=True)
