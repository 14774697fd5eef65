"""The four benchmarks of what Slipway itself costs: their arithmetic, and each of them in a tiny form.

Times are not judged here: that is the benchmarks' own work.
"""

import json
import subprocess
import sys

import numpy as np
import pytest

from benchmarks import client_codec, padding
from benchmarks.worker import ROOT
from serving.client import protos
from serving.client.tensors import encode
from trainer.inputs.batching import Batch

pytestmark = pytest.mark.timeout(900)


def imported(name):
    """A callable that evaluates an expression in a benchmark, in a process of its own: flags are global."""
    code = f"import json, sys; from benchmarks import {name}; print(json.dumps(eval(sys.argv[1], vars({name}))))"

    def evaluate(expression):
        done = subprocess.run([sys.executable, "-c", code, expression], cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return evaluate


def test_what_serving_adds_is_the_median_of_pairs():
    evaluate = imported("client_overhead")
    one = {"served": [5.0, 7.0, 9.0], "loaded": [4.0, 4.0, 8.0], "echo": [1.0, 2.0, 2.0]}
    found = evaluate(f"summarise_trip([{one}])")
    assert found["seconds"]["served − loaded"]["median"] == 1.0  # of 1, 3, 1: not 7 − 4
    assert found["(served − loaded) / echo"]["median"] == 0.5
    rounds = [{"wire": 1.0, "by hand": 4.0, "client": 8.0}, {"wire": 1.0, "by hand": 2.0, "client": 2.0}]
    found = evaluate(f"summarise_codec({rounds})")
    assert found["client / wire"] == {"median": 5.0, "min": 2.0, "max": 8.0}
    assert found["client / by hand"]["median"] == 1.5


def answers(rows):
    """What a server says to `rows` texts and to the question for its contract."""
    inputs = {"text": {"dtype": "string"}}
    contract = {"schema_version": "1.0", "task": "classification", "labels": ["a", "b"]}
    contract |= {"signatures": {"serving_default": {"method": "predict", "inputs": inputs}}}
    probabilities = np.tile(np.float32([0.25, 0.75]), (rows, 1))
    outputs = {"label": ["b"] * rows, "score": probabilities[:, 1], "probabilities": probabilities}
    outputs |= {"truncated": np.zeros(rows, bool), "abstain": np.zeros(rows, bool)}
    return {"serving_default": response(outputs), "contract": response({"value": [json.dumps(contract)]})}


def response(outputs):
    message = protos.PredictResponse()
    message.model_spec.version.value = 1
    for name, value in outputs.items():
        message.outputs[name].CopyFrom(encode(value))
    return message.SerializeToString()


def test_every_way_of_the_codec_does_its_work():
    ways = client_codec.ways("reviews", ["good", "bad", "ü"], answers(3))
    assert ways["wire"]() is None
    assert [answer.label for answer in ways["client"]()] == ["b"] * 3
    assert ways["by hand"]()["label"] == ["b"] * 3
    sent = client_codec.request_of("reviews", ["good", "ü"])
    assert list(sent.inputs["text"].string_val) == [b"good", "ü".encode()]
    assert set(client_codec.measure(ways, calls=2)) == {"wire", "by hand", "client"}


def test_padding_is_counted_where_it_is_computed():
    lengths = np.array([2, 2, 3, 3, 5, 5, 9, 10])
    batches = [Batch(np.arange(8), 10, 8)]
    places = padding.over_real_tokens(lengths, batches)
    assert (places.tokens, places.batch, places.dense) == (39, 80, 39)
    assert places.attention == 2 * (2 + 3 + 5 + 10)  # four groups of like length
    assert places.shares()["dense"] == 0 and places.shares()["batch"] == 1 - 39 / 80
    whole = padding.padded(lengths, [*batches, Batch(np.arange(2), 4, 3)])
    assert whole.batch == whole.dense == whole.attention == 80 + 12 and whole.shapes == 2


def test_all_ways_of_padding_hold_the_same_tokens():
    lengths = np.random.default_rng(0).integers(3, 33, 100)
    ways = padding.ways(lengths, 32, 8, 16, most_batches=1000)
    assert {places.tokens for places in ways.values()} == {int(lengths.sum())}
    assert len(ways) == 4


def test_a_line_through_times():
    evaluate = imported("lengths")
    assert evaluate("line([1, 2, 3], [3.0, 5.0, 7.0])") == pytest.approx({"a": 1.0, "b": 2.0, "r2": 1.0})
    assert evaluate("line([1, 2, 3, 4], [1.0, 9.0, 1.0, 9.0])")["r2"] < 0.5
    turns = {n: {"slipway": [{"seconds": [float(n)] * 3}], "PyTorch": [{"seconds": [2.0 * n]}]} for n in (8, 16)}
    turns = {str(n): sides for n, sides in turns.items()}
    found = evaluate(f"list(rows_of({{'x': lines_of({turns}, [8, 16])}}))")
    assert [row[5] for row in found] == ["0.50", ""] and found[0][6:] == ["8000.0", "16000.0"]


def test_many_rows_are_as_many_texts_of_real_words(tmp_path):
    evaluate = imported("rows")
    path, texts = tmp_path / "rows.csv", ["one two three four", "five six", "seven eight nine", "ten eleven twelve"]
    evaluate(f"write_rows({str(path)!r}, 12, {texts})")
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "text,label" and len(lines) == 13
    assert len(set(lines[1:])) == 12 and set(" ".join(line.partition(",")[0] for line in lines[1:]).split()) <= set(
        " ".join(texts).split()
    )
    found = evaluate("summarise([{'seconds': [2.0, 4.0], 'tokens': 6}], [{'seconds': [1.0], 'tokens': 2}])")
    assert found["ratio"]["median"] == 2.0 and found["seconds"]["median"] == 3.0


TINY = {
    "client_overhead": ("--rounds=1", "--texts=8", "--calls=4"),
    "input_pipeline": ("--rounds=1", "--steps=2", "--batch_size=8", "--lengths=16,32"),
    "lengths": ("--rounds=1", "--runs=1", "--lengths=8,16,32"),
    "rows": ("--rounds=1", "--steps=1", "--rows=200,400"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", TINY)
def test_each_in_a_tiny_form(name, sandbox, tmp_path):
    _, environment = sandbox
    command = [sys.executable, "-m", f"benchmarks.{name}", *TINY[name], f"--output={tmp_path / 'kept'}", "--json"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["benchmark"] == name and found["met"] and "load" in found["machine"]
    assert json.loads((tmp_path / f"kept/{name}.json").read_text())["figures"] == found["figures"]
    assert (tmp_path / f"kept/{name}.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", TINY)
def test_a_mistake_is_one_line(name, tmp_path):
    missing = ("--encoder=/not/there", "--text_file=/not/there", "--rounds=1")
    command = [sys.executable, "-m", f"benchmarks.{name}", *missing, f"--output={tmp_path}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    said = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert done.returncode == 2 and len(said) == 1 and "/not/there is not there" in said[0], done.stderr
