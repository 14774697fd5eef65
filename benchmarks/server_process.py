"""A server that can be killed and started again on the same port, and what it weighs."""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

from benchmarks.stages import StageFailed

_READY_SECONDS = 120


class ServerProcess:
    """`python -m serving.server --engine=embedded` with these flags on a port of its own; a context manager.

    rest: whether it has a REST port, too.
    """

    def __init__(self, *arguments, rest=False):
        self.port, rest_port = _free_port(), _free_port() if rest else 0
        self.address, self.rest_address = f"127.0.0.1:{self.port}", f"127.0.0.1:{rest_port}" if rest else None
        self._words = [sys.executable, "-m", "serving.server", "--engine=embedded", f"--rest_api_port={rest_port}"]
        self._words += [f"--port={self.port}", *arguments]
        self._process = None

    def start(self):
        """Starts it and returns when it is ready; raises StageFailed where it ends instead."""
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "errors": "replace"}
        self._process = subprocess.Popen(self._words, **pipes)
        ready = self._process.stdout.readline()
        if not ready.startswith("READY"):
            print(self._process.stderr.read(), file=sys.stderr)
            raise StageFailed(self._process.wait())
        os.set_blocking(self._process.stderr.fileno(), False)
        return time.monotonic()

    def kill(self):
        """SIGKILL, as a node that goes down; returns when."""
        self._process.send_signal(signal.SIGKILL)
        self._end()
        return time.monotonic()

    def ended(self):
        """Its exit code; None while it runs."""
        return self._process.poll()

    def resident_mb(self):
        """Memory that it holds now."""
        pages = int(pathlib.Path(f"/proc/{self._process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGESIZE") / 2**20

    def drain(self):
        """Reads what it has logged, so that it never waits for that."""
        with contextlib.suppress(TypeError):  # nothing there
            self._process.stderr.read()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        if self._process.poll() is None:
            self._process.terminate()
        self._end()

    def _end(self):
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for stream in (self._process.stdout, self._process.stderr):
            stream.close()


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
