"""The whole way on tiny text: train, prove, publish, serve, ask; what is served is what was trained."""

import json
import subprocess
import sys

import numpy as np
import pytest

from serving.client import Client
from serving.contract import read_contract, read_proof
from serving.release.publish import publish
from tests.commands import ROOT, run_main


@pytest.fixture(scope="module")
def workdir(tmp_path_factory, bert_folder, reviews):
    """A workdir trained, exported and proven by one command."""
    folder = tmp_path_factory.mktemp("walk") / "run"
    flags = ("--sequence_length=32", "--epochs=8", "--batch_size=8", "--learning_rate=1e-2", "--model_name=reviews")
    done = run_main(f"--data={reviews}", f"--encoder={bert_folder}", f"--workdir={folder}", *flags, "--json")
    assert done.code == 0, done.err
    return folder


@pytest.fixture(scope="module")
def address(workdir, tmp_path_factory):
    """Address of a server over the published version."""
    base_path = tmp_path_factory.mktemp("models") / "reviews"
    publish(workdir, base_path)
    command = [
        sys.executable,
        "-m",
        "serving.server",
        f"--model_base_path={base_path}",
        "--port=0",
        "--engine=embedded",
    ]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        ready = process.stdout.readline()
        assert ready.startswith("READY model=reviews version=1"), ready
        yield ready.split("grpc=")[1].strip()
        process.terminate()
        assert process.wait(30) == 0


@pytest.fixture(scope="module")
def client(address):
    with Client(address, model="reviews", deadline=120) as client:
        yield client


def test_training_learned(workdir):
    results = json.loads((workdir / "results.json").read_text())
    assert results["test"]["accuracy"] > 0.8


def test_served_answers_are_the_trained_models(workdir, client):
    predicted = [json.loads(line) for line in (workdir / "predictions.jsonl").read_text().splitlines()]
    answers = client.predict([row["text"] for row in predicted])
    for answer, row in zip(answers, predicted, strict=True):
        assert answer.label == row["label"]
        assert answer.probabilities == pytest.approx(row["probabilities"], abs=1e-5)


def test_contract_and_proof_of_the_version(workdir, client):
    (version,) = (workdir / "export").glob("[!.]*")
    assert client.contract == read_contract(version)
    proof = read_proof(version)
    assert proof["accepted"] and proof["max_difference"] < 1e-5 and proof["texts"] == 24


def test_ten_thousand_texts_keep_their_order(client):
    words = ("good", "bad", "great", "awful", "the film is dull", "a bright plot of life")
    texts = [f"{words[i % 6]} {'x' * (i % 11)}" for i in range(10_000)]
    scores = np.array([answer.score for answer in client.predict(texts)])
    alone = {text: client.predict(text).score for text in texts[:66]}
    np.testing.assert_allclose(scores, [alone[text] for text in texts], atol=1e-5)


@pytest.mark.parametrize(
    ("text", "truncated"),
    [
        ("", False),
        ("good\x00 film", False),
        ("good \ud800 film", False),
        ("good film " * 100_000, True),
        ("x" * 1_000_000, False),  # one word, and one unknown token
        (" " * 1_100_000 + "good", True),  # beyond 1 MiB
    ],
    ids=["empty", "NUL", "lone surrogate", "1 MB of words", "1 MB word", "beyond 1 MiB"],
)
def test_odd_texts_are_answered(client, text, truncated):
    answer = client.predict(text)
    assert answer.truncated is truncated
    assert sum(answer.probabilities.values()) == pytest.approx(1, abs=1e-5)


def test_nothing_asked_nothing_sent(address):
    with Client("127.0.0.1:1", model="reviews") as nowhere:
        assert nowhere.predict([]) == []


def test_characters_without_meaning_change_nothing(client):
    plain = client.predict("good film").probabilities
    assert client.predict("good\x00 film").probabilities == pytest.approx(plain, abs=1e-6)
    assert client.predict("good \ud800film").probabilities == pytest.approx(plain, abs=1e-6)
