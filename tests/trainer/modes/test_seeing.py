"""What a run shows of itself: TensorBoard's tabs, report.html, the model card's figures."""

import json
import re

import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import text_format
from tensorboard.backend.event_processing import event_accumulator
from tensorboard.plugins.hparams import plugin_data_pb2
from tensorboard.plugins.projector import ProjectorConfig

from tests.commands import run_main
from tests.trainer.report.test_page import check_closed


def tensors(folder):
    """({tag: [(step, array)]}, {tag: plugin's data}) of the events in a folder."""
    found = event_accumulator.EventAccumulator(str(folder), size_guidance={"tensors": 0}).Reload()
    tags = found.Tags()["tensors"]
    values = {tag: [(e.step, tf.make_ndarray(e.tensor_proto)) for e in found.Tensors(tag)] for tag in tags}
    return values, {tag: found.SummaryMetadata(tag).plugin_data for tag in [*tags, *found.summary_metadata]}


@pytest.fixture(scope="module")
def dev(trained):
    return tensors(trained.workdir / "tensorboard" / "dev")[0]


def test_every_evaluation_is_drawn(trained, dev):
    steps = [evaluation["step"] for evaluation in trained.results["train"]["evaluations"]]
    for name in ("confusion", "precision_recall", "calibration"):
        pictures = dev[f"pictures/{name}"]
        assert [step for step, _ in pictures] == steps
        width, height, encoded = pictures[-1][1][:3]
        assert tf.io.decode_png(encoded).shape == (int(height), int(width), 3) and int(width) > 300


def test_labels_have_curves_of_their_own(trained, dev):
    per_class = json.loads((trained.workdir / "per_class.json").read_text())["dev"]
    best = trained.results["train"]["best_step"]
    for each in per_class:
        for name in ("precision", "recall", "f1"):
            points = {step: float(value) for step, value in dev[f"{name}/{each['label']}"]}
            assert len(points) == 4 and points[best] == pytest.approx(each[name])
    assert all(0 <= float(value) <= 1 for _, value in dev["calibration_error"])


def test_mistakes_are_a_table_of_texts(trained, dev):
    first = trained.results["train"]["evaluations"][0]
    step, text = dev["worst_mistakes"][0]
    rows = text.item().decode().splitlines()[2:] if first["accuracy"] < 1 else []
    assert step == first["step"] and len(rows) == round(24 * (1 - first["accuracy"]))
    assert all(re.match(r"\| \d+ \| (positive → negative|negative → positive) \(0\.\d{3}\) \| ", row) for row in rows)


def test_hparams_hold_the_flags_and_the_final_scores(trained):
    values, plugins = tensors(trained.workdir / "tensorboard" / "results")
    assert float(values["test/accuracy"][0][1]) == pytest.approx(trained.results["test"]["accuracy"])
    data = plugin_data_pb2.HParamsPluginData.FromString(plugins["_hparams_/session_start_info"].content)
    flags = data.session_start_info.hparams
    assert data.session_start_info.group_name.startswith("reviews-")
    assert flags["learning_rate"].number_value == 1e-2 and flags["pooling"].string_value == "mean"
    assert flags["seed"].number_value == 3 and flags["precision"].string_value == "float32"


def test_the_projector_has_every_dev_text(trained, dev):
    folder = trained.workdir / "tensorboard" / "dev"
    config = text_format.Parse((folder / "projector_config.pbtxt").read_text(), ProjectorConfig())
    vectors = np.loadtxt(folder / config.embeddings[0].tensor_path)
    rows = (folder / config.embeddings[0].metadata_path).read_text().splitlines()[1:]
    assert vectors.shape == (24, 8) and len(rows) == 24
    right = sum(row.endswith("\tyes") for row in rows)
    assert right / 24 == pytest.approx(trained.results["dev"]["accuracy"])
    sides = np.array([row.split("\t")[1] == "positive" for row in rows])
    apart = np.linalg.norm(vectors[sides].mean(axis=0) - vectors[~sides].mean(axis=0))
    assert apart > 0.5, "the vectors are those of the trained weights"


def test_the_report_is_whole_and_closed(trained):
    text = check_closed((trained.workdir / "report.html").read_text(encoding="utf-8")).text
    for part in ("Gradient norm", "Tokens per second", "positive", "accepted", "12 13", "48 steps", "--pooling"):
        assert part in text, part


def test_evaluate_and_export_renew_it(copied):
    report = copied.workdir / "report.html"
    for mode in ("evaluate", "export"):
        report.unlink()
        command = (*copied.flags, f"--workdir={copied.workdir}", f"--mode={mode}", "--json", "--projector_texts=0")
        assert run_main(*command).code == 0
        assert "Label by label" in report.read_text(encoding="utf-8")


def test_the_same_command_again_adds_nothing_to_tensorboard(copied):
    before = {path: path.stat().st_size for path in (copied.workdir / "tensorboard").rglob("*")}
    done = run_main(*copied.flags, f"--workdir={copied.workdir}", "--noexport", "--json")
    assert done.code == 0 and "embedding" not in done.err
    assert {path: path.stat().st_size for path in (copied.workdir / "tensorboard").rglob("*")} == before


def test_the_model_card_has_the_figures(trained):
    (card,) = (trained.workdir / "export").glob("*/model_card.md")
    text = card.read_text(encoding="utf-8")
    for part in ("## Intended use", "one of 2 labels each: negative, positive", "| test | ", "| positive | "):
        assert part in text, part
    assert f"{trained.results['test']['accuracy']:.4g}" in text


def test_profiled_steps_are_in_the_workdir(trained, tmp_path):
    command = (*trained.flags, f"--workdir={tmp_path}", "--noexport", "--profile_steps=2,3", "--projector_texts=5")
    done = run_main(*command, "--epochs=1")
    assert done.code == 0, done.err
    assert list(tmp_path.glob("tensorboard/train/plugins/profile/*/*.xplane.pb"))
    assert len((tmp_path / "tensorboard/dev/projector_texts.tsv").read_text().splitlines()) == 6


@pytest.mark.parametrize(
    "flag, said",
    [
        ("--profile_steps=5", "--profile_steps=5: allowed is FIRST,LAST"),
        ("--profile_steps=0,3", "two steps from 1, such as 10,15"),
        ("--profile_steps=7,3", "allowed is FIRST,LAST"),
        ("--profile_steps=47,49", "--profile_steps=47,49: the run has 48 steps"),
        ("--projector_texts=-1", "--projector_texts=-1: allowed is 0 to 10000"),
    ],
)
def test_mistakes(trained, tmp_path, flag, said):
    done = run_main(*trained.flags, f"--workdir={tmp_path / 'run'}", flag)
    assert done.code == 2 and said in done.error() and not (tmp_path / "run").exists()
