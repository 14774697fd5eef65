"""A trained model becomes a proven version, whole or not at all."""

import dataclasses
import json
import os
import re

import numpy as np
import pytest
import tensorflow as tf

from serving import contract as schema
from serving import exchange, loader, opsets
from serving.contract import ServingError
from tests.trainer.export.conftest import DEV, train
from trainer.config import EnvironmentFault, UserError
from trainer.export import staging, warmup
from trainer.export.prove import ProofRefused


def names(folder):
    return sorted(each for each in os.listdir(folder) if each != ".lock")


@pytest.fixture(scope="module")
def served(exported):
    with loader.ServedVersion(exported.version_dir) as served:
        yield served


def test_a_version_is_proven_and_complete(exported):
    version = exported.version_dir
    assert names(version.parent) == [version.name]
    assert names(version) == [
        "assets",
        "assets.extra",
        "contract.json",
        "model_card.md",
        "proof.json",
        "saved_model.pb",
        "variables",
    ]
    proof = schema.check_proven(version)
    assert proof == exported.proof
    assert (proof["texts"], proof["flips"], proof["tolerance"]) == (len(DEV), 0, 1e-4)
    assert proof["hostile"] >= 59 and proof["max_difference"] < 1e-5 and proof["max_batch_difference"] < 1e-5
    assert re.match(r"proof: 7 dev texts and \d+ hostile texts compared, largest difference .*e-0\d ", exported.line())


def test_the_contract_says_what_the_version_takes_and_gives(exported, served):
    contract = schema.read_contract(exported.version_dir)
    assert contract == exported.contract
    assert contract["labels"] == ["bad", "good", "unsure"]
    assert contract["limits"] == {"tokens": 12, "text_bytes": 1 << 20}
    assert contract["serving_target"] == ["2.19"]
    assert contract["ops"] == sorted(loader.graph_ops(exported.version_dir / "saved_model.pb"))
    assert not opsets.missing_ops(contract["ops"], opsets.known_targets())
    assert set(contract["signatures"]) == {"serving_default", "classify", "embed", "contract"}
    assert contract["signatures"]["serving_default"] == {
        "method": "predict",
        "inputs": {"text": {"dtype": "string", "shape": [None]}},
        "outputs": {
            "label": {"dtype": "string", "shape": [None]},
            "score": {"dtype": "float32", "shape": [None]},
            "probabilities": {"dtype": "float32", "shape": [None, 3]},
            "truncated": {"dtype": "bool", "shape": [None]},
            "abstain": {"dtype": "bool", "shape": [None]},
        },
    }
    assert contract["signatures"]["embed"]["outputs"] == {"embedding": {"dtype": "float32", "shape": [None, 8]}}
    assert served.signatures["classify"].method_name == "tensorflow/serving/classify"


def test_the_contract_is_also_a_signature(exported, served):
    value = served.run("contract", {"key": exchange.strings(["contract", "", "proof"])})["value"]
    assert value.tolist() == [(exported.version_dir / "contract.json").read_bytes(), b"", b""]


def test_answers_are_the_trained_models(trained, served):
    answer = served.run("serving_default", {"text": exchange.strings(DEV)})
    expected = trained.probabilities(DEV, None)
    np.testing.assert_allclose(answer["probabilities"], expected, atol=1e-6)
    assert [label.decode() for label in answer["label"]] == [trained.task.labels[i] for i in expected.argmax(axis=1)]
    np.testing.assert_allclose(answer["score"], expected.max(axis=1), atol=1e-6)
    assert answer["truncated"].tolist() == [len(text.split()) > 10 for text in DEV]
    assert not answer["abstain"].any()


def test_classify_takes_examples(served):
    examples = [example.SerializeToString() for example in warmup.examples({"text": [b"a great film", b"\xff\x00"]})]
    answer = served.run("classify", {"inputs": exchange.strings(examples)})
    plain = served.run("serving_default", {"text": exchange.strings([b"a great film", b"\xff\x00"])})
    assert answer["classes"].tolist() == [[b"bad", b"good", b"unsure"]] * 2
    np.testing.assert_allclose(answer["scores"], plain["probabilities"], atol=1e-6)


def test_every_weight_is_written_once(exported, trained):
    saved = tf.train.load_checkpoint(str(exported.version_dir / "variables/variables")).get_variable_to_shape_map()
    numbers = sum(np.prod(shape, dtype=int) for name, shape in saved.items() if name.endswith("VARIABLE_VALUE"))
    graph = loader.graph_nodes(loader.read_saved_model(exported.version_dir))
    constants = [node.attr["value"].tensor for node in graph if node.op == "Const" and node.attr["dtype"].type == 1]
    numbers += sum(
        np.prod([dim.size for dim in each.tensor_shape.dim], dtype=int) for each in constants if each.tensor_shape.dim
    )
    assert 0 <= numbers - trained.model.count_params() < 100


def test_the_model_card_names_encoder_data_and_proof(exported):
    card = (exported.version_dir / "model_card.md").read_text()
    for part in ("bad, good, unsure", "sha256:data", "TF Serving 2.19", "7 dev texts", "## Scores"):
        assert part in card


def test_the_same_export_again_is_the_one_that_is_there(trained, exported):
    before = exported.version_dir.stat().st_mtime_ns
    again = trained.export(exported.version_dir.parent)
    assert again.reused and again.version_dir == exported.version_dir
    assert (again.contract, again.proof) == (exported.contract, exported.proof)
    assert exported.version_dir.stat().st_mtime_ns == before


def test_an_export_that_was_edited_since_is_not_handed_out(trained, exported, version, tmp_path):
    place = tmp_path / exported.version_dir.name
    os.rename(version, place)
    (place / "variables/variables.index").write_bytes(b"other")
    with pytest.raises(UserError, match=r"variables.index is not the file that was proven.*remove"):
        trained.export(tmp_path)


def test_a_refused_export_leaves_the_others_alone(trained, exported, in_process):
    folder, hashes = exported.version_dir.parent, schema.file_hashes(exported.version_dir)
    flags = dataclasses.replace(trained.config.export, proof_texts=3)

    def wrong(texts, pairs):
        answers = trained.answers(texts, pairs)
        return answers | {"probabilities": answers["probabilities"] + np.float32(2e-4)}

    with pytest.raises(ProofRefused, match=r"difference from the trained model is 0.0002, allowed is 1e-04") as refusal:
        trained.export(folder, reference=wrong, config=dataclasses.replace(trained.config, export=flags))
    assert refusal.value.exit_code == 3 and "\n" not in str(refusal.value)
    assert names(folder) == [exported.version_dir.name]
    assert schema.file_hashes(exported.version_dir) == hashes


def test_what_a_killed_export_left_is_removed(tmp_path):
    (tmp_path / ".staging-old" / "version").mkdir(parents=True)
    with staging.staged(tmp_path) as folder:
        assert names(tmp_path) == [folder.name]
    assert names(tmp_path) == []


def test_two_exports_into_one_folder_do_not_meet(tmp_path):
    with (
        staging.staged(tmp_path),
        pytest.raises(UserError, match="another export is writing there"),
        staging.staged(tmp_path),
    ):
        pass


@pytest.mark.parametrize(
    "failure", [OSError(28, "No space left on device"), RuntimeError("x; No space left on device")]
)
def test_a_full_disk_is_said_in_one_line_and_nothing_is_kept(tmp_path, failure):
    with (
        pytest.raises(EnvironmentFault, match=r"disk full at .*: free some space") as fault,
        staging.staged(tmp_path) as folder,
    ):
        (folder / "half").write_text("written")
        raise failure
    assert fault.value.exit_code == 5
    assert names(tmp_path) == []


def test_a_disk_too_small_is_found_before_anything_is_written(tmp_path):
    with pytest.raises(EnvironmentFault, match=r"the export needs .* MB, .* MB are free"):
        staging.check_free(tmp_path, 1 << 60)


def test_an_unknown_serving_target_is_the_users_mistake(bert_folder, tmp_path):
    trained = train(bert_folder, serving_target="2.21")
    with pytest.raises(ServingError, match=r"did you mean 2.20") as mistake:
        trained.export(tmp_path)
    assert mistake.value.exit_code == 2


def test_pairs_of_texts(bert_folder, tmp_path, in_process):
    trained = train(bert_folder, pair=True, serving_target="2.19,2.20")
    report = trained.export(tmp_path)
    assert json.loads((report.version_dir / "contract.json").read_text())["serving_target"] == ["2.19", "2.20"]
    with loader.ServedVersion(report.version_dir) as served:
        inputs = {"text": exchange.strings(DEV), "text_pair": exchange.strings(DEV[::-1])}
        answer = served.run("serving_default", inputs)["probabilities"]
        np.testing.assert_allclose(answer, trained.probabilities(DEV, DEV[::-1]), atol=1e-6)
        assert (
            np.abs(
                answer - served.run("serving_default", inputs | {"text_pair": inputs["text"]})["probabilities"]
            ).max()
            > 1e-3
        )
