"""One folder, one run: its flags, its lock, its files whole."""

import os
import threading

import pytest

from trainer.config import Config, UserError
from trainer.modes import workdir as workdir_lib
from trainer.modes.workdir import Workdir, existing_parent, open_workdir, write_whole


def config(path, **flags):
    return Config.from_flat({"workdir": str(path), "data": "data.csv", **flags})


def begun(path, **flags):
    """A workdir in which a run has come to its first checkpoint."""
    with open_workdir(config(path, **flags), create=True) as workdir:
        (workdir / "checkpoints").mkdir()
        (workdir / "checkpoints" / "last.safetensors").write_bytes(b"weights")
    return path


def test_a_new_one_holds_its_flags(tmp_path):
    with open_workdir(config(tmp_path / "a" / "run"), create=True) as workdir:
        assert "--data=data.csv\n" in (workdir / "flags.txt").read_text()


def test_what_a_kill_left_half_written_goes(tmp_path):
    path = begun(tmp_path / "run")
    (path / ".results.json.4711").write_text("{")
    with open_workdir(config(path), create=True):
        assert sorted(other.name for other in path.iterdir()) == [".lock", "checkpoints", "flags.txt"]


def test_the_same_flags_go_on_and_others_are_named(tmp_path):
    path = begun(tmp_path / "run")
    with open_workdir(config(path), create=True):
        pass
    free = {"json": True, "workdir": str(path), "checkpoint_minutes": 9.0, "allocator": "system"}
    with open_workdir(config(path, **free), create=True):
        pass
    differing = config(path, batch_size=16, learning_rate=1e-3, **free)
    with pytest.raises(UserError) as caught, open_workdir(differing, create=True):
        pass
    assert "other flags: --batch_size=16 (was 32), --learning_rate=0.001 (was 5e-05);" in str(caught.value)
    assert f"--flagfile={path}/flags.txt" in str(caught.value)


def test_many_differing_flags_are_counted(tmp_path):
    flags = {
        "batch_size": 1,
        "seed": 9,
        "epochs": 9,
        "dropout": 0.5,
        "warmup": 0.5,
        "clip_norm": 9.0,
        "sequence_length": 9,
    }
    with pytest.raises(UserError, match="and 2 more;"), open_workdir(config(begun(tmp_path / "run"), **flags)):
        pass


def test_flags_may_be_mended_until_something_was_learned(tmp_path):
    path = tmp_path / "run"
    with open_workdir(config(path, batch_size=4096), create=True):
        pass  # out of memory, say
    with open_workdir(config(path, batch_size=32), create=True) as workdir:
        assert "--batch_size=32\n" in (workdir / "flags.txt").read_text()


def test_overwrite_moves_the_old_one_aside_and_is_not_repeated(tmp_path):
    path = begun(tmp_path / "run")
    for aside in (1, 2):
        with open_workdir(config(path, overwrite=True, batch_size=8 * aside), create=True) as workdir:
            assert not (workdir / "checkpoints").exists()
            assert "--overwrite=false\n" in (workdir / "flags.txt").read_text()
        assert len(list(tmp_path.glob("run.*"))) == aside
    assert sum((old / "checkpoints" / "last.safetensors").exists() for old in tmp_path.glob("run.*")) == 1


def test_overwrite_of_nothing_is_a_beginning(tmp_path):
    with open_workdir(config(tmp_path / "run", overwrite=True), create=True):
        assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_overwrite_leaves_folders_alone_that_are_no_workdirs(tmp_path, monkeypatch):
    (tmp_path / "letters.txt").write_text("precious")
    with pytest.raises(UserError, match=r"is no workdir \(it has no flags.txt\)"):
        with open_workdir(config(tmp_path, overwrite=True), create=True):
            pass
    path = begun(tmp_path / "run")
    monkeypatch.chdir(path)
    for name in (path, "."):
        with pytest.raises(UserError, match="holds the current folder"):
            with open_workdir(config(name, overwrite=True), create=True):
                pass
    assert (path / "checkpoints").exists() and (tmp_path / "letters.txt").exists()


@pytest.mark.parametrize("flags", [{}, {"overwrite": True}])
def test_two_runs_at_once(tmp_path, flags):
    path = begun(tmp_path / "run")
    with open_workdir(config(path), create=True):
        with pytest.raises(UserError, match="is in use by another run; wait for it, or give another one"):
            with open_workdir(config(path, **flags), create=True):
                pass
    assert [other.name for other in tmp_path.iterdir()] == ["run"]
    with open_workdir(config(path), create=True):
        pass


def test_places_that_cannot_be_a_folder(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(UserError, match=f"--workdir={path}: .*file is a file; give a folder"):
            with open_workdir(config(path), create=True):
                pass
    for path in (tmp_path / "file", tmp_path / "missing"):
        with pytest.raises(UserError, match="no such folder; run --mode=train first"), open_workdir(config(path)):
            pass
    assert not (tmp_path / "missing").exists()


def test_nothing_was_trained_here(tmp_path):
    with pytest.raises(UserError, match="nothing was trained here; run --mode=train first"):
        Workdir(tmp_path).task_file()


def test_json_files_are_merged_and_whole(tmp_path):
    workdir = Workdir(tmp_path)
    assert workdir.read("results.json") == {}
    workdir.write("results.json", {"dev": {"accuracy": 0.5}, "é": 1})
    assert workdir.merge("results.json", {"dev": {"loss": 1.0}}) == {"dev": {"loss": 1.0}, "é": 1}
    assert "é" in (tmp_path / "results.json").read_text("utf-8")


def test_a_reader_never_sees_half_a_file(tmp_path):
    path, texts, seen = tmp_path / "file", ["a" * 100_000, "b" * 200_000], set()
    write_whole(path, texts[0])
    ready = threading.Event()

    def write():
        for i in range(40):
            write_whole(path, texts[i % 2])
        ready.set()

    thread = threading.Thread(target=write)
    thread.start()
    while not ready.is_set():
        seen.add(path.read_text())
    thread.join()
    assert seen <= set(texts) and os.listdir(tmp_path) == ["file"]


def test_a_write_that_fails_leaves_nothing(tmp_path, monkeypatch):
    write_whole(tmp_path / "file", "old")
    monkeypatch.setattr(
        workdir_lib.os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device"))
    )
    with pytest.raises(OSError, match="No space"):
        write_whole(tmp_path / "file", "new")
    assert os.listdir(tmp_path) == ["file"] and (tmp_path / "file").read_text() == "old"


def test_existing_parent(tmp_path):
    assert existing_parent(tmp_path / "a" / "b") == tmp_path == existing_parent(tmp_path)
