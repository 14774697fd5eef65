"""Versions in bfloat16: small, near the trained model, and refused where they are not near enough."""

import dataclasses
import pathlib
import subprocess
import sys

import keras_hub
import numpy as np
import pytest

from serving import contract as schema
from serving import exchange, loader
from serving.client import Client
from serving.release.publish import publish
from tests.commands import ROOT
from tests.trainer.export.conftest import DEV, train
from trainer.config import UserError
from trainer.export import accuracy, limits, wording
from trainer.export.compare import Differs
from trainer.export.prove import ProofRefused, prove
from trainer.export.samples import collect
from trainer.models import precisions


def gentle(folder, **flags):
    """Trained, whose probabilities do not leap at a rounding: its head is small, as one that was trained."""
    trained = train(folder, **flags)
    head = trained.model.get_layer("logits").kernel
    head.assign(head / 4)
    trained.served.get_layer("logits").kernel.assign(head)
    return trained


@pytest.fixture(scope="module")
def half(bert_folder):
    return gentle(bert_folder, serving_precision="bfloat16", proof_mixed_precision=True, model_name="half")


@pytest.fixture(scope="module")
def report(half, tmp_path_factory):
    """ExportReport in bfloat16, proven under mixed precision too; leave its files as they are."""
    out_dir = tmp_path_factory.mktemp("run") / "export"
    return half.export(out_dir, dev_labels=half.labels())


def test_it_is_near_the_trained_model_but_not_the_same(half, report):
    with loader.ServedVersion(report.version_dir) as served:
        answer = served.run("serving_default", {"text": exchange.strings(DEV)})["probabilities"]
    difference = np.abs(answer - half.probabilities(DEV, None)).max()
    assert 1e-5 < difference <= report.proof["max_difference"] + 1e-6
    assert report.proof["max_difference"] < report.proof["tolerance"] == 2e-2


def test_kernels_and_tokens_take_half_the_bytes(report, exported):
    def bytes_of(version, dtype):
        nodes = [node.attr for node in loader.graph_nodes(loader.read_saved_model(version))]
        shapes = [each["shape"].shape for each in nodes if "shared_name" in each and each["dtype"].type == dtype]
        constants = [each["value"].tensor for each in nodes if "value" in each]
        shapes += [each.tensor_shape for each in constants if each.dtype == dtype and each.tensor_shape.dim]
        return sum(np.prod([dim.size for dim in shape.dim]) for shape in shapes)

    assert bytes_of(exported.version_dir, 14) == 0
    reduced, rest = (bytes_of(report.version_dir, dtype) for dtype in (14, 1))
    assert reduced + rest == bytes_of(exported.version_dir, 1)
    assert reduced > 0.6 * (reduced + rest), "of a real encoder 99 %"


def test_contract_and_proof_say_it(report, exported):
    assert report.contract["precision"] == report.proof["precision"] == "bfloat16"
    assert exported.contract["precision"] == exported.proof["precision"] == "float32"
    figures = {"rows": len(DEV), "version": 1.0, "trained_model": 1.0, "allowed_loss": 0.003}
    assert report.proof["accuracy"] == {"measure": "accuracy", **figures}
    assert "accuracy" not in exported.proof and "mixed_precision" not in exported.proof
    assert schema.check_proven(report.version_dir) == report.proof
    card = (report.version_dir / "model_card.md").read_text()
    for text in (report.line(), " ".join(card.split())):
        assert "in bfloat16" in text and "accuracy on 7 dev rows 100.00%, the trained model's 100.00%" in text
    assert "in float32" in (exported.version_dir / "model_card.md").read_text()


def test_mixed_precision_is_proven_or_said_to_do_nothing(report):
    found = report.proof["mixed_precision"]
    assert found["tolerance"] == 2e-2 and found["max_difference"] <= 2e-2 and found["flips"] >= 0
    assert found["at_work"] == (found["changed"] > 1e-5)
    flags = pathlib.Path("/proc/cpuinfo").read_text().split()
    if "avx512_bf16" in flags or "amx_bf16" in flags:
        assert found["at_work"] and "under --mixed_precision=bfloat16 largest difference" in report.line()
    idle = report.proof | {"mixed_precision": found | {"at_work": False}}
    assert "changes nothing on this CPU, so that nothing is proven of it" in wording.line(idle)


def test_each_precision_and_each_way_of_proving_is_a_version_of_its_own(half, report, in_process):
    folder, labels = report.version_dir.parent, half.labels()
    again = half.export(folder, dev_labels=labels)
    assert again.reused and again.version_dir == report.version_dir and again.proof == report.proof
    for change in ({"serving_precision": "float32", "proof_mixed_precision": False}, {"proof_mixed_precision": False}):
        flags = dataclasses.replace(half.config.export, **change)
        other = half.export(folder, dev_labels=labels, config=dataclasses.replace(half.config, export=flags))
        assert not other.reused and other.version_dir != report.version_dir
        assert other.contract["precision"] == flags.serving_precision and "mixed_precision" not in other.proof


def test_a_weight_that_is_another_is_refused(half, tmp_path, in_process, monkeypatch):
    right = precisions.in_precision

    def wrong(weights, precision):
        held = right(weights, precision)
        held.layers[-1].widening *= 1.2
        return held

    monkeypatch.setattr(precisions, "in_precision", wrong)
    line = (
        r"bfloat16: difference from the trained model is 0\.\d+, allowed is 2e-02, on .*; give --serving_precision=fl"
    )
    with pytest.raises(ProofRefused, match=line) as refusal:
        half.export(tmp_path, dev_labels=half.labels())
    assert refusal.value.exit_code == 3 and "\n" not in str(refusal.value)
    assert not list(tmp_path.glob("[!.]*"))


def test_accuracy_lost_within_the_tolerance_is_refused(half, tmp_path, in_process):
    """Where every probability is a third, the tolerance lets any label flip: the accuracy does not."""
    weights = half.model.get_weights()
    try:
        for model in (half.model, half.served):
            head = model.get_layer("logits")
            head.kernel.assign(0 * head.kernel)
            head.bias.assign([0.0, 0.0, 0.005])

        def reference(texts, pairs):
            said = np.array([half.task.labels[0].encode()] * len(texts), object)
            return {"probabilities": np.tile(np.float32([[0.335, 0.3325, 0.3325]]), (len(texts), 1)), "label": said}

        line = (
            r"bfloat16: accuracy on all 7 dev rows is 0.00%, the trained model's 100.00%; allowed is a loss of 0.3 po"
        )
        with pytest.raises(ProofRefused, match=line):
            half.export(tmp_path, reference=reference, dev_labels=["bad"] * len(DEV))
    finally:
        half.model.set_weights(weights)
        half.served.set_weights(weights)
    assert not list(tmp_path.glob("[!.]*"))


@pytest.mark.parametrize(("given", "loses"), [(0.9, False), (0.897, False), (0.8969, True), (1.0, False)])
def test_three_tenths_of_a_point_may_be_lost(given, loses):
    assert accuracy.loses(given, 0.9, 0.003) == loses


def test_every_dev_row_counts(half):
    texts = [f"{'great ' * (n % 9)}film" for n in range(70)]
    dev = accuracy.judged(texts, None, ["good"] * 70, half.task, half.answers)
    assert sorted(dev.texts) == sorted(text.encode() for text in texts) and 0 <= dev.reference <= 1
    rows = [row for _, each in dev.requests() for row in each]
    assert rows == list(range(70)) and list(map(len, dev.texts)) == sorted(map(len, texts))
    answers = {key: {"label": np.array([b"good"] * len(key[1]), object)} for key in dev.requests()}
    assert dev.accuracy(answers) == 1
    answers["dev", tuple(range(32))]["label"][:7] = b"bad"
    assert dev.accuracy(answers) == 0.9
    with pytest.raises(Differs, match="accuracy on all 70 dev rows is 90.00%"):
        accuracy.check(dataclasses.replace(dev, reference=0.95), answers, 0.003)


def test_without_labelled_rows_its_accuracy_is_unproven(half, report, in_process):
    samples = collect(DEV, None, 256, half.task, half.answers)
    with pytest.raises(ProofRefused, match="bfloat16: its limits are also those of accuracy, and no labelled dev rows"):
        prove(report.version_dir, samples)


def test_pairs_of_texts(bert_folder, tmp_path, in_process):
    trained = gentle(bert_folder, pair=True, serving_precision="bfloat16")
    report = trained.export(tmp_path, dev_labels=trained.labels())
    assert report.proof["accuracy"]["version"] == 1


def test_an_encoder_without_such_a_form_is_refused_before_training(trained):
    albert = keras_hub.models.AlbertBackbone(
        vocabulary_size=9, num_layers=1, num_heads=1, hidden_dim=2, intermediate_dim=2, embedding_dim=2
    )
    encoder = dataclasses.replace(trained.encoder, backbone=albert)
    for precision in ("bfloat16", "int8"):
        flags = dataclasses.replace(trained.config.export, serving_precision=precision)
        with pytest.raises(
            UserError, match=f"--serving_precision={precision}: allowed for AlbertBackbone is float32"
        ) as no:
            limits.check_precision(dataclasses.replace(trained.config, export=flags), encoder)
        assert no.value.exit_code == 2
    limits.check_precision(trained.config, encoder)


def test_the_server_answers_as_the_version_does(report, tmp_path):
    publish(report.version_dir, tmp_path / "half")
    command = [sys.executable, "-m", "serving.server", f"--model_base_path={tmp_path}/half", "--port=0"]
    with (
        loader.ServedVersion(report.version_dir) as version,
        subprocess.Popen(
            [*command, "--engine=embedded"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as process,
    ):
        ready = process.stdout.readline()
        try:
            assert ready.startswith("READY model=half"), ready
            with Client(ready.split("grpc=")[1].split()[0], model="half", deadline=120) as client:
                answers = client.predict(DEV)
                assert client.contract["precision"] == "bfloat16"
        finally:
            process.terminate()
        expected = version.run("serving_default", {"text": exchange.strings(DEV)})
    assert [answer.label for answer in answers] == [label.decode() for label in expected["label"]]
    np.testing.assert_allclose([answer.score for answer in answers], expected["score"], atol=1e-6)
