"""The whole way, proof and all, with every kind of encoder folder."""

import json

import pytest

from tests import tiny_encoders
from tests.commands import run_main

pytestmark = pytest.mark.slow

FOLDERS = {
    "roberta": tiny_encoders.roberta_folder,
    "distilbert": tiny_encoders.distilbert_folder,
    "keras hub": tiny_encoders.keras_hub_folder,
    "cased bert": lambda folder: tiny_encoders.bert_folder(folder, lowercase=False, files=("tokenizer.json",)),
}


@pytest.mark.parametrize("kind", FOLDERS)
def test_from_texts_to_a_proven_version(flags, tmp_path, kind):
    folder = FOLDERS[kind](tmp_path / "encoder")
    done = run_main(*flags, f"--encoder={folder}", f"--workdir={tmp_path}/run", "--epochs=1", "--json")
    assert done.code == 0, done.err
    results = json.loads(done.out)
    assert "8 dev texts" in results["export"]["proof"] and results["export"]["max_difference"] < 1e-5
