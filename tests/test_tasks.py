"""Every task over the same road: trained, proven, served, and answered by the client as `--mode=predict` answers."""

import json
import pathlib
import shutil

import numpy as np
import pytest
import tensorflow as tf

from benchmarks import graph_ops
from serving.client import Client
from serving.contract import check_proven, read_contract
from serving.loader import ServedVersion
from serving.release.publish import publish
from tests import tiny_reviews
from tests.commands import run_main
from tests.serving.server.running import Server
from tests.task_walks import WALKS
from tests.tiny_encoders import LAYERS
from tests.walked import LEARN
from trainer.tasks import TASKS

# What learns otherwise than the walk beside it is classification all the same, and takes a minute.
ALL = [pytest.param(name, marks=pytest.mark.slow) if name == "few_shot" else name for name in WALKS]


@pytest.fixture(scope="module", params=ALL)
def walk(request, walked):
    """Walked: after the real command."""
    return walked(request.param)


@pytest.fixture
def served(walk):
    """The walk of a task that goes on to a version."""
    if walk.walk.served is None:
        pytest.skip("it makes an encoder, which tests/trainer/modes/test_mlm.py walks on with")
    return walk


def results_of(workdir):
    return json.loads((workdir / "results.json").read_text())


def predicted(path):
    return [json.loads(line) for line in pathlib.Path(path).read_text("utf-8").splitlines()]


def texts_of(walk, rows):
    """(texts, second texts or None) that the version of a walk takes."""
    takes_pairs = "text_pair" in read_contract(walk.version())["signatures"]["serving_default"]["inputs"]
    pairs = [row["text_pair"] for row in rows] if takes_pairs else None
    return [row["text"] for row in rows], pairs


def proven_texts(walk):
    """Number of dev texts that are compared: of rows of single texts all, of pairs that belong together each text."""
    rows = predicted(walk.data / "dev.jsonl")
    single = 0 if walk.task == "embedding" else len(rows)
    return single + len({row[name] for row in rows if "answer" in row for name in ("text", "answer")})


def test_every_task_has_a_walk():
    assert {walk.task or name for name, walk in WALKS.items()} == set(TASKS)


def test_it_learned(walk):
    name, least = walk.walk.metric
    results = results_of(walk.workdir)
    losses = [each["loss"] for each in results["train"]["evaluations"]]
    assert results["test"][name] > least and losses[-1] < losses[0]


def test_questions_without_an_answer_are_told_apart(walk):
    if walk.task != "span_qa":
        pytest.skip("of span_qa alone")
    results, contract = results_of(walk.workdir), read_contract(walk.version())
    decided = results["decisions"]
    assert results["test"]["f1"] >= decided["always_answered"]["test"]
    assert contract["decisions"] == {"threshold": decided["threshold"]}
    rows = predicted(walk.workdir / "predictions.jsonl")
    answered = {
        some: [row["answerable"] for row in rows if bool(row["true_answers"]) is some] for some in (True, False)
    }
    assert np.mean(answered[1]) > 0.7 > 0.3 > np.mean(answered[0])
    assert all((row["answer"], row["start"], row["end"]) == ("", -1, -1) for row in rows if not row["answerable"])


def test_the_version_is_proven_and_says_what_it_is(served):
    version = served.version()
    proof, contract = check_proven(version), read_contract(version)
    assert proof["accepted"] and proof["max_difference"] < 1e-5 and proof["texts"] == proven_texts(served)
    assert contract["task"] == served.flags[0].removeprefix("--task=")
    assert TASKS[contract["task"]].served <= set(contract["signatures"]["serving_default"]["outputs"])
    assert "## Intended use" in (version / "model_card.md").read_text("utf-8")


def test_one_pass_of_the_encoder_answers_for_all_heads(served):
    if served.task != "multi":
        pytest.skip("of multi alone")
    ops = graph_ops.run_by(served.version(), "serving_default")
    tables, groups, products = 3, 4, 2  # words, places and segments; of like length in attention; scores and values
    assert ops["ResourceGather"] == tables and ops["BatchMatMulV2"] == LAYERS * groups * products


def test_the_client_answers_as_the_trained_model(served, tmp_path):
    publish(served.workdir, tmp_path / "models" / "tiny")
    rows = predicted(served.workdir / "predictions.jsonl")
    texts, pairs = texts_of(served, rows)
    with Server(tmp_path / "models" / "tiny", "--port=0", "--engine=embedded") as server:
        with Client(server.ready()["grpc"], "tiny", deadline=120) as client:
            results = client.predict(texts, text_pairs=pairs)
            assert client.contract == read_contract(served.version())
        assert server.stop() == 0
    for result, row in zip(results, rows, strict=True):
        served.walk.served(result, row)
        json.dumps(result.to_dict())


def test_predict_gives_the_rows_of_the_evaluation(served, tmp_path):
    done = run_main(
        *served.flags,
        *(f"--workdir={served.workdir}", "--mode=predict", f"--predict_input={served.data}/test.jsonl"),
        f"--predict_output={tmp_path}/out.jsonl",
    )
    assert done.code == 0, done.err
    evaluated = predicted(served.workdir / "predictions.jsonl")
    for given, row in zip(predicted(tmp_path / "out.jsonl"), evaluated, strict=True):
        assert any(name.startswith("true_") for name in row.keys() - given.keys())
        for name, value in given.items():
            assert_close(row[name], value)


def assert_close(given, expected):
    """Equal, but for numbers that are near each other, whatever they are in; what is judged may say more."""
    if isinstance(expected, dict):
        assert given.keys() >= expected.keys()
        given, expected = [given[name] for name in expected], list(expected.values())
    if isinstance(expected, list):
        for one, other in zip(given, expected, strict=True):
            assert_close(one, other)
    else:
        assert given == (pytest.approx(expected, abs=1e-5) if isinstance(expected, float) else expected)


def test_examples_are_answered_like_text(served):
    """What TF Serving's Classify and Regress calls ask."""
    if TASKS[served.task].example_method is None:
        pytest.skip("TF Serving has no call for it but Predict")
    rows = predicted(served.workdir / "predictions.jsonl")[:8]
    texts, pairs = texts_of(served, rows)
    columns = {"text": texts} | ({"text_pair": pairs} if pairs else {})
    with ServedVersion(served.version()) as version:
        name = "classify" if "classify" in version.signatures else "regress"
        inputs = {key: np.array([text.encode() for text in each], object) for key, each in columns.items()}
        plain = version.run("serving_default", inputs)
        found = version.run(name, {"inputs": np.array([example(columns, row) for row in range(8)], object)})
    wanted = plain["probabilities"] if name == "classify" else plain["value"]
    np.testing.assert_allclose(found["scores" if name == "classify" else "outputs"], wanted, atol=1e-6)
    assert version.signatures[name].method_name == f"tensorflow/serving/{name}"


def example(columns, row):
    features = {
        name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[values[row].encode()]))
        for name, values in columns.items()
    }
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


def test_the_report_shows_how_good_it_is(served):
    page = (served.workdir / "report.html").read_text("utf-8")
    shown = {"accuracy": "rows right", "micro_f1": "micro F1", "spearman": "Spearman", "f1": "F1 of the answers"}
    shown |= {"span_f1": "F1 of spans", "mean_quality": "mean of the heads", "mrr_at_10": "mean reciprocal rank"}
    metric = shown[served.walk.metric[0]]
    assert metric in page and "Worst mistakes" in page and "not hold the rows" not in page


def test_evaluate_and_plan_know_it(walk, tmp_path):
    workdir = shutil.copytree(walk.workdir, tmp_path / "run")
    before = results_of(workdir)
    assert run_main(*walk.flags, f"--workdir={workdir}", "--mode=evaluate").code == 0
    assert results_of(workdir)["test"] == pytest.approx(before["test"])
    assert run_main(*walk.flags, "--mode=plan").code == 0


@pytest.mark.parametrize(
    "flags, said",
    [
        (("--task=regression",), "train.jsonl:1: the score is 'positive'; allowed is a number, such as 3.5"),
        (
            ("--task=regression", "--label_column=stars", "--score_range=0,5"),
            "train.jsonl:3: the score 5.5 is out of b",
        ),
        (("--task=regression", "--label_column=stars", "--class_weights=balanced"), "--class_weights=balanced: scores"),
        (("--text_pair_column=other",), "dev.jsonl:1: no column 'other'"),
        (
            ("--task=multi_label", "--label_column=none"),
            "train.jsonl: no row has a label; labels are separated by --lab",
        ),
        (("--task=multi_label", "--metric=accuracy"), "--metric=accuracy: --task=multi_label has micro_f1, macro_f1, "),
        (
            ("--task=span_qa", "--question_tokens=8", "--window_overlap=4"),
            "--text_pair_column is empty: --task=span_qa reads there the text",
        ),
        (
            ("--task=span_qa", "--text_pair_column=text", "--sequence_length=128"),
            "dev.jsonl:1: the answers are not JSON at character 1; allowed are {",
        ),
        (
            ("--task=span_qa", "--text_pair_column=text", "--label_column=none", "--sequence_length=99"),
            "--window_overlap=32: a window of --sequence_length=99 has 32 tokens of its text behind a question of",
        ),
        (
            ("--task=span_qa", "--text_pair_column=text", "--label_column=none", "--sequence_length=128"),
            "train.jsonl: no row has an answer; allowed are {",
        ),
        (
            ("--task=regresion",),
            "--task=regresion: allowed is classification, multi_label, regression, ",
        ),
    ],
)
def test_rows_of_another_task_are_refused_before_anything_is_written(tmp_path, bert_folder, flags, said):
    rows = [(text, label, 4.5 + row / 2, "") for row, (text, label) in enumerate(tiny_reviews.rows(20))]
    for split in ("train", "dev"):
        tiny_reviews.write(tmp_path / "data" / f"{split}.jsonl", rows, ("text", "label", "stars", "none"))
    done = run_main(f"--data={tmp_path}/data", f"--encoder={bert_folder}", f"--workdir={tmp_path}/run", *LEARN, *flags)
    assert done.code == 2 and said in done.error() and done.err.count("error:") == 1
    assert not (tmp_path / "run").exists()
