"""What was served before comes back under a new number, twice in a row goes further back, and damage is refused."""

import shutil

import pytest

from serving.contract import ServingError
from serving.release import history, listing
from serving.release.publish import publish
from serving.release.rollback import rollback
from tests.serving.tiny_version import fake_version


@pytest.fixture
def base(tmp_path):
    """Versions 1, 2 and 3 with different files."""
    for name in ("a", "b", "c"):
        publish(fake_version(tmp_path / name, name.encode()), tmp_path / "reviews")
    return tmp_path / "reviews"


def content(base, number):
    return (base / str(number) / "saved_model.pb").read_bytes()


def test_the_version_before_comes_back_as_the_newest(base):
    restored, done = rollback(base, reason="worse on refunds")
    assert (restored, done.version, done.newest) == (2, 4, 4) and content(base, 4) == content(base, 2)
    last = history.read(base)[-1]
    assert (last["action"], last["restores"], last["reason"]) == ("rollback", 2, "worse on refunds")
    assert [row["action"] for row in listing.versions(base)] == ["publish"] * 3 + ["rollback"]


def test_twice_goes_further_back_and_never_forward(base):
    rollback(base)
    restored, done = rollback(base)
    assert (restored, done.version) == (1, 5) and content(base, 5) == content(base, 1)
    with pytest.raises(ServingError, match="there is no other version before 1; give --version, one of 1, 2, 3, 4, 5"):
        rollback(base)
    assert rollback(base, version=3)[1].version == 6 and rollback(base)[0] == 2


def test_the_same_files_under_another_number_are_not_what_was_before(tmp_path, base):
    publish(tmp_path / "c", base, force=True)
    assert rollback(base)[0] == 2


def test_what_is_gone_or_damaged_or_newest_is_refused(base):
    with pytest.raises(ServingError, match="--version=9 is not there; there are 1, 2, 3"):
        rollback(base, version=9)
    with pytest.raises(ServingError, match="--version=3 is the newest already"):
        rollback(base, version=3)
    (base / "2/saved_model.pb").write_bytes(b"flip")
    with pytest.raises(ServingError, match=r"2: .*saved_model.pb") as refused:
        rollback(base)
    assert refused.value.exit_code == 3
    shutil.rmtree(base / "2")
    assert rollback(base)[0] == 1
    assert not [path for path in base.iterdir() if path.name.startswith(".staging")]
