import errno
import json
import os
import shutil
import threading

import pytest

from serving.contract import ServingError
from serving.release import history, listing, staging
from serving.release.publish import publish
from tests.serving.tiny_version import fake_version


@pytest.fixture
def base(tmp_path):
    return tmp_path / "models" / "reviews"


def numbers(base):
    return sorted(int(name) for name in os.listdir(base) if name.isdigit())


def hidden(base):
    return sorted(name for name in os.listdir(base) if name.startswith("."))


def test_publishes_the_whole_version_under_the_next_number(tmp_path, base):
    source = fake_version(tmp_path / "a")
    done = publish(source, base, reason="first")
    assert (done.version, done.newest, done.already, done.path) == (1, 1, False, str(base / "1"))
    copied = {str(path.relative_to(base / "1")) for path in (base / "1").rglob("*")}
    assert copied == {str(path.relative_to(source)) for path in source.rglob("*")}
    assert hidden(base) == [".slipway_history.jsonl", ".slipway_lock"]


def test_others_may_read_what_was_published(tmp_path, base):
    umask = os.umask(0o022)
    try:
        publish(fake_version(tmp_path / "a"), base)
    finally:
        os.umask(umask)
    assert (base / "1").stat().st_mode & 0o777 == 0o755
    assert (base / "1" / "saved_model.pb").stat().st_mode & 0o777 == 0o644


def test_same_version_again_keeps_its_number_unless_forced(tmp_path, base):
    source, other = fake_version(tmp_path / "a"), fake_version(tmp_path / "b", b"other")
    assert publish(source, base).version == 1
    assert publish(other, base).version == 2
    again = publish(source, base)
    assert (again.version, again.already, again.newest) == (1, True, 2)
    assert "version 2 is newer" in again.line() and "--force" in again.line()
    assert publish(source, base, force=True).version == 3
    assert numbers(base) == [1, 2, 3]


def test_a_damaged_published_version_does_not_count_as_published(tmp_path, base):
    source = fake_version(tmp_path / "a")
    publish(source, base)
    (base / "1" / "saved_model.pb").write_bytes(b"flip")
    assert publish(source, base).version == 2


def test_numbers_are_never_reused(tmp_path, base):
    publish(fake_version(tmp_path / "a"), base)
    publish(fake_version(tmp_path / "b", b"b"), base)
    shutil.rmtree(base / "2")
    assert publish(fake_version(tmp_path / "c", b"c"), base).version == 3
    with pytest.raises(ServingError, match=r"--version=2 was already there.* 4 is the next"):
        publish(fake_version(tmp_path / "d", b"d"), base, version=2)


def test_version_overrides_and_is_refused_where_it_exists(tmp_path, base):
    assert publish(fake_version(tmp_path / "a"), base, version=20).version == 20
    assert publish(tmp_path / "a", base, version=20).already
    with pytest.raises(ServingError, match="--version=20 is already there"):
        publish(fake_version(tmp_path / "b", b"b"), base, version=20)
    assert publish(tmp_path / "b", base).version == 21


def test_counts_versions_put_there_by_hand(tmp_path, base):
    (base / "007").mkdir(parents=True)
    (base / "99999999999999999999").mkdir()  # beyond what TF Serving reads
    assert publish(fake_version(tmp_path / "a"), base).version == 8
    assert [(each["action"], each["version"]) for each in history.read(base)] == [("found", 7), ("publish", 8)]


@pytest.mark.parametrize("damage", ["unproven", "rejected", "changed", "extra", "missing"])
def test_refuses_what_is_not_proven(tmp_path, base, damage):
    source = fake_version(tmp_path / "a")
    proof = json.loads((source / "proof.json").read_text())
    match damage:
        case "unproven":
            (source / "proof.json").unlink()
        case "rejected":
            (source / "proof.json").write_text(json.dumps(proof | {"accepted": False}))
        case "changed":
            (source / "saved_model.pb").write_bytes(b"other")
        case "extra":
            (source / "assets.extra" / "more").write_bytes(b"")
        case "missing":
            (source / "variables" / "variables.index").unlink()
    with pytest.raises(ServingError) as refused:
        publish(source, base)
    assert refused.value.exit_code == 3
    assert not base.exists()


def test_refuses_a_copy_that_came_out_different(tmp_path, base, monkeypatch):
    source = fake_version(tmp_path / "a", b"x" * 100)

    def short(original, copy, length):
        copy.write(original.read()[:50])

    monkeypatch.setattr(staging.shutil, "copyfileobj", short)
    with pytest.raises(ServingError, match="came out different") as refused:
        publish(source, base)
    assert refused.value.exit_code == 5 and numbers(base) == [] and hidden(base) == [".slipway_lock"]


@pytest.mark.parametrize("at", ["copy", "history"])
def test_full_disk_leaves_nothing(tmp_path, base, monkeypatch, at):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    source = fake_version(tmp_path / "a")
    publish(fake_version(tmp_path / "z", b"z"), base)
    before = history.read(base)
    with monkeypatch.context() as patched:
        patched.setattr(*((staging.shutil, "copyfileobj", full) if at == "copy" else (history, "prepare", full)))
        with pytest.raises(ServingError, match=r"No space left.*nothing was published") as refused:
            publish(source, base)
    assert refused.value.exit_code == 5
    assert numbers(base) == [1] and history.read(base) == before
    assert hidden(base) == [".slipway_history.jsonl", ".slipway_lock"]
    assert publish(source, base).version == 2


def test_clears_what_a_killed_publisher_left(tmp_path, base):
    publish(fake_version(tmp_path / "a"), base)
    (base / ".staging-2" / "variables").mkdir(parents=True)
    (base / ".staging-2" / "variables" / "half").write_bytes(b"half")
    assert publish(fake_version(tmp_path / "b", b"b"), base).version == 2
    assert hidden(base) == [".slipway_history.jsonl", ".slipway_lock"]


def test_killed_between_rename_and_history_is_found_again(tmp_path, base, monkeypatch):
    source = fake_version(tmp_path / "a")
    with monkeypatch.context() as patched:
        patched.setattr(history, "commit", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            publish(source, base)
    assert numbers(base) == [1]
    assert publish(source, base).already
    assert publish(fake_version(tmp_path / "b", b"b"), base).version == 2
    assert [each["action"] for each in history.read(base)] == ["found", "publish"]


def test_publishers_at_once_each_get_a_number_of_their_own(tmp_path, base):
    sources = [fake_version(tmp_path / name, name.encode()) for name in "abcdef"]
    done = []
    threads = [threading.Thread(target=lambda each=each: done.append(publish(each, base).version)) for each in sources]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == [1, 2, 3, 4, 5, 6] == numbers(base)
    assert sorted(each["version"] for each in history.read(base)) == [1, 2, 3, 4, 5, 6]


def test_the_same_version_at_once_is_published_once(tmp_path, base):
    source = fake_version(tmp_path / "a")
    done = []
    threads = [threading.Thread(target=lambda: done.append(publish(source, base))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [each.version for each in done] == [1] * 4 and sum(not each.already for each in done) == 1
    assert numbers(base) == [1]


def test_workdir_means_its_newest_export(tmp_path, base):
    workdir = tmp_path / "run"
    fake_version(workdir / "export" / "aaa", b"new", created="2026-03-02T00:00:00Z")
    fake_version(workdir / "export" / "bbb", b"old", created="2026-03-01T00:00:00Z")
    (workdir / "export" / ".staging").mkdir()
    publish(workdir, base)
    assert (base / "1" / "saved_model.pb").read_bytes() == b"new"


def test_never_falls_back_to_an_older_export_in_silence(tmp_path, base):
    workdir = tmp_path / "run"
    newest = fake_version(workdir / "export" / "aaa", b"new", created="2026-03-02T00:00:00Z")
    fake_version(workdir / "export" / "bbb", b"old", created="2026-03-01T00:00:00Z")
    (newest / "proof.json").unlink()
    with pytest.raises(ServingError) as refused:
        publish(workdir, base)
    assert refused.value.exit_code == 3 and "aaa" in str(refused.value)


def test_newer_contract_is_refused(tmp_path, base):
    source = fake_version(tmp_path / "a")
    contract = json.loads((source / "contract.json").read_text())
    proof = json.loads((source / "proof.json").read_text())
    (source / "proof.json").write_text(json.dumps(proof | {"schema_version": "2.0"}))
    (source / "contract.json").write_text(json.dumps(contract | {"schema_version": "2.0"}))
    with pytest.raises(ServingError, match="newer"):
        publish(source, base)


def test_history_says_who_when_and_why(tmp_path, base):
    publish(fake_version(tmp_path / "a"), base, reason="weekly — übung")
    (entry,) = history.read(base)
    assert entry["reason"] == "weekly — übung" and "@" in entry["who"] and entry["time"].endswith("Z")
    assert entry["source"] == str(tmp_path / "a") and entry["fingerprint"].startswith("sha256:")


def test_damaged_history_is_named_by_line(tmp_path, base):
    publish(fake_version(tmp_path / "a"), base)
    with open(base / ".slipway_history.jsonl", "a") as file:
        file.write("{half")
    with pytest.raises(ServingError, match=r"slipway_history.jsonl:2: "):
        publish(fake_version(tmp_path / "b", b"b"), base)


def test_lists_what_is_and_what_was(tmp_path, base):
    publish(fake_version(tmp_path / "a"), base, reason="first")
    publish(fake_version(tmp_path / "b", b"b"), base)
    shutil.rmtree(base / "1")
    (base / "5").mkdir()
    rows = listing.versions(base)
    assert [(row["version"], row["present"]) for row in rows] == [(1, False), (2, True), (5, True)]
    lines = listing.table(rows).splitlines()
    assert len(lines) == 4 and lines[1].split()[:2] == ["1", "no"] and lines[1].endswith("first")
