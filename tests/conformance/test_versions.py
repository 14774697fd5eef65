"""Versions that come, go and break, and models.config with its policies and labels."""

import shutil
import time

import grpc
import pytest
from google.protobuf import text_format
from tensorflow_serving.apis import model_management_pb2

from tests.conformance import configs
from tests.conformance.cases import case
from tests.serving.server.running import predict_request, refusal
from tests.serving.tiny_version import fake_version

MANAGER = case("tensorflow_serving/core/availability_preserving_policy.cc: GetNextAction")
SOURCE = case("tensorflow_serving/sources/storage_path/file_system_storage_path_source.cc: AspireVersions")
CONFIG = case("tensorflow_serving/model_servers/server_core.cc: ReloadConfig, UpdateModelVersionLabelMap")
WAIT = 60
pytestmark = pytest.mark.slow  # servers of their own, and what they find at their next look


def models_config(folder, *models):
    """Writes folder/models.config at once; models: {name, base_path, policy, labels}."""
    entries = []
    for model in models:
        policy = f"model_version_policy {{ {model['policy']} }}" if model.get("policy") else ""
        labels = [configs.label(*each) for each in model.get("labels", {}).items()]
        entries.append(configs.entry(model["name"], model["base_path"], policy, *labels))
    return configs.replace(folder / "models.config", *entries)


@pytest.fixture(scope="session")
def either(tmp_path_factory):
    """Two versions: `a` calls every text positive, `b` every one negative."""
    from tests.serving.tiny_version import real_version

    folder = tmp_path_factory.mktemp("either")
    return {"a": real_version(folder / "a", bias=5.0), "b": real_version(folder / "b", bias=-50.0)}


@pytest.fixture
def put(either, tmp_path):
    """put(number, name) places a version under tmp_path/reviews by one rename; gives that folder."""

    def place(number, name):
        base = tmp_path / "reviews"
        base.mkdir(exist_ok=True)
        staged = shutil.copytree(either[name], tmp_path / f"staged-{number}")
        return staged.rename(base / str(number)).parent

    return place


@pytest.fixture
def one(serve, put):
    """A running Server of version 1, `a`, and its Caller."""
    with serve(f"--model_base_path={put(1, 'a')}", "--model_name=reviews") as server:
        with server.ready("reviews") as caller:
            yield server, caller


def label_of(caller):
    answer = caller.predict(["good"])
    return answer.model_spec.version.value, answer.outputs["label"].string_val[0]


def until(condition, told=lambda: ""):
    end = time.monotonic() + WAIT
    while not condition():
        assert time.monotonic() < end, told()
        time.sleep(0.05)


@MANAGER
def test_a_newer_version_takes_over_and_the_older_ends(one, put):
    _, caller = one
    assert label_of(caller) == (1, b"positive")
    put(2, "b")
    caller.wait_for(2, "AVAILABLE")
    caller.wait_for(1, "END")
    assert label_of(caller) == (2, b"negative")
    request = predict_request(["good"])
    request.model_spec.version.value = 1
    assert refusal(caller.prediction.Predict, request)[0] == grpc.StatusCode.NOT_FOUND


@MANAGER
def test_a_broken_version_ends_with_its_error_and_the_older_serves_on(one, tmp_path):
    _, caller = one
    fake_version(tmp_path / "broken", b"no graph").rename(tmp_path / "reviews" / "2")
    assert caller.wait_for(2, "END") != ""
    assert label_of(caller) == (1, b"positive")
    assert caller.states()[1] == ("AVAILABLE", "")


@MANAGER
def test_a_version_after_a_broken_one_is_served(one, put, tmp_path):
    _, caller = one
    fake_version(tmp_path / "broken", b"no graph").rename(tmp_path / "reviews" / "2")
    caller.wait_for(2, "END")
    put(3, "b")
    caller.wait_for(3, "AVAILABLE")
    assert label_of(caller) == (3, b"negative")


@case("tensorflow_serving/servables/tensorflow/saved_model_warmup_util.cc: a warm-up that fails")
@pytest.mark.parametrize("records", ["wrong request", "no record file"])
def test_a_version_whose_warm_up_fails_is_not_served(one, put, tmp_path, either, records):
    _, caller = one
    broken = shutil.copytree(either["b"], tmp_path / "staged")
    path = broken / "assets.extra" / "tf_serving_warmup_requests"
    path.parent.mkdir(exist_ok=True)
    if records == "wrong request":
        _write_record(path, predict_request(["x"], signature="no"))
    else:
        path.write_bytes(b"\x05\0\0\0\0\0\0\0broken")
    broken.rename(tmp_path / "reviews" / "2")
    assert caller.wait_for(2, "END") != ""
    assert label_of(caller) == (1, b"positive")


def _write_record(path, request):
    import tensorflow as tf
    from tensorflow_serving.apis import prediction_log_pb2

    log = prediction_log_pb2.PredictionLog()
    log.predict_log.request.CopyFrom(request)
    with tf.io.TFRecordWriter(str(path)) as writer:
        writer.write(log.SerializeToString())


@case("Fact: a version that fails to load at server start makes the whole server exit")
def test_a_broken_version_at_the_start_ends_the_server(serve, put, tmp_path):
    base = put(1, "a")
    fake_version(tmp_path / "broken", b"no graph").rename(base / "2")
    with serve(f"--model_base_path={base}", "--model_name=reviews") as server:
        assert server.ended() != 0


NO_NUMBERS = [".3", "03", "3a", "three", "-3", "3.0", "9223372036854775808"]


@pytest.fixture(scope="module")
def oddly_named(serve, either, tmp_path_factory):
    """What a server knows of a folder of version 1 and of NO_NUMBERS, after another look."""
    base = tmp_path_factory.mktemp("odd") / "reviews"
    for name in ("1", *NO_NUMBERS):
        shutil.copytree(either["a"], base / name)
    with serve(f"--model_base_path={base}", "--model_name=reviews") as server, server.ready("reviews") as caller:
        time.sleep(1.5)
        yield set(caller.states())


@SOURCE
@pytest.mark.parametrize("name", NO_NUMBERS)
def test_a_folder_that_is_no_number_is_no_version(oddly_named, name):
    assert oddly_named == {1}, name


@SOURCE
@pytest.mark.parametrize(
    ("policy", "served"),
    [
        ("", {3}),
        ("latest { num_versions: 2 }", {2, 3}),
        ("all { }", {1, 2, 3}),
        ("specific { versions: 1 versions: 3 }", {1, 3}),
    ],
)
def test_policies(serve, put, tmp_path, policy, served):
    base = [put(number, "ab"[number % 2]) for number in (1, 2, 3)][0]
    config = models_config(tmp_path, {"name": "reviews", "base_path": base, "policy": policy})
    with serve(f"--model_config_file={config}") as server, server.ready("reviews") as caller:
        until(lambda: {number for number, (state, _) in caller.states().items() if state == "AVAILABLE"} == served)


def labelled(caller, name):
    request = predict_request(["good"])
    request.model_spec.version_label = name
    return caller.prediction.Predict(request, timeout=30).model_spec.version.value


def reload_request(path):
    request = model_management_pb2.ReloadConfigRequest()
    text_format.Parse(path.read_text(), request.config)
    return request


BOTH = "specific { versions: 1 versions: 2 }"


@pytest.fixture(scope="module")
def configured(serve, either, tmp_path_factory):
    """(Caller, entry(**changes)) of a server of versions 1 and 2; an entry can be written and reloaded."""
    folder = tmp_path_factory.mktemp("configured")
    for number, name in ((1, "a"), (2, "b")):
        shutil.copytree(either[name], folder / "reviews" / str(number))

    def entry(**changes):
        return {"name": "reviews", "base_path": folder / "reviews", "policy": BOTH} | changes

    with serve(f"--model_config_file={models_config(folder, entry())}") as server:
        with server.ready("reviews") as caller:
            until(lambda: [state for state, _ in caller.states().values()] == ["AVAILABLE"] * 2)
            yield caller, entry


@CONFIG
def test_labels_by_a_call(configured, tmp_path):
    caller, entry = configured
    for stable, canary in ((1, 2), (2, 1)):
        request = reload_request(models_config(tmp_path, entry(labels={"stable": stable, "canary": canary})))
        assert caller.models.HandleReloadConfigRequest(request, timeout=30).status.error_code == 0
        assert (labelled(caller, "stable"), labelled(caller, "canary")) == (stable, canary)


@CONFIG
def test_a_label_of_what_is_not_loaded(configured, tmp_path):
    caller, entry = configured
    request = reload_request(models_config(tmp_path, entry(labels={"stable": 9})))
    code, said = refusal(caller.models.HandleReloadConfigRequest, request)
    assert code == grpc.StatusCode.FAILED_PRECONDITION
    assert "Request to assign label to version 9 of model reviews, which is not currently available" in said


@CONFIG
def test_a_call_without_a_list(configured):
    caller, _ = configured
    code, said = refusal(caller.models.HandleReloadConfigRequest, model_management_pb2.ReloadConfigRequest())
    assert code == grpc.StatusCode.INVALID_ARGUMENT and "Only ModelConfigList is currently supported" in said


@CONFIG
def test_a_model_twice(configured, tmp_path):
    caller, entry = configured
    request = reload_request(models_config(tmp_path, entry(), entry()))
    code, said = refusal(caller.models.HandleReloadConfigRequest, request)
    assert code == grpc.StatusCode.INVALID_ARGUMENT and "Illegal to list model reviews multiple times" in said


@CONFIG
def test_a_relative_path(configured, tmp_path):
    caller, entry = configured
    request = reload_request(models_config(tmp_path, entry(base_path="here")))
    code, said = refusal(caller.models.HandleReloadConfigRequest, request)
    assert code == grpc.StatusCode.INVALID_ARGUMENT and "to have an absolute path or URI" in said


@CONFIG
def test_a_model_that_is_listed_no_more(configured, tmp_path):
    caller, entry = configured
    request = reload_request(models_config(tmp_path, entry(name="other")))
    assert caller.models.HandleReloadConfigRequest(request, timeout=30).status.error_code == 0
    assert refusal(caller.prediction.Predict, predict_request(["good"]))[0] == grpc.StatusCode.NOT_FOUND
    other = caller.prediction.Predict(predict_request(["good"], "other"), timeout=30)
    assert (other.model_spec.name, other.model_spec.version.value) == ("other", 2)
    back = reload_request(models_config(tmp_path, entry()))
    assert caller.models.HandleReloadConfigRequest(back, timeout=30).status.error_code == 0


@case("Fact: config-file polling undoes a HandleReloadConfigRequest at the next poll")
def test_polling_undoes_a_call(serve, put, tmp_path):
    put(1, "a")
    base = put(2, "b")
    (tmp_path / "call").mkdir()
    entry = {"name": "reviews", "base_path": base}
    config = models_config(tmp_path, entry | {"policy": "specific { versions: 1 }"})
    with serve(f"--model_config_file={config}", "--model_config_file_poll_wait_seconds=2") as server:
        with server.ready("reviews") as caller:
            request = reload_request(models_config(tmp_path / "call", entry | {"policy": "specific { versions: 2 }"}))
            caller.models.HandleReloadConfigRequest(request, timeout=30)
            until(lambda: label_of(caller)[0] == 2)
            until(lambda: label_of(caller)[0] == 1, caller.states)


@CONFIG
def test_a_changed_file_is_found(serve, put, tmp_path):
    put(1, "a")
    base = put(2, "b")
    entry = {"name": "reviews", "base_path": base, "policy": "specific { versions: 1 }"}
    config = models_config(tmp_path, entry)
    with serve(f"--model_config_file={config}", "--model_config_file_poll_wait_seconds=1") as server:
        with server.ready("reviews") as caller:
            assert label_of(caller) == (1, b"positive")
            models_config(tmp_path, entry | {"policy": "specific { versions: 2 }"})
            until(lambda: label_of(caller) == (2, b"negative"))
