"""Commands of Slipway one after the other, a process each, timed; and a server beside them."""

import contextlib
import json
import subprocess
import sys
import time


class StageFailed(Exception):
    """A command of the walk ended badly; it has printed its own error line."""

    def __init__(self, code):
        super().__init__(f"exit code {code}")
        self.exit_code = code


class Walk:
    """Runs the stages and remembers how long each took."""

    def __init__(self):
        self.seconds = {}

    def command(self, stage, module, *arguments):
        """Runs `python -m module arguments --json`; returns the JSON object that it prints."""
        words = [sys.executable, "-m", module, *arguments, "--json"]
        print(f"\n$ python -m {' '.join(words[2:])}", file=sys.stderr, flush=True)
        with self.timed(stage):
            done = subprocess.run(words, stdout=subprocess.PIPE, text=True)
        if done.returncode:
            raise StageFailed(done.returncode)
        return json.loads(done.stdout)

    @contextlib.contextmanager
    def timed(self, stage):
        """Adds the time within to the table under the name `stage`."""
        start = time.monotonic()
        yield
        self.seconds[stage] = round(time.monotonic() - start, 1)

    @contextlib.contextmanager
    def server(self, base_path, *arguments):
        """A running serving.server on a free port; yields its address."""
        words = [sys.executable, "-m", "serving.server", f"--model_base_path={base_path}", "--port=0", *arguments]
        print(f"\n$ python -m {' '.join(words[2:])}", file=sys.stderr, flush=True)
        with self.timed("server start"):
            process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
            ready = process.stdout.readline()
        try:
            if not ready.startswith("READY"):
                raise StageFailed(process.wait())
            yield ready.split("grpc=")[1].split()[0]
        finally:
            process.terminate()
            process.wait()
