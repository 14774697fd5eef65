"""What the proof refuses, each with its culprit, on versions of ours that were spoilt and on foreign ones."""

import dataclasses
import json
import random
import shutil

import keras
import keras_hub
import numpy as np
import pytest
import tensorflow as tf

from tests.tiny_encoders import VOCABULARY
from tests.trainer.export.conftest import DEV, LENGTH, train
from trainer.config import EnvironmentFault, UserError
from trainer.export import clean_process, hostile, inspection, vocabulary, warmup
from trainer.export import version as version_module
from trainer.export.prove import ProofRefused, prove
from trainer.export.samples import Samples, collect
from trainer.export.version import own_preprocessor
from trainer.models.preprocessor import TEXT_BYTES
from trainer.models.wordpiece import NormalizerSettings, WordPiece

TEXT = [tf.TensorSpec([None], tf.string, name="text")]


@pytest.fixture(scope="module")
def samples(trained):
    return collect(DEV, None, 256, trained.task, trained.answers)


@pytest.fixture(scope="module")
def few(trained):
    """Samples small enough to ask a foreign version for."""
    return Samples([b"a film", b"the"], None, 2, 0, trained.task, np.zeros((2, 3), np.float32))


def refusal(version, samples, **given):
    with pytest.raises(ProofRefused) as refused:
        prove(version, samples, **given)
    line = str(refused.value)
    assert refused.value.exit_code == 3 and "\n" not in line
    return line.removeprefix("the proof refuses this version: ")


# Versions of other makers.


def test_a_kerashub_export_has_no_text_signature(trained, few, tmp_path):
    classifier = keras_hub.models.BertTextClassifier(trained.encoder.backbone, num_classes=3)
    classifier.export(str(tmp_path / "1"), verbose=False)
    line = refusal(tmp_path / "1", few)
    assert line.startswith("no text signature: serving_default takes padding_mask: ")
    assert "token_ids: " in line and line.endswith("it must take text: string")


class RoundRobin:
    """KerasHub's own tokenizer and default packer in place of Slipway's preprocessor."""

    def __init__(self, folder, given):
        self.tokenizer = keras_hub.models.BertTokenizer.from_preset(str(folder))
        self.packer = keras_hub.models.BertTextClassifierPreprocessor(self.tokenizer, sequence_length=LENGTH)
        self.sequence_length, self.features, self.fingerprint = LENGTH, given.features, given.fingerprint
        self.graph = tf.function(self.pack, input_signature=TEXT)  # eagerly KerasHub runs Python, not its ops

    def pack(self, text):
        text = tf.strings.unicode_transcode(text, "UTF-8", "UTF-8", errors="ignore")
        return self.packer(text)

    def __call__(self, text):
        return self.graph(text), tf.strings.length(text) > TEXT_BYTES


@pytest.fixture
def round_robin(trained, bert_folder):
    packer = RoundRobin(bert_folder, trained.encoder.preprocessor)
    return dataclasses.replace(trained, encoder=dataclasses.replace(trained.encoder, preprocessor=packer))


def test_the_round_robin_packer_is_refused_for_2_19(round_robin, tmp_path):
    with pytest.raises(ProofRefused, match=r"TF Serving 2.19 lacks TFText>RoundRobinTrim: serve with TF Serving 2.20"):
        round_robin.export(tmp_path)


@pytest.mark.slow
def test_the_round_robin_packer_is_accepted_for_2_20(round_robin, bert_folder, tmp_path, monkeypatch):
    own = RoundRobin(bert_folder, round_robin.encoder.preprocessor)
    monkeypatch.setattr(version_module, "own_preprocessor", lambda config, encoder: own)
    config = train(bert_folder, serving_target="2.20").config
    report = round_robin.export(tmp_path, config=config)
    assert "TFText>RoundRobinTrim" in report.contract["ops"]
    assert report.proof["accepted"] and report.proof["serving_target"] == ["2.20"]


def test_a_module_that_holds_a_keras_model_is_refused(few, tmp_path):
    module = tf.Module()
    module.model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(3, name="dense")])
    module.answer = tf.function(
        lambda text: {"probabilities": module.model(tf.cast(tf.strings.length(text), tf.float32)[:, None])},
        input_signature=TEXT,
    )
    tf.saved_model.save(module, str(tmp_path), signatures={"serving_default": module.answer})
    reloaded = tf.saved_model.load(str(tmp_path))  # Python sees nothing wrong
    assert reloaded.answer(tf.constant(["a"]))["probabilities"].shape == (1, 3)
    assert refusal(tmp_path, few).startswith("run: variable not found in a v1 Session: sequential")


def save_plain(folder, function):
    module = tf.Module()
    module.answer = tf.function(function, input_signature=TEXT)
    tf.saved_model.save(module, str(folder), signatures={"serving_default": module.answer})


def test_a_foreign_version_that_runs_has_no_contract(few, tmp_path, in_process):
    save_plain(tmp_path / "1", lambda text: {"probabilities": tf.strings.length(text)})
    assert "contract.json: no such file" in refusal(tmp_path / "1", few)


def test_a_compiled_function_is_refused(few, tmp_path):
    compiled = tf.function(lambda length: length * 2, jit_compile=True)
    save_plain(tmp_path, lambda text: {"probabilities": compiled(tf.strings.length(text))})
    assert "has jit_compile=True; TF Serving, without XLA, answers INTERNAL" in refusal(tmp_path, few)


def test_a_folder_without_a_graph_is_refused(few, tmp_path):
    assert "saved_model.pb: no such file" in refusal(tmp_path, few)


# The vocabulary.


@pytest.mark.parametrize("place", random.Random(0).sample(range(len(VOCABULARY)), 3))
def test_a_vocabulary_with_one_line_changed_is_refused(trained, bert_folder, place, tmp_path):
    words = list(VOCABULARY)
    words[place] = "[UNK]x" if words[place] == "[UNK]" else words[place] + "x"
    preprocessor = own_preprocessor(trained.config, trained.encoder)
    preprocessor.tokenizer = WordPiece(words, unknown=words[1])
    changed = dataclasses.replace(trained, encoder=dataclasses.replace(trained.encoder, preprocessor=preprocessor))
    with pytest.raises(
        ProofRefused, match=r"its vocabulary is sha256:.*, but that of the encoder's own files is sha256:"
    ):
        changed.export(tmp_path)


def test_a_contract_that_claims_the_right_vocabulary_does_not_help(trained, version, samples):
    words = [*VOCABULARY[:-1], "quokka"]  # a word of no text that is compared
    preprocessor = own_preprocessor(trained.config, trained.encoder)
    preprocessor.tokenizer = WordPiece(words)
    contract = json.loads((version / "contract.json").read_text())
    contract["fingerprints"]["vocabulary"] = preprocessor.fingerprint
    (version / "contract.json").write_text(json.dumps(contract))
    line = refusal(version, samples, preprocessor=preprocessor)
    assert line == "the tokenizer inside the graph is not that of the encoder's own files"


def test_every_line_of_the_vocabulary_is_in_the_graph(exported):
    baked = vocabulary.of_version(exported.version_dir)
    assert sum(each.startswith("FastWordpieceTokenizeWithOffsets: sha256:") for each in baked) == 1
    assert vocabulary.UNREADABLE not in str(baked)
    assert baked == vocabulary.of_tokenizer(WordPiece(VOCABULARY))
    for place in [0, 1, 2, *random.Random(1).sample(range(3, len(VOCABULARY)), 6), len(VOCABULARY) - 1]:
        words = list(VOCABULARY)
        words[place] += "x"
        assert baked != vocabulary.of_tokenizer(WordPiece(words, unknown=words[1])), VOCABULARY[place]
    assert baked != vocabulary.of_tokenizer(WordPiece([*VOCABULARY, "more"]))
    assert baked != vocabulary.of_tokenizer(WordPiece(VOCABULARY[::-1]))
    assert baked != vocabulary.of_tokenizer(WordPiece(VOCABULARY, NormalizerSettings(strip_accents=False)))


@pytest.mark.slow
def test_tables_of_a_byte_pair_vocabulary_are_read_too():
    def tokenizer(last):
        pieces = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", "a", "b", "ab", last]
        ids = {piece: place for place, piece in enumerate(pieces)}
        return keras_hub.models.RobertaTokenizer(vocabulary=ids, merges=["a b"])

    class Held:
        def __init__(self, hub):
            self.hub = hub

        def __call__(self, text):
            return self.hub.tokenize(text)

    of = [vocabulary.of_tokenizer(Held(tokenizer(last))) for last in ("x", "y")]
    assert of[0] != of[1] and len(of[0] & of[1]) > 1


# Versions of ours, spoilt.


def test_a_missing_warmup_is_refused(version, samples):
    shutil.rmtree(version / "assets.extra")
    assert refusal(version, samples).startswith("no warm-up: assets.extra/tf_serving_warmup_requests is missing")


def test_a_signature_without_warmup_is_refused(exported, version, samples):
    contract = json.loads((version / "contract.json").read_text())
    del contract["signatures"]["embed"]
    warmup.write(version, contract)
    assert refusal(version, samples) == "the warm-up has no record for signature embed"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"signatures": {}}, "contract.json names other signatures than the graph has"),
        ({"ops": []}, "contract.json names other ops than the graph has"),
        ({"serving_target": ["2.20"]}, "contract.json names other TF Serving releases than 2.19"),
        ({"schema_version": "2.0"}, "schema 2.0 is newer than 1.0"),
    ],
)
def test_a_contract_that_is_not_of_the_graph_is_refused(version, samples, change, named):
    contract = json.loads((version / "contract.json").read_text()) | change
    (version / "contract.json").write_text(json.dumps(contract))
    assert named in refusal(version, samples, targets=["2.19"])


def test_a_contract_that_is_not_the_signatures_is_refused(version, samples, in_process):
    contract = json.loads((version / "contract.json").read_text()) | {"model_name": "other"}
    (version / "contract.json").write_text(json.dumps(contract))
    assert refusal(version, samples) == "the signature contract does not answer with the text of contract.json"


def test_the_warmup_must_run(trained, version, samples, in_process):
    contract = json.loads((version / "contract.json").read_text())
    contract["signatures"]["serving_default"]["inputs"] = {"text": {}, "words": {}}
    warmup.write(version, contract)
    assert refusal(version, samples).startswith("warm-up: warm-up record ")


def test_other_weights_are_refused(trained, version, samples, in_process):
    other = dataclasses.replace(samples, reference=samples.reference[::-1])
    assert refusal(version, other).startswith("difference from the trained model is 0.")


def test_a_model_that_looks_at_its_neighbours_is_refused(trained, tmp_path, in_process):
    """Normalized over the batch: each row's answer depends on the rows that it is asked with."""
    tokens = keras.layers.Lambda(lambda x: x - keras.ops.mean(x, axis=0, keepdims=True))
    body = trained.model.get_layer("embedding").output
    model = keras.Model(trained.model.input, keras.layers.Dense(3, name="logits")(tokens(body)))
    neighbourly = dataclasses.replace(trained, model=model, served=model)
    with pytest.raises(ProofRefused, match=r"difference of a single row from the batch is 0.\d+, allowed is 1e-04"):
        neighbourly.export(tmp_path)


# The texts and the clean process.


def test_the_hostile_list_is_hostile():
    texts = hostile.hostile_texts()
    assert len(texts) == len(set(texts)) >= 57
    assert {b"", b"\x00", b" ", "\ufffd".encode(), b"[CLS] [SEP] [MASK] ##a"} <= set(texts)
    assert sum(not _is_utf8(text) for text in texts) >= 5
    assert any(len(text) > 5000 for text in texts)
    cut, blank = hostile.oversized_texts()
    assert min(len(cut), len(blank)) > 1 << 20
    assert not _is_utf8(cut[: 1 << 20])


def _is_utf8(text):
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def test_samples_cover_short_and_long_dev_texts(trained):
    seen = []

    def reference(texts, pairs):
        seen.append((texts, pairs))
        return {"probabilities": np.full((len(texts), 3), 1 / 3)}

    dev = ["x" * n for n in range(100)]
    samples = collect(dev, dev[::-1], 5, trained.task, reference)
    assert [len(text) for text in samples.texts[:5]] == [0, 25, 50, 74, 99]
    assert [len(text) for text in samples.pairs[:5]] == [99, 74, 49, 25, 0]
    assert len(samples.texts) == len(samples.pairs) == len(samples.reference)
    assert [text for texts, _ in seen for text in texts] == samples.texts
    assert all(isinstance(text, bytes) for text in samples.texts + samples.pairs)


def test_a_clean_process_that_hangs_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(clean_process, "TIMEOUT", 0.01)
    with pytest.raises(EnvironmentFault, match=r"did not end within 0\.01 seconds"):
        clean_process.ask(tmp_path, [], tmp_path)


def test_a_clean_process_that_dies_is_no_refusal(tmp_path, monkeypatch):
    monkeypatch.setattr(clean_process.sys, "executable", "/bin/false")
    with pytest.raises(EnvironmentFault, match="ended with exit code 1"):
        clean_process.ask(tmp_path, [], tmp_path)


def test_refusals_are_the_users_to_mend():
    assert issubclass(inspection.ProofRefused, UserError) and inspection.ProofRefused.exit_code == 3
