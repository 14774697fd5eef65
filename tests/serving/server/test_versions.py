import shutil

import grpc
import pytest

from serving.contract import ServingError
from serving.server.status import StatusError
from serving.server.versions import Versions

LOG = []  # of every Loaded


class Loaded:
    """Stands in for a ServedVersion, which needs a real graph."""

    def __init__(self, folder):
        self.number = int(folder.rpartition("/")[2])
        self.note("load")
        if self.number == 13:
            raise ServingError("no such graph", exit_code=3) from FileNotFoundError()

    def note(self, event):
        LOG.append((event, self.number))

    def replay_warmup(self):
        self.note("warm-up")
        if self.number == 66:
            raise ServingError("warm-up record 1: Op type not registered 'X'", exit_code=3)
        return 1

    def close(self):
        self.note("close")


@pytest.fixture
def base(tmp_path):
    LOG.clear()
    (tmp_path / "1").mkdir()
    return tmp_path


@pytest.fixture
def versions(base):
    return Versions("reviews", str(base), Loaded)


def states(versions):
    return [(each.number, each.state) for each in versions.states()]


def test_serves_the_newest_and_loads_it_before_the_old_one_goes(base, versions):
    versions.poll()
    (base / "2").mkdir()
    versions.poll()
    assert LOG == [("load", 1), ("warm-up", 1), ("load", 2), ("warm-up", 2), ("close", 1)]
    assert states(versions) == [(2, "AVAILABLE"), (1, "END")]


def test_versions_below_the_newest_are_never_loaded(base, versions):
    (base / "5").mkdir()
    versions.poll()
    assert states(versions) == [(5, "AVAILABLE")]


@pytest.mark.parametrize(("bad", "closed"), [("13", []), ("66", [("close", 66)])])
def test_a_broken_version_ends_with_its_error_and_the_old_one_serves(base, versions, bad, closed):
    versions.poll()
    (base / bad).mkdir()
    LOG.clear()
    versions.poll()
    versions.poll()
    assert LOG.count(("load", int(bad))) == 1 and LOG[-len(closed) :] == (closed or LOG)
    assert states(versions) == [(int(bad), "END"), (1, "AVAILABLE")]
    assert versions.states()[0].error.code == (grpc.StatusCode.NOT_FOUND if bad == "13" else grpc.StatusCode.INTERNAL)
    (base / "99").mkdir()
    versions.poll()
    assert states(versions) == [(99, "AVAILABLE"), (int(bad), "END"), (1, "END")]


def test_a_broken_version_is_tried_again_once_it_was_away(base, versions):
    (base / "13").mkdir()
    versions.poll()
    shutil.rmtree(base / "13")
    versions.poll()
    (base / "13").mkdir()
    versions.poll()
    assert LOG.count(("load", 13)) == 2


def test_removing_the_newest_goes_back_to_the_one_before(base, versions):
    (base / "2").mkdir()
    versions.poll()
    shutil.rmtree(base / "2")
    versions.poll()
    assert states(versions) == [(2, "END"), (1, "AVAILABLE")] and versions.newest() == 1


def test_a_folder_that_is_away_ends_nothing(base, versions):
    versions.poll()
    base.rename(base.parent / "away")
    versions.poll()
    assert versions.newest() == 1


def test_an_empty_folder_unloads_all(base, versions):
    versions.poll()
    shutil.rmtree(base / "1")
    versions.poll()
    assert versions.newest() is None and states(versions) == [(1, "END")]


def test_a_version_in_use_is_closed_by_its_last_user(base, versions):
    versions.poll()
    (base / "2").mkdir()
    with versions.use() as first:
        with versions.use() as second:
            versions.poll()
            assert states(versions) == [(2, "AVAILABLE"), (1, "UNLOADING")]
            with versions.use() as new:
                assert (first.number, second.number, new.number) == (1, 1, 2)
        assert ("close", 1) not in LOG
    assert LOG[-1] == ("close", 1) and states(versions) == [(2, "AVAILABLE"), (1, "END")]


def test_unknown_versions_are_not_found(versions):
    with pytest.raises(StatusError, match=r"Servable not found for request: Latest\(reviews\)"), versions.use():
        pass
    versions.poll()
    with pytest.raises(StatusError, match=r"Servable not found for request: Specific\(reviews, 7\)"), versions.use(7):
        pass
