"""`python -m trainer.main --flagfile=…`: parses the flags, runs one mode, turns errors into lines and exit codes."""

import contextlib
import errno
import importlib
import os
import re
import sys
import tempfile

from trainer import allocator, flags
from trainer.loop import levers

_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
_NVIDIA = ("/dev/nvidiactl", "/dev/dxg")  # the driver's device on Linux and on Windows' Linux
_LOADING = re.compile(rb"[IW]\d{4} \d\d|WARNING: All log messages before absl::InitializeLog")
_NO_ACCESS = (errno.EACCES, errno.EPERM, errno.EROFS)


def main(arguments=None):
    """Runs the mode that the flags name; returns the exit code of the process."""
    config = None
    try:
        config = flags.parse(sys.argv[1:] if arguments is None else arguments)
        prepare(os.environ)
        choose_allocator(config)
        with quiet_import():
            mode = importlib.import_module(f"trainer.modes.{config.run.mode}")
        return mode.run(config) or 0
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except Exception as error:
        code, line = explain(error, config)
        if code is None:  # nobody's mistake but ours: keep the traceback
            raise
        print("error: " + " ".join(line.splitlines()), file=sys.stderr)
        return code


def piped(run):
    """Exit code of `run`, 0 where whoever reads our output has had enough, as in `--help | head`."""
    try:
        code = run()
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # else Python complains at exit
        return 0


def prepare(environment):
    """What TensorFlow and Keras read while they are imported; the modes import them, so this comes first."""
    environment["KERAS_BACKEND"] = "tensorflow"
    environment["TF_USE_LEGACY_KERAS"] = "0"
    # TensorFlow's GPU build logs an error on every machine without an NVIDIA driver: nothing below 3 keeps it quiet
    environment.setdefault("TF_CPP_MIN_LOG_LEVEL", "2" if any(map(os.path.exists, _NVIDIA)) else "3")
    environment.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")


def choose_allocator(config):
    """Before TensorFlow starts its threads: what --allocator asks for."""
    if levers.asked(config)["allocator"] == "auto":
        allocator.keep_memory()


@contextlib.contextmanager
def quiet_import():
    """Keeps back what TensorFlow's libraries log while they load, before any log level counts; the rest goes on."""
    if os.environ.get("TF_CPP_MIN_LOG_LEVEL", "0") < "2":
        yield
        return
    # in memory where the system can: a full disk must not stop a run before it says so
    memory = hasattr(os, "memfd_create")
    with (
        open(os.memfd_create("stderr"), "w+b") if memory else tempfile.TemporaryFile() as held,
        contextlib.ExitStack() as stack,
    ):
        stderr = os.dup(2)
        stack.callback(_give_back, stderr, held)
        os.dup2(held.fileno(), 2)
        yield


def _give_back(stderr, held):
    """Makes `stderr` number 2 again and writes to it what was held, TensorFlow's loading lines left out."""
    sys.stderr.flush()
    os.dup2(stderr, 2)
    os.close(stderr)
    held.seek(0)
    for line in held:
        if not _LOADING.match(line):
            os.write(2, line)


def explain(error, config=None):
    """(exit code, line) of an error that the user or the machine caused; (None, "") of any other."""
    text = str(error)
    if isinstance(getattr(error, "exit_code", None), int):  # UserError, ServingError
        return error.exit_code, text
    if getattr(error, "errno", None) in _NO_SPACE or "No space left on device" in text:
        return 5, f"disk full at {_place(error, config)}: free some space, then give the same command again"
    if isinstance(error, OSError) and error.errno in _NO_ACCESS:
        return 5, f"{_place(error, config)}: {error.strerror}; give a place that may be read and written"
    # TensorFlow's class by name: it is not imported here.
    if isinstance(error, MemoryError) or any(c.__name__ == "ResourceExhaustedError" for c in type(error).__mro__):
        return 5, "out of memory: give a smaller --batch_size (with --gradient_accumulation) or --sequence_length"
    return None, ""


def _place(error, config):
    return getattr(error, "filename", None) or (config and config.run.workdir) or os.getcwd()


if __name__ == "__main__":
    sys.exit(piped(main))
