"""An encoder that is written and read back is the same, bit for bit, whatever folder it came from."""

import json

import keras
import numpy as np
import pytest
import safetensors.numpy

from data import bert_folder
from tests import tiny_encoders
from tests.tiny_encoders import LENGTH, VOCABULARY
from trainer.models import encoder_files, head_files
from trainer.models.encoder import load_encoder
from trainer.models.masked_head import masked_head
from trainer.models.wordpiece import NormalizerSettings

FOLDERS = {
    "bert": tiny_encoders.bert_folder,
    "bert with a prefix": lambda folder: tiny_encoders.bert_folder(folder, prefix="bert."),
    "bert without a pooler": lambda folder: tiny_encoders.bert_folder(folder, pooler=False),
    "cased bert": lambda folder: tiny_encoders.bert_folder(folder, lowercase=False, files=("tokenizer.json",)),
    "distilbert": tiny_encoders.distilbert_folder,
    "roberta": tiny_encoders.roberta_folder,
    "keras hub": tiny_encoders.keras_hub_folder,
}
TEXTS = ["The plot is great , é and 中国", "a dull film"]


def trained(folder, from_scratch=False):
    """The encoder of a folder after steps that moved every weight."""
    keras.utils.set_random_seed(1)
    encoder = load_encoder(str(folder), "", 16, from_scratch)
    rng = np.random.default_rng(1)
    for variable in encoder.backbone.weights:
        variable.assign(variable.numpy() + rng.normal(size=variable.shape).astype(np.float32) / 10)
    return encoder


def vectors(encoder):
    found = encoder.backbone(encoder.preprocessor(TEXTS)[0], training=False)
    return (found["sequence_output"] if isinstance(found, dict) else found).numpy()


def built_head(encoder):
    head = masked_head(encoder)
    head.build((None, None, encoder.backbone.hidden_dim), (None, None))
    return head


@pytest.mark.parametrize("kind", FOLDERS)
def test_read_back_it_is_the_same(tmp_path, kind):
    encoder = trained(FOLDERS[kind](tmp_path / "source"))
    (tmp_path / "written").mkdir()
    encoder_files.write(encoder, tmp_path / "written", built_head(encoder))
    again = load_encoder(str(tmp_path / "written"), "", 16)
    encoder_files.check(encoder, again)
    np.testing.assert_array_equal(vectors(again), vectors(encoder))
    assert again.has_pooler == encoder.has_pooler and again.preprocessor.fingerprint == encoder.preprocessor.fingerprint
    assert not np.allclose(vectors(again), vectors(load_encoder(str(tmp_path / "source"), "", 16)), atol=1e-2)


@pytest.mark.parametrize("kind", [kind for kind in FOLDERS if kind != "keras hub"])
def test_the_head_goes_with_it_so_that_pre_training_can_go_on(tmp_path, kind):
    encoder = trained(FOLDERS[kind](tmp_path / "source"))
    head = built_head(encoder)
    for variable in head.weights:
        variable.assign(np.random.default_rng(2).normal(size=variable.shape))
    (tmp_path / "written").mkdir()
    encoder_files.write(encoder, tmp_path / "written", head)
    again = load_encoder(str(tmp_path / "written"), "", 16)
    other = built_head(again)
    assert head_files.load(other, again.folder, json.loads((again.folder / "config.json").read_text()))
    for one, two in zip(head.weights, other.weights, strict=True):
        np.testing.assert_array_equal(one.numpy(), two.numpy())


def test_of_a_folder_without_weights_the_layout_is_hugging_faces(tmp_path):
    size = bert_folder.Size(tiny_encoders.LAYERS, tiny_encoders.WIDTH, tiny_encoders.HEADS, tiny_encoders.INNER, LENGTH)
    for name in ("new", "written"):
        (tmp_path / name).mkdir()
    bert_folder.write(tmp_path / "new", VOCABULARY, NormalizerSettings(), size)
    encoder = trained(tmp_path / "new", from_scratch=True)
    encoder_files.write(encoder, tmp_path / "written", built_head(encoder))
    found = safetensors.numpy.load_file(tmp_path / "written/model.safetensors")
    expected = tiny_encoders.bert_arrays(len(VOCABULARY), pooler=False)
    encoders = {n.removeprefix("bert."): array.shape for n, array in found.items() if n.startswith("bert.")}
    assert encoders == {name: array.shape for name, array in expected.items()}
    again = load_encoder(str(tmp_path / "written"), "", 16)
    encoder_files.check(encoder, again)
    assert not again.has_pooler and again.revision.startswith("sha256:")
    np.testing.assert_array_equal(vectors(again), vectors(encoder))


def test_another_encoder_is_not_taken_for_the_same(bert_folder, tmp_path):
    encoder = load_encoder(str(bert_folder), "", 16)
    with pytest.raises(ValueError, match="differs"):
        encoder_files.check(encoder, trained(bert_folder))
    cased = tiny_encoders.bert_folder(tmp_path / "cased", lowercase=False)
    with pytest.raises(ValueError, match="tokenizer"):
        encoder_files.check(encoder, load_encoder(str(cased), "", 16))
