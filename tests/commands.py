"""`python -m trainer.main`, as a function of this process and as a real one."""

import contextlib
import dataclasses
import io
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).parent.parent


@dataclasses.dataclass(frozen=True)
class Done:
    """Exit code and what was printed."""

    code: int
    out: str
    err: str

    def error(self):
        """The line of a command that failed as it should: nothing on stdout, one `error:` line, the last of stderr."""
        lines = [line for line in self.err.splitlines() if not line.startswith(PROGRESS)]
        assert len(lines) == 1 and lines[0].startswith("error: "), self.err
        assert self.out == "", self.out
        return lines[0]


PROGRESS = ("reading ", "tokenizing ", "training ", "evaluating ", "predicting ", "embedding ", "doctor: ")


def run_main(*arguments):
    """Runs trainer.main here; what libraries write past sys.stderr is caught too."""
    from trainer import main

    out, err = io.StringIO(), io.StringIO()
    with tempfile.TemporaryFile("w+") as raw, _descriptors(raw.fileno()):
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = main.main(list(map(str, arguments)))
            except SystemExit as stop:
                code = stop.code or 0
        raw.seek(0)
        return Done(code, out.getvalue(), err.getvalue() + raw.read())


def start_main(*arguments, **environment):
    """A process that runs trainer.main as a user would; the caller waits for it or kills it."""
    set_by_tests = ("TF_CPP_MIN_LOG_LEVEL", "KERAS_BACKEND", "TF_FORCE_GPU_ALLOW_GROWTH")
    own = {name: value for name, value in os.environ.items() if name not in set_by_tests}
    return subprocess.Popen(
        [sys.executable, "-m", "trainer.main", *map(str, arguments)],
        cwd=ROOT,
        env={**own, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def main_process(*arguments, timeout=280, **environment):
    """Runs trainer.main as a process of its own."""
    with start_main(*arguments, **environment) as process:
        try:
            out, err = process.communicate(timeout=timeout)
        finally:
            process.kill()
    return Done(process.returncode, out, err)


@contextlib.contextmanager
def _descriptors(target):
    kept = [os.dup(1), os.dup(2)]
    try:
        os.dup2(target, 1)
        os.dup2(target, 2)
        yield
    finally:
        for number, copy in zip((1, 2), kept, strict=True):
            os.dup2(copy, number)
            os.close(copy)
