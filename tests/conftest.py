"""Tiny encoders and data that all tests share; TensorFlow's environment, set before anything imports it."""

import os
import signal

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")

import pytest

from tests import tiny_encoders, tiny_reviews
from tests.once import made_once
from trainer.config import CARRIED, cache_dir, carried_path

# Of a run that a shell started in the background: it is told to leave Ctrl-C alone, and so would all be that it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def cache_of_the_tests(tmp_path_factory):
    """The cache folder of every command that a test runs; what data.fetch brought is in it, what runs keep goes."""
    carried, folder = carried_path(CARRIED, cache_dir()), tmp_path_factory.mktemp("cache")
    if carried.is_dir():
        carried_path(CARRIED, folder).symlink_to(carried.absolute())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLIPWAY_CACHE", str(folder))
        yield folder


pytest_plugins = ["tests.sandbox", "tests.walked"]


@pytest.fixture(scope="session")
def bert_folder(tmp_path_factory):
    """The tiny BERT as a Hugging Face folder; leave its files as they are."""
    return made_once(tmp_path_factory, "tiny-bert", tiny_encoders.bert_folder)


@pytest.fixture(scope="session")
def hub_folder(tmp_path_factory):
    """The same BERT as a KerasHub folder."""
    return tiny_encoders.keras_hub_folder(tmp_path_factory.mktemp("encoders") / "tiny-hub")


@pytest.fixture(scope="session")
def reviews(tmp_path_factory):
    """A folder with train.csv, dev.tsv and test.jsonl.gz: 96, 24 and 25 rows of two labels."""
    return made_once(tmp_path_factory, "reviews", _write_reviews)


def _write_reviews(folder):
    tiny_reviews.write(folder / "train.csv", tiny_reviews.rows(96, seed=1))
    tiny_reviews.write(folder / "dev.tsv", tiny_reviews.rows(24, seed=2))
    tiny_reviews.write(folder / "test.jsonl.gz", tiny_reviews.rows(25, seed=3))
