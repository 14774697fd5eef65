"""What a ModelServerConfig lists is served, and nothing else; labels name what is loaded."""

import grpc
import pytest
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from serving.contract import ServingError
from serving.server.models import Models
from serving.server.status import StatusError

PRECONDITION, INVALID, UNKNOWN = (
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.UNKNOWN,
)
BOTH = "model_version_policy { specific { versions: 1 versions: 2 } }"


class Loaded:
    """Stands in for a ServedVersion, which needs a real graph."""

    closed = []

    def __init__(self, folder):
        if folder.endswith("/13"):
            raise ServingError("no such graph", exit_code=3)
        self.folder = folder

    def replay_warmup(self):
        return 0

    def close(self):
        self.closed.append(self.folder)


@pytest.fixture
def base(tmp_path):
    for name, numbers in {"a": (1, 2), "b": (7,), "bad": (13,)}.items():
        for number in numbers:
            (tmp_path / name / str(number)).mkdir(parents=True)
    Loaded.closed = []
    return tmp_path


@pytest.fixture
def models():
    return Models(Loaded)


def config_of(base, **models):
    """A ModelServerConfig: {name: the rest of its entry}; the folder is that of the name's first letters."""
    entries = (
        f'config {{ name: "{name}" base_path: "{base}/{name}" model_platform: "tensorflow" {rest} }}'
        for name, rest in models.items()
    )
    text = f"model_config_list {{ {' '.join(entries)} }}"
    return text_format.Parse(text, model_server_config_pb2.ModelServerConfig())


def label(name, number):
    return f'version_labels {{ key: "{name}" value: {number} }}'


def refused(act, *arguments):
    with pytest.raises(StatusError) as error:
        act(*arguments)
    return error.value.code, error.value.message


def test_models_come_and_go_and_the_new_is_loaded_before_the_old_goes(base, models):
    models.reload(config_of(base, a=""))
    assert list(models) == ["a"] and models["a"].serving() == {2}
    models.reload(config_of(base, a=BOTH, b=""))
    assert list(models) == ["a", "b"] and models["a"].serving() == {1, 2} and Loaded.closed == []
    models.reload(config_of(base, b=""))
    assert "a" not in models and sorted(Loaded.closed) == [f"{base}/a/1", f"{base}/a/2"]
    (base / "b/8").mkdir()
    models.poll()
    assert models["b"].serving() == {8}


def test_labels_move_and_unknown_ones_are_refused(base, models):
    models.reload(config_of(base, a=f"{BOTH} {label('stable', 1)} {label('canary', 2)}"))
    assert [models.labelled("a", name) for name in ("stable", "canary")] == [1, 2]
    models.reload(config_of(base, a=f"{BOTH} {label('stable', 2)}"))
    assert models.labelled("a", "stable") == 2
    for asked in (("a", "canary"), ("none", "stable")):
        assert refused(models.labelled, *asked) == (INVALID, f"Unrecognized servable version label: {asked[1]}")


def test_a_label_of_what_is_not_loaded_leaves_the_labels_as_they_were(base, models):
    models.reload(config_of(base, a=f"{BOTH} {label('stable', 1)}"))
    said = "Request to assign label to version 9 of model a, which is not currently available for inference"
    assert refused(models.reload, config_of(base, a=f"{BOTH} {label('stable', 9)}")) == (PRECONDITION, said)
    assert models.labelled("a", "stable") == 1


def test_a_new_label_may_come_ahead_where_that_is_allowed(base):
    models = Models(Loaded, label_ahead=True)
    models.reload(config_of(base, a=f"{BOTH} {label('next', 9)} {label('stable', 1)}"))
    assert models.labelled("a", "next") == 9
    code, _ = refused(models.reload, config_of(base, a=f"{BOTH} {label('stable', 9)} {label('next', 9)}"))
    assert code == PRECONDITION, "only a label that is not given yet"


def test_what_cannot_be_served_is_refused(base, models):
    twice = config_of(base, a="")
    twice.model_config_list.config.append(twice.model_config_list.config[0])
    assert refused(models.reload, twice) == (INVALID, "Illegal to list model a multiple times in config list")
    relative = config_of(base, a="")
    relative.model_config_list.config[0].base_path = "models/a"
    assert refused(models.reload, relative) == (
        INVALID,
        "Expected model a to have an absolute path or URI; got base_path()=models/a",
    )
    assert list(models) == []
    code, message = refused(models.reload, config_of(base, a="", bad=""))
    assert code == UNKNOWN and message.startswith("1 servable(s) did not become available: {bad due to error: ")
    assert models["a"].serving() == {2}


@pytest.mark.parametrize("wrong", ["bad", "nowhere", "nul\0"])
def test_a_config_that_cannot_be_served_ends_nothing_that_answers(base, models, wrong):
    models.reload(config_of(base, a="", b=label("stable", 7)))
    config = config_of(base, a="", other="")
    config.model_config_list.config[0].base_path = config.model_config_list.config[1].base_path = f"{base}/{wrong}"
    for _ in range(2):
        code, message = refused(models.reload, config)
        assert code == UNKNOWN and message.startswith("2 servable(s) did not become available: {a due to error: ")
        assert models["a"].serving() == {2} and models["b"].serving() == {7} and Loaded.closed == []
        assert models.labelled("b", "stable") == 7
    models.reload(config_of(base, b=""))
    assert list(models) == ["b"] and Loaded.closed == [f"{base}/a/2"]


@pytest.mark.parametrize(
    "fields, said",
    [
        ({"model_platform": "caffe"}, "Model a requests unsupported platform caffe"),
        ({"model_platform": ""}, "Illegal setting neither ModelServerConfig::model_type (deprecated) nor "),
        ({"model_type": "OTHER"}, "ModelServerConfig::model_type choice OTHER not supported."),
        ({"model_type": 99}, "ModelServerConfig::model_type choice  not supported."),
        ({"model_type": "TENSORFLOW", "model_platform": ""}, None),
    ],
)
def test_the_platform_is_tensorflow(base, models, fields, said):
    config = config_of(base, a="")
    for name, value in fields.items():
        setattr(config.model_config_list.config[0], name, value)
    if said is None:
        models.reload(config)
        assert models["a"].serving() == {2}
    else:
        code, message = refused(models.reload, config)
        assert code == INVALID and message.startswith(said)
