import shutil

import pytest

from tests.serving.tiny_version import real_version, with_papers


@pytest.fixture(scope="session")
def versions(tmp_path_factory):
    """Two real versions: `a` calls every text positive, `b` every one negative."""
    folder = tmp_path_factory.mktemp("versions")
    return {"a": real_version(folder / "a", bias=5.0), "b": real_version(folder / "b", bias=-50.0)}


@pytest.fixture
def place(versions, tmp_path):
    """place(number, name) puts a version under `tmp_path/reviews`, by a rename; gives that folder."""

    def put(number, name):
        base = tmp_path / "reviews"
        base.mkdir(exist_ok=True)
        staged = shutil.copytree(versions[name], base / f".staging-{number}")
        return staged.rename(base / str(number)).parent

    return put


@pytest.fixture
def fresh(versions, tmp_path):
    """fresh(name, created) gives a copy of a version with a fingerprint of its own."""

    def make(name, created):
        return with_papers(shutil.copytree(versions[name], tmp_path / f"{name}-{created}"), created)

    return make
