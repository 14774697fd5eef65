"""A file that grows beside its place: what stays of it after each kind of end."""

import errno
import os
import random
import subprocess
import sys
import time

import pytest

from trainer.config import UserError
from trainer.modes.partial_file import PartialFile

IDENTITY = {"texts": "1", "weights": "2"}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "out.jsonl"


def names(path):
    return sorted(other.name for other in path.parent.iterdir())


def stopped(path, identity=IDENTITY):
    """A partial file of two safe lines and half of a third."""
    with PartialFile(path, identity) as partial:
        partial.append("a\n", {"rows": 1})
        partial.append("b\n", {"rows": 2})
        os.write(partial._file, b"c\nhal")
    assert names(path) == ["out.jsonl.journal", "out.jsonl.partial"]


def test_it_appears_when_it_is_complete(path):
    path.write_text("old")
    with PartialFile(path, IDENTITY) as partial:
        partial.append("a\n", {"rows": 1})
        assert path.read_text() == "old"
        partial.append("电\n", {"rows": 2})
        partial.publish()
    assert path.read_text("utf-8") == "a\n电\n" and names(path) == ["out.jsonl"]


def test_what_is_not_in_the_journal_is_cut_off(path):
    stopped(path)
    with PartialFile(path, IDENTITY) as partial:
        assert partial.counts == {"rows": 2}
        partial.append("c\n", {"rows": 3})
        partial.publish()
    assert path.read_text() == "a\nb\nc\n"


@pytest.mark.parametrize(
    "identity, said",
    [
        (IDENTITY | {"texts": "other"}, "was made from other texts: beginning anew"),
        ({"texts": "x", "weights": "y"}, "was made from other texts and weights: beginning anew"),
        (IDENTITY | {"flags": "new"}, "was made from other flags: beginning anew"),
    ],
)
def test_lines_of_something_else_are_not_continued(path, capsys, identity, said):
    stopped(path)
    with PartialFile(path, identity) as partial:
        assert partial.counts == {}
        partial.append("c\n", {"rows": 1})
        partial.publish()
    err = capsys.readouterr().err
    assert said in err and err.count("\n") == 1 and path.read_text() == "c\n"


def test_a_file_that_lost_its_end_is_not_continued(path, capsys):
    stopped(path)
    os.truncate(f"{path}.partial", 3)
    with PartialFile(path, IDENTITY) as partial:
        assert partial.counts == {}
    assert "is shorter than its journal says" in capsys.readouterr().err and names(path) == []


def test_nothing_safe_leaves_nothing(path):
    with pytest.raises(UserError), PartialFile(path, IDENTITY):
        raise UserError("x")
    assert names(path) == []


def test_a_file_of_somebody_else_is_left_alone(path):
    path.with_name("out.jsonl.journal").write_text("Dear diary,")
    with pytest.raises(UserError, match="out.jsonl.journal is not a journal of predictions; move it away"):
        PartialFile(path, IDENTITY).__enter__()
    assert path.with_name("out.jsonl.journal").read_text() == "Dear diary,"


@pytest.mark.parametrize("function", ["write", "fsync"])
def test_a_full_disk_names_the_file_and_keeps_what_was_safe(path, monkeypatch, function):
    stopped(path)

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with PartialFile(path, IDENTITY) as partial, monkeypatch.context() as patch:
        patch.setattr(os, function, full)
        with pytest.raises(OSError) as caught:
            partial.append("c\n", {"rows": 3})
    assert caught.value.errno == errno.ENOSPC and caught.value.filename == f"{path}.partial"
    with PartialFile(path, IDENTITY) as partial:
        assert partial.counts == {"rows": 2} and os.fstat(partial._file).st_size == 4


def test_two_runs_cannot_write_the_same_file(path):
    with (
        PartialFile(path, IDENTITY),
        pytest.raises(UserError, match="is being written by another run"),
        PartialFile(path, IDENTITY),
    ):
        pass


def test_what_a_kill_left_of_the_journal_is_swept_up(path):
    stopped(path)
    (path.parent / ".out.jsonl.journal.123").write_text("{")
    with PartialFile(path, IDENTITY) as partial:
        assert partial.counts == {"rows": 2}
    assert names(path) == ["out.jsonl.journal", "out.jsonl.partial"]


# Writes lines of very different lengths until it is killed or has written all.
WRITER = """
import sys
from trainer.modes.partial_file import PartialFile
with PartialFile(sys.argv[1], {"texts": "1"}) as partial:
    for row in range(partial.counts.get("rows", 0), 400):
        partial.append(f"{row} {'x' * (row * 7919 % 300_000)}\\n", {"rows": row + 1})
    partial.publish()
"""


@pytest.mark.slow
def test_kills_at_any_moment_lose_and_repeat_nothing(path):
    draw, kills = random.Random(3), 0
    while not path.exists():
        with subprocess.Popen([sys.executable, "-c", WRITER, str(path)]) as process:
            before = partial_size(path)
            while process.poll() is None and partial_size(path) == before:
                time.sleep(0.001)
            time.sleep(draw.uniform(0, 0.15))
            process.kill()
        kills += process.returncode != 0
        assert process.returncode in (0, -9)
    assert kills >= 3
    assert [line.split()[0] for line in open(path)] == [str(row) for row in range(400)]
    assert [len(line) for line in open(path)] == [len(f"{row} {'x' * (row * 7919 % 300_000)}\n") for row in range(400)]
    assert names(path) == ["out.jsonl"]


def partial_size(path):
    partial = path.with_name("out.jsonl.partial")
    return partial.stat().st_size if partial.exists() else 0
