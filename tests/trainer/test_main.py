"""main: dispatches to the mode, and turns what the user or the machine did into one line and an exit code."""

import errno
import os
import pathlib
import subprocess
import sys
import types

import pytest

from trainer import main as main_lib
from trainer.config import EnvironmentFault, UserError

ROOT = pathlib.Path(main_lib.__file__).parent.parent
RUNNABLE = ["--workdir=w", "--data=pip:movie-snippets"]
EAGER = ["tensorflow", "keras", "keras_hub", "tensorflow_text", "numpy", "grpc", "tensorboard"]


class ServingError(Exception):
    """Stands for serving.contract.ServingError, which has an exit code of its own too."""

    exit_code = 3


class ResourceExhaustedError(Exception):
    """Named as TensorFlow's."""


@pytest.fixture
def run_mode(monkeypatch):
    """Runs main with a mode `train` that calls the given function."""
    monkeypatch.setattr(os, "environ", dict(os.environ))

    def run(function, arguments=RUNNABLE):
        mode = types.ModuleType("trainer.modes.train")
        mode.run = function
        monkeypatch.setitem(sys.modules, "trainer.modes", types.ModuleType("trainer.modes"))
        monkeypatch.setitem(sys.modules, "trainer.modes.train", mode)
        return main_lib.main(arguments)

    return run


def raising(error):
    def function(config):
        raise error

    return function


def test_the_mode_gets_the_config_and_its_code_is_returned(run_mode):
    seen = []
    assert run_mode(lambda config: seen.append(config) or 3, [*RUNNABLE, "--batch_size=8"]) == 3
    assert seen[0].input.batch_size == 8 and seen[0].run.mode == "train"


def test_a_mode_that_returns_nothing_is_done(run_mode):
    assert run_mode(lambda config: None) == 0


def test_the_environment_is_set_before_the_mode_runs(run_mode):
    seen = {}
    os.environ["KERAS_BACKEND"] = "jax"
    os.environ.pop("TF_CPP_MIN_LOG_LEVEL", None)
    run_mode(lambda config: seen.update(os.environ))
    assert seen["KERAS_BACKEND"] == "tensorflow" and seen["TF_CPP_MIN_LOG_LEVEL"] in "23"


def test_the_users_log_level_stays():
    environment = {"TF_CPP_MIN_LOG_LEVEL": "0"}
    main_lib.prepare(environment)
    assert environment["TF_CPP_MIN_LOG_LEVEL"] == "0"


NOISE = b"""WARNING: All log messages before absl::InitializeLog() is called are written to STDERR
I0000 00:00:1795403868.468805   16829 port.cc:153] oneDNN custom operations are on.
"""


@pytest.mark.parametrize("level, kept", [("2", b""), ("0", NOISE)])
def test_what_libraries_log_while_they_load_is_kept_back(monkeypatch, capfd, level, kept):
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", level)
    with main_lib.quiet_import():
        os.write(2, NOISE + b"E0000 a real one\n")
    os.write(2, b"after\n")
    assert capfd.readouterr().err.encode() == kept + b"E0000 a real one\nafter\n"


def test_stderr_comes_back_when_the_import_fails(monkeypatch, capfd):
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "2")
    with pytest.raises(ImportError), main_lib.quiet_import():
        os.write(2, NOISE + b"libcuda is broken\n")
        raise ImportError
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "libcuda is broken\nafter\n"


@pytest.mark.parametrize(
    "error, code, line",
    [
        (UserError("--x=1: allowed is 2"), 2, "--x=1: allowed is 2"),
        (EnvironmentFault("no GPU"), 5, "no GPU"),
        (ServingError("refused:\n op missing"), 3, "refused:  op missing"),
        (OSError(errno.ENOSPC, "No space left on device", "runs/a/x"), 5, "disk full at runs/a/x: free some"),
        (OSError(errno.ENOSPC, "No space left on device"), 5, "disk full at w: free some"),
        (OSError("Can't write (errno = 28, error message = 'No space left on device')"), 5, "disk full at w: free"),
        (ResourceExhaustedError("w/ckpt; No space left on device"), 5, "disk full at w: free"),
        (ResourceExhaustedError("OOM when allocating\ntensor"), 5, "out of memory: give a smaller --batch_size"),
        (MemoryError(), 5, "out of memory: give a smaller --batch_size"),
        (PermissionError(errno.EACCES, "Permission denied", "/root/x"), 5, "/root/x: Permission denied; give"),
    ],
)
def test_errors_are_one_line_and_a_code(run_mode, capsys, error, code, line):
    assert run_mode(raising(error)) == code
    out, err = capsys.readouterr()
    assert err.startswith(f"error: {line}") and err.count("\n") == 1 and out == ""


@pytest.mark.parametrize("error", [ValueError("a bug"), OSError(errno.EIO, "I/O error"), KeyError("k")])
def test_bugs_keep_their_traceback(run_mode, error):
    with pytest.raises(type(error)):
        run_mode(raising(error))


def test_interrupted(run_mode, capsys):
    assert run_mode(raising(KeyboardInterrupt())) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_a_flag_typo_is_exit_code_2(capsys):
    assert main_lib.main(["--lerning_rate=1e-5"]) == 2
    assert capsys.readouterr().err == "error: unknown flag --lerning_rate; did you mean --learning_rate?\n"


@pytest.mark.parametrize("arguments, code", [(["--help"], 0), (["--nonsense"], 2), (["--workdir=w"], 2)])
def test_help_and_mistakes_load_nothing_heavy(arguments, code):
    script = (
        "import sys; from trainer.main import main\n"
        "try: code = main(sys.argv[1:])\n"
        "except SystemExit as stop: code = stop.code\n"
        f"print('LOADED', [name for name in {EAGER} if name in sys.modules]); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], check=False, cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == code
    assert done.stdout.splitlines()[-1] == "LOADED []"


def test_runs_as_a_module():
    done = subprocess.run(
        [sys.executable, "-m", "trainer.main", "--help"], check=False, cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0 and done.stdout.startswith("usage: python -m trainer.main") and not done.stderr


def test_its_functions_are_short():
    import ast
    import inspect

    tree = ast.parse(inspect.getsource(main_lib))
    lengths = {n.name: n.end_lineno - n.lineno + 1 for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)}
    assert max(lengths.values()) < 20, lengths


def test_whoever_reads_the_help_may_stop_early():
    command = [sys.executable, "-m", "trainer.main", "--help"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 0
