"""A folder that all workers share is made by one of them, and whole before another sees it."""

import threading
import time
import types

import pytest

from tests.once import made_once


@pytest.fixture
def workers(tmp_path, monkeypatch):
    """The tmp_path_factory of two workers of one run."""
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw0")
    return [types.SimpleNamespace(getbasetemp=lambda name=name: tmp_path / name) for name in ("gw0", "gw1")]


def test_one_makes_it_and_the_other_waits(workers):
    made, seen = [], []

    def make(folder):
        made.append(folder)
        folder.mkdir()
        time.sleep(0.2)
        (folder / "whole").touch()

    def ask(worker):
        seen.append(sorted(path.name for path in made_once(worker, "runs", make).iterdir()))

    threads = [threading.Thread(target=ask, args=[worker]) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1 and seen == [["whole"], ["whole"]]


def test_what_one_left_half_made_the_next_makes_anew(workers):
    def fail(folder):
        folder.mkdir()
        (folder / "half").touch()
        raise RuntimeError("no memory")

    with pytest.raises(RuntimeError, match="no memory"):
        made_once(workers[0], "runs", fail)
    assert list(made_once(workers[1], "runs", lambda folder: folder.mkdir()).iterdir()) == []


def test_a_run_of_one_process_keeps_it_in_its_own_folder(workers, monkeypatch):
    monkeypatch.delenv("PYTEST_XDIST_WORKER")
    own = workers[0].getbasetemp()
    own.mkdir()
    assert made_once(workers[0], "runs", lambda folder: folder.mkdir()) == own / "shared" / "runs"
