"""The conformance suite itself: it asks the program that it is given, and each case says what it rests on."""

import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parent.parent


def run(*arguments):
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True)


@pytest.mark.slow
def test_the_server_that_is_given_is_asked(tmp_path):
    log, program = tmp_path / "log", tmp_path / "tensorflow_model_server"
    program.write_text(
        f'#!/bin/sh\necho started >> {log}\nexec {sys.executable} -m serving.server --engine=embedded "$@"\n'
    )
    program.chmod(0o755)
    done = run("tests/conformance/test_status.py", f"--server_binary={program}")
    assert done.returncode == 0, done.stdout
    assert log.read_text().startswith("started\n")


def test_a_case_that_rests_on_nothing_stops_the_suite(tmp_path):
    conftest = ROOT / "tests/conformance/conftest.py"
    (tmp_path / "conftest.py").write_text(
        conftest.read_text().replace("HERE = pathlib.Path(__file__).parent", f"HERE = pathlib.Path({str(tmp_path)!r})")
    )
    (tmp_path / "test_case.py").write_text("def test_silent(): pass\n")
    done = run(tmp_path, f"--rootdir={tmp_path}", "--collect-only")
    assert done.returncode != 0 and "test_case.py::test_silent" in done.stdout + done.stderr
