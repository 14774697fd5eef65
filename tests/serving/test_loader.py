"""Versions load here as on the real server, and fail here with one clear culprit as they would fail there."""

import concurrent.futures
import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from serving import exchange, loader
from serving.contract import ServingError
from tests.serving.tiny_version import real_version

TEXT = tf.TensorSpec([None], tf.string, name="text")


class Lengths(tf.Module):
    """Text to its length in bytes times a weight."""

    def __init__(self):
        self.weight = tf.Variable(2.0)

    @tf.function(input_signature=[TEXT])
    def answer(self, text):
        return {"value": tf.cast(tf.strings.length(text), tf.float32) * self.weight, "text": text}


@pytest.fixture(scope="module")
def version(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lengths")
    model = Lengths()
    tf.saved_model.save(model, str(folder), signatures={"serving_default": model.answer})
    write_warmup(folder, ["a", "bb"])
    return folder


def write_warmup(folder, texts, input_name="text", signature="serving_default"):
    (folder / "assets.extra").mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(folder / "assets.extra/tf_serving_warmup_requests")) as writer:
        for text in texts:
            log = prediction_log_pb2.PredictionLog()
            request = log.predict_log.request
            request.model_spec.signature_name = signature
            request.inputs[input_name].CopyFrom(tf.make_tensor_proto([text], tf.string))
            writer.write(log.SerializeToString())


def save_function(folder, function):
    module = tf.Module()
    module.function = tf.function(function, input_signature=[TEXT])
    tf.saved_model.save(module, str(folder), signatures={"serving_default": module.function})
    return folder


def test_a_version_answers_with_exact_bytes(version):
    with loader.ServedVersion(version) as served:
        assert list(served.signatures) == ["serving_default"]
        answer = served.run("serving_default", {"text": exchange.strings(["", "a\0\0", b"\xff"])})
    assert answer["value"].tolist() == [0.0, 6.0, 2.0]
    assert answer["text"].tolist() == [b"", b"a\0\0", b"\xff"]


def test_mixed_precision_multiplies_in_bfloat16_as_the_server_does_when_told(tmp_path):
    matrix = np.full((64, 64), 1 + 2**-12, np.float32)  # bfloat16 rounds it to 1

    def multiply(text):
        rows = tf.ones([tf.size(text), 64]) * tf.cast(tf.strings.length(text), tf.float32)[:, tf.newaxis]
        return {"value": tf.matmul(rows, tf.constant(matrix))[:, 0]}

    save_function(tmp_path, multiply)
    asked = {"text": exchange.strings(["a"] * 64)}
    found = {}
    for mixed in (False, True):
        with loader.ServedVersion(tmp_path, mixed_precision=mixed) as served:
            found[mixed] = served.run("serving_default", asked)["value"][0]
    assert found[False] == pytest.approx(64 * (1 + 2**-12), rel=1e-6)
    if "avx512_bf16" in pathlib.Path("/proc/cpuinfo").read_text():  # else oneDNN leaves it alone
        assert found[True] == 64.0


def test_threads_share_one_version(version):
    with loader.ServedVersion(version) as served, concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda n: served.run("serving_default", {"text": exchange.strings(["x" * n])}), range(64))
        assert [answer["value"].tolist() for answer in answers] == [[2.0 * n] for n in range(64)]


@pytest.mark.parametrize(
    ("signature", "inputs", "named"),
    [
        ("other", {}, "signature 'other' not found; the version has serving_default"),
        ("serving_default", {"words": ["a"]}, "takes text; given: words"),
        ("serving_default", {"text": np.array([1.0], np.float32)}, "input text is float32; expected is string"),
        ("serving_default", {"text": "scalar"}, r"has shape \(\); expected is \(None,\)"),
    ],
)
def test_a_wrong_request_is_an_invalid_argument(version, signature, inputs, named):
    with loader.ServedVersion(version) as served, pytest.raises(tf.errors.InvalidArgumentError, match=named):
        served.run(signature, inputs)


def test_warmup_is_replayed_and_its_faults_are_named(version, tmp_path):
    with loader.ServedVersion(version) as served:
        assert served.replay_warmup() == 2
    save_function(tmp_path, lambda text: {"value": tf.strings.length(text)})
    with loader.ServedVersion(tmp_path) as served:
        assert served.replay_warmup() == 0
        write_warmup(tmp_path, ["a"], input_name="words")
        with pytest.raises(ServingError, match="warm-up record 1: .* takes text; given: words"):
            served.replay_warmup()
        write_warmup(tmp_path, ["a"] * 1001)
        with pytest.raises(ServingError, match="more than 1000"):
            served.replay_warmup()


def test_ops_inside_functions_are_found_without_being_registered(version, tmp_path):
    ops = loader.graph_ops(version / "saved_model.pb")
    assert {"StringLength", "Mul", "StatefulPartitionedCall", "RestoreV2"} <= ops
    assert not any(name.startswith("__inference") for name in ops)
    proto = loader.read_saved_model(version)
    proto.meta_graphs[0].graph_def.library.function[0].node_def.add(name="x", op="Invented>Op")
    (tmp_path / "saved_model.pb").write_bytes(proto.SerializeToString())
    assert "Invented>Op" in loader.graph_ops(tmp_path / "saved_model.pb")
    with pytest.raises(ServingError, match="lacks Invented>Op") as refusal:
        loader.ServedVersion(tmp_path)
    assert refusal.value.exit_code == 3


def test_compiled_functions_are_found(version, tmp_path):
    assert loader.compiled_functions(loader.read_saved_model(version)) == []
    module = tf.Module()
    double = tf.function(lambda x: x * 2.0, jit_compile=True)
    module.function = tf.function(
        lambda text: {"value": double(tf.cast(tf.strings.length(text), tf.float32))}, input_signature=[TEXT]
    )
    tf.saved_model.save(module, str(tmp_path), signatures={"serving_default": module.function})
    assert len(loader.compiled_functions(loader.read_saved_model(tmp_path))) == 1


@pytest.mark.parametrize(("content", "named"), [(None, "no such file"), (b"not a proto", "not readable")])
def test_a_folder_without_a_graph_is_refused(tmp_path, content, named):
    if content:
        (tmp_path / "saved_model.pb").write_bytes(content)
    with pytest.raises(ServingError, match=named):
        loader.ServedVersion(tmp_path)


def test_other_tags_are_refused(version, tmp_path):
    proto = loader.read_saved_model(version)
    proto.meta_graphs[0].meta_info_def.tags[:] = ["train"]
    (tmp_path / "saved_model.pb").write_bytes(proto.SerializeToString())
    with pytest.raises(ServingError, match="no MetaGraph with the tag 'serve'"):
        loader.ServedVersion(tmp_path)


@pytest.fixture(scope="module")
def products(tmp_path_factory):
    """A version that multiplies matrices: what the rewriter of mixed precision looks for."""
    module = tf.Module()
    module.weight = tf.Variable(np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32))

    @tf.function(input_signature=[TEXT])
    def answer(text):
        x = tf.cast(tf.strings.length(text), tf.float32)[:, None] * tf.sin(tf.range(64.0))
        for _ in range(4):
            x = tf.tanh(x @ module.weight)
        return {"value": x}

    folder = tmp_path_factory.mktemp("products")
    tf.saved_model.save(module, str(folder), signatures={"serving_default": answer})
    return folder


def test_mixed_precision_is_off_unless_asked_for(products, tmp_path):
    inputs, values = {"text": exchange.strings(["a", "a long text"])}, []
    for given in ({}, {"mixed_precision": False}, {"mixed_precision": True}):
        with loader.ServedVersion(products, **given) as served:
            values.append(served.run("serving_default", inputs)["value"])
    np.testing.assert_array_equal(values[0], values[1])
    rewritten = np.abs(values[2] - values[0]).max() > 1e-5
    ended = run_clean_process(products, tmp_path, [("serving_default", inputs)], loader.MIXED_PRECISION)
    assert ended.returncode == 0, ended.stderr
    ((_, answer),) = exchange.read(tmp_path / "answers.npz")
    np.testing.assert_allclose(answer["value"], values[2], atol=1e-6)
    if "avx512_bf16" in pathlib.Path("/proc/cpuinfo").read_text():
        assert rewritten


def test_the_clean_process_takes_no_other_flag(version, tmp_path):
    ended = run_clean_process(version, tmp_path, [], "--mixed_precision=float16")
    assert ended.returncode == 2 and ended.stderr.endswith("ANSWERS.npz [--mixed_precision=bfloat16]\n")


def run_clean_process(version, folder, requests, *flags):
    exchange.write(folder / "requests.npz", requests)
    paths = (str(version), folder / "requests.npz", folder / "answers.npz")
    command = [sys.executable, "-m", "serving.loader", *paths, *flags]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)


def test_the_clean_process_answers_every_request(version, tmp_path):
    texts = [exchange.strings(["a", "bb"]), exchange.strings(["\0"])]
    ended = run_clean_process(version, tmp_path, [("serving_default", {"text": each}) for each in texts])
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout) == {"status": "ok", "warmup_records": 2, "tensorflow": tf.__version__}
    answers = exchange.read(tmp_path / "answers.npz")
    assert [answer["value"].tolist() for _, answer in answers] == [[2.0, 4.0], [2.0]]


def test_a_keras_model_in_a_module_fails_as_on_the_server(tmp_path):
    import keras

    module = tf.Module()
    module.model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(2)])
    module.answer = tf.function(
        lambda text: {"value": module.model(tf.cast(tf.strings.length(text), tf.float32)[:, None])},
        input_signature=[TEXT],
    )
    tf.saved_model.save(module, str(tmp_path / "1"), signatures={"serving_default": module.answer})
    ended = run_clean_process(tmp_path / "1", tmp_path, [("serving_default", {"text": exchange.strings(["a"])})])
    status = json.loads(ended.stdout)
    assert (ended.returncode, status["status"], status["stage"]) == (3, "failed", "run")
    assert status["culprit"].startswith("variable not found in a v1 Session: ")
    assert ended.stderr.splitlines()[-1] == f"error: {status['culprit']}"


def test_outputs_in_ever_new_choices_hold_no_more_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(loader, "_MOST_STEPS", 2)
    with loader.ServedVersion(real_version(tmp_path / "version")) as version:
        names = sorted(version.signatures["serving_default"].outputs)
        for wanted in (names[:1], names[:2], names[:3], names):
            found = version.answer("serving_default", {"text": exchange.strings(["good"])}, wanted)
            assert sorted(found) == wanted
        assert version._step.cache_info().currsize == 2
