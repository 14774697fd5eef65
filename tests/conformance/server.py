"""The server that is asked: any program with tensorflow_model_server's flags, as a child process on free ports."""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time

import grpc

from tests.conformance.http_caller import HttpCaller
from tests.serving.server.running import Caller

READY_SECONDS = 120
EMBEDDED = (sys.executable, "-m", "serving.server", "--engine=embedded")
# What a test cannot wait for: five retries a minute apart, and a second between two looks for versions.
_ALWAYS = ("--max_num_load_retries=0", "--file_system_poll_wait_seconds=1", "--grpc_max_threads=64")


class Server:
    """A server with these flags; a context manager that leaves no process behind. binary: a path, None: embedded."""

    def __init__(self, binary, *flags, credentials=None):
        self.port, self.rest_port = _free_ports(2)
        self.address, self.credentials = f"127.0.0.1:{self.port}", credentials
        self.rest = HttpCaller(f"127.0.0.1:{self.rest_port}")
        command = [binary] if binary else EMBEDDED
        self._log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [*command, *_ALWAYS, f"--port={self.port}", f"--rest_api_port={self.rest_port}", *flags],
            stdout=self._log,
            stderr=self._log,
        )

    def ready(self, *models):
        """Returns a Caller of the first model when each of `models` has a version that is AVAILABLE."""
        caller = Caller(self.address, models[0], self.credentials)
        until = time.monotonic() + READY_SECONDS
        for model in models:
            while not self._serves(caller, model):
                assert self.process.poll() is None and time.monotonic() < until, self.log()
                time.sleep(0.05)
        return caller

    def ended(self):
        """The exit status of a server that must end by itself."""
        return self.process.wait(READY_SECONDS)

    def log(self):
        """All that it has written so far."""
        with open(f"/proc/self/fd/{self._log.fileno()}", "rb") as file:
            return file.read().decode(errors="replace")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self._log.close()

    @staticmethod
    def _serves(caller, model):
        with contextlib.suppress(grpc.RpcError):
            return any(state == "AVAILABLE" for state, _ in caller.states(model).values())
        return False


def models_config(folder, *models):
    """Writes folder/models.config, replacing it at once; models: {name, base_path, policy, labels}."""
    text = "".join(map(_entry, models))
    path = os.path.join(folder, "models.config")
    with open(f"{path}.new", "w", encoding="utf-8") as file:
        file.write(f"model_config_list {{ {text} }}")
    os.replace(f"{path}.new", path)
    return path


def _entry(model):
    labels = "".join(
        f' version_labels {{ key: "{name}" value: {number} }}' for name, number in model.get("labels", {}).items()
    )
    policy = f"model_version_policy {{ {model['policy']} }}" if "policy" in model else ""
    named = f'name: "{model["name"]}" base_path: "{model["base_path"]}" model_platform: "tensorflow"'
    return f"config {{ {named} {policy}{labels} }}\n"


def _free_ports(count):
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
