"""A fake server, and python -m serving.load against it as a function of this process."""

import pytest

from serving.load import command
from tests.serving.client.fake_server import FakeServer


@pytest.fixture
def server():
    with FakeServer() as running:
        yield running


@pytest.fixture
def texts(tmp_path):
    """A file of 20 texts, each with a probability of its own."""
    path = tmp_path / "texts.txt"
    path.write_text("".join(f"0.{number} of a film 电影\n" for number in range(10, 30)), encoding="utf-8")
    return path


@pytest.fixture
def load(texts, capsys):
    """Loads a server for a moment without warm-up; returns (exit code, stdout, stderr)."""

    def run(address, *flags, seconds=0.3):
        shared = f"--target={address} --model=reviews --texts={texts} --seconds={seconds} --warmup_seconds=0".split()
        code = command.main([*shared, *flags])
        return code, *capsys.readouterr()

    return run
