"""Which configs are refused before anything is loaded."""

import pytest
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from serving.server import model_list
from serving.server.status import StatusError

TENSORFLOW = 'name: "a" base_path: "/a" model_platform: "tensorflow"'


def config(*models):
    text = "model_config_list { " + " ".join(f"config {{ {model} }}" for model in models) + " }"
    return text_format.Parse(text, model_server_config_pb2.ModelServerConfig())


def listed(*models):
    return config(*models).model_config_list.config


@pytest.mark.parametrize(
    ("models", "said"),
    [
        ([TENSORFLOW, TENSORFLOW], "Illegal to list model a multiple times in config list"),
        (
            ['name: "a" base_path: "models/a"'],
            "Expected model a to have an absolute path or URI; got base_path()=models/a",
        ),
    ],
)
def test_names_come_once_and_paths_are_absolute(models, said):
    with pytest.raises(StatusError) as refused:
        model_list.checked(config(*models))
    assert refused.value.message == said


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ('name: "a"', "Illegal setting neither ModelServerConfig::model_type (deprecated) nor"),
        (f"{TENSORFLOW} model_type: TENSORFLOW", "Illegal setting both ModelServerConfig::model_type (deprecated)"),
        ('name: "a" model_type: OTHER', "ModelServerConfig::model_type choice 2 not supported."),
        ('name: "a" model_platform: "onnx"', "Model a requests unsupported platform onnx"),
    ],
)
def test_platforms_other_than_tensorflow_are_refused(model, said):
    with pytest.raises(StatusError) as refused:
        model_list.platforms(listed(model))
    assert refused.value.message.startswith(said)


def test_the_platform_may_be_told_the_old_way():
    found = model_list.platforms(listed('name: "b" model_type: TENSORFLOW', TENSORFLOW))
    assert found == {"a": "tensorflow", "b": "tensorflow"}


def test_a_model_keeps_its_platform():
    model_list.check_changes(listed(TENSORFLOW), {"a": "tensorflow", "b": "tensorflow"})
    with pytest.raises(StatusError, match="platform was tensorflow and new platform requested is onnx"):
        model_list.check_changes(listed('name: "a" model_platform: "onnx"'), {"a": "tensorflow"})
