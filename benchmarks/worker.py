"""One side of a paired benchmark as a process that stays warm and answers one JSON line per request.

The other end is `benchmarks.peers.answering`. A worker says in its first line that it is ready and what versions it
runs; each request line `{"name": value}` gets one reply line. What it prints besides goes to a file, of which only the
last line is ever shown, and only where the worker fails.
"""

import dataclasses
import json
import os
import pathlib
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BENCH_PYTHON = ROOT / ".venv-bench/bin/python"
# Peers at their best: their tokenizers may use all cores; nobody may ask a hub.
ENVIRONMENT = {"TOKENIZERS_PARALLELISM": "true", "HF_HUB_OFFLINE": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}


class Skipped(Exception):
    """A peer that cannot run here, by the reason that is printed."""


class WorkerFailed(Exception):
    """A worker that could not answer: one line."""

    exit_code = 1


@dataclasses.dataclass(frozen=True)
class Side:
    """Name in the table; command line of the worker; whether it is ours, which all others are compared with."""

    name: str
    command: tuple
    ours: bool = False


class Worker:
    """A running side; a context manager. Raises Skipped where its environment is missing, WorkerFailed else."""

    def __init__(self, side):
        self.side, self._log = side, tempfile.TemporaryFile("w+")
        words = list(map(str, side.command))
        if not pathlib.Path(words[0]).is_file():
            raise Skipped(f"{words[0]} is not there (make bench)")
        self._process = subprocess.Popen(
            words,
            cwd=ROOT,
            env=os.environ | ENVIRONMENT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        try:
            self.versions = self._reply()["versions"]
        except BaseException:
            self.close()
            raise

    def ask(self, request):
        """The reply `{name: value}` to one request of the same form; waits as long as it takes."""
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise WorkerFailed(self._ending()) from None
        return self._reply()

    def close(self):
        """Ends the process: with its stdin, so that it clears up after itself; else by force."""
        try:
            self._process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
        self._log.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _reply(self):
        line = self._process.stdout.readline()
        if not line:
            raise WorkerFailed(self._ending())
        reply = json.loads(line)
        if "missing" in reply:
            raise Skipped(reply["missing"])
        if "error" in reply:
            raise WorkerFailed(f"{self.side.name}: {reply['error']}")
        return reply

    def _ending(self):
        code = self._process.wait()
        self._log.seek(0)
        said = [line.strip() for line in self._log if line.strip()]
        return f"{self.side.name}: ended with exit code {code}: {said[-1] if said else 'it said nothing'}"
