"""The embedded server over a models.config: several models, labels, its reload by call and by look."""

import time

import grpc
import pytest
from tensorflow_serving.apis import model_management_pb2

from serving import models_config
from serving.contract import ServingError
from serving.server.options import Options, checked
from tests.serving.server.running import Caller, Server, predict_request, refusal

TEXT = """model_config_list {{
  config {{ name: "reviews" base_path: "{base}" model_platform: "tensorflow"
    model_version_policy {{ specific {{ versions: 1 versions: 2 }} }}
    version_labels {{ key: "stable" value: {stable} }} version_labels {{ key: "canary" value: 2 }} }}
  config {{ name: "other" base_path: "{base}" model_platform: "tensorflow" }}
}}
"""


def write(path, base, stable=1):
    path.with_suffix(".new").write_text(TEXT.format(base=base, stable=stable))
    path.with_suffix(".new").rename(path)
    return path


@pytest.fixture
def base(place):
    place(1, "a")
    return place(2, "b")


def labelled(caller, name):
    request = predict_request(["good"])
    request.model_spec.version_label = name
    found = caller.prediction.Predict(request, timeout=30)
    return found.model_spec.version.value, found.outputs["label"].string_val[0]


def test_models_and_labels_and_how_they_change(base, tmp_path):
    config = write(tmp_path / "models.config", base)
    flags = ("--engine=embedded", "--port=0", f"--model_config_file={config}")
    with Server("", *flags, "--model_config_file_poll_wait_seconds=0.2") as server:
        ready, second = server.ready(), server.ready()
        assert [each["model"] for each in (ready, second)] == ["reviews", "other"]
        with Caller(ready["grpc"]) as caller:
            assert set(caller.states()) == {1, 2}
            assert labelled(caller, "stable") == (1, b"positive") and labelled(caller, "canary") == (2, b"negative")
            write(config, base, stable=2)
            until = time.monotonic() + 30
            while labelled(caller, "stable")[0] != 2:
                assert time.monotonic() < until
            config.write_text("model_config_list {")  # half of a file that somebody writes in place
            time.sleep(0.5)
            assert labelled(caller, "stable") == (2, b"negative")
        assert server.stop() == 0
    assert "models.config is left as it was" in server.log_text()


def test_a_call_reloads(base, tmp_path):
    config = write(tmp_path / "models.config", base)
    with Server("", "--engine=embedded", "--port=0", f"--model_config_file={config}") as server:
        with Caller(server.ready()["grpc"]) as caller:
            request = model_management_pb2.ReloadConfigRequest(config=models_config.read(write(config, base, stable=2)))
            assert caller.models.HandleReloadConfigRequest(request, timeout=30).status.error_code == 0
            assert labelled(caller, "stable")[0] == 2
            request.config.model_config_list.config[0].version_labels["stable"] = 9
            code, said = refusal(caller.models.HandleReloadConfigRequest, request)
            assert code == grpc.StatusCode.FAILED_PRECONDITION and "version 9 of model reviews" in said
            code, said = refusal(caller.models.HandleReloadConfigRequest, model_management_pb2.ReloadConfigRequest())
            assert code == grpc.StatusCode.INVALID_ARGUMENT and "Only ModelConfigList is currently supported" in said
            gone = models_config.of_one("other", base)
            caller.models.HandleReloadConfigRequest(model_management_pb2.ReloadConfigRequest(config=gone), timeout=30)
            code, _ = refusal(caller.prediction.Predict, predict_request(["good"]))
            assert code == grpc.StatusCode.NOT_FOUND
            other = caller.prediction.Predict(predict_request(["good"], "other"), timeout=30)
            assert (other.model_spec.name, other.model_spec.version.value) == ("other", 2)
        assert server.stop() == 0


def test_a_label_of_what_is_not_there_ends_the_start(base, tmp_path):
    config = write(tmp_path / "models.config", base, stable=7)
    with Server("", "--engine=embedded", "--port=0", f"--model_config_file={config}") as server:
        assert server.process.wait(60) == 2
        assert "Request to assign label to version 7 of model reviews" in server.log_text()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"model_base_path": "{base}"}, "--model_base_path and --model_config_file: the file names models"),
        ({"model_name": "x"}, "--model_name and --model_config_file"),
        ({"engine": "docker"}, "--engine=docker mounts one folder"),
        ({"model_config_file": "{base}/none"}, "No such file or directory; give a models.config"),
        ({"model_config_file": "{folder}/empty"}, "empty: lists no model"),
        ({"model_config_file": "{folder}/elsewhere"}, "model 'reviews': base_path {folder}/nothing: no such folder"),
    ],
)
def test_mistakes(base, tmp_path, given, said):
    (tmp_path / "empty").write_text("")
    write(tmp_path / "elsewhere", tmp_path / "nothing")
    places = {"base": base, "folder": tmp_path}
    flags = {"model_base_path": None, "model_config_file": str(write(tmp_path / "models.config", base))} | given
    flags = {name: value.format(**places) if value else value for name, value in flags.items()}
    with pytest.raises(ServingError) as refused:
        checked(Options(**flags))
    assert said.format(**places) in str(refused.value) and refused.value.exit_code == 2
