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
    """A ModelServerConfig: {name: the rest of its entry}."""
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


def test_what_is_gone_keeps_its_states_and_may_come_back(base, models):
    models.reload(config_of(base, a="", b=""))
    models.reload(config_of(base, b=""))
    assert [(each.number, each.state) for each in models.states("a")] == [(2, "END")]
    assert models.states("none") == []
    models.reload(config_of(base, a="model_version_policy { specific { versions: 1 } }", b=""))
    assert [(each.number, each.state) for each in models.states("a")] == [(2, "END"), (1, "AVAILABLE")]


def test_labels_move_and_unknown_ones_are_refused(base, models):
    models.reload(config_of(base, a=BOTH))
    models.reload(config_of(base, a=f"{BOTH} {label('stable', 1)} {label('canary', 2)}"))
    assert [models.labelled("a", name) for name in ("stable", "canary")] == [1, 2]
    models.reload(config_of(base, a=f"{BOTH} {label('stable', 2)}"))
    assert models.labelled("a", "stable") == 2
    for asked in (("a", "canary"), ("none", "stable")):
        assert refused(models.labelled, *asked) == (INVALID, f"Unrecognized servable version label: {asked[1]}")


@pytest.mark.parametrize("policy", [BOTH, "model_version_policy { all {} }"])
def test_a_label_of_what_is_not_loaded_leaves_all_as_it_was(base, models, policy):
    models.reload(config_of(base, a="model_version_policy { specific { versions: 1 } }"))
    models.reload(config_of(base, a=f"model_version_policy {{ specific {{ versions: 1 }} }} {label('stable', 1)}"))
    said = "Request to assign label to version 2 of model a, which is not currently available for inference"
    assert refused(models.reload, config_of(base, a=f"{policy} {label('stable', 2)}", b="")) == (PRECONDITION, said)
    assert models.labelled("a", "stable") == 1 and models["a"].serving() == {1} and "b" not in models


def test_a_new_label_may_come_ahead_where_that_is_allowed(base):
    models = Models(Loaded, label_ahead=True)
    given = f"{BOTH} {label('next', 9)} {label('stable', 1)}"
    models.reload(config_of(base, a=given))
    assert models.labelled("a", "next") == 9
    models.reload(config_of(base, a=given))
    code, _ = refused(models.reload, config_of(base, a=f"{BOTH} {label('stable', 9)} {label('next', 9)}"))
    assert code == PRECONDITION, "only a label that is not given yet"


def test_what_cannot_be_served_is_refused(base, models):
    code, message = refused(models.reload, config_of(base, a="", bad=""))
    assert code == UNKNOWN
    assert message == (
        "1 model(s) did not become available: {{name: bad version: 13} due to error: INTERNAL: "
        "ServingError: no such graph}, }"
    ).replace("{{", "{{{")
    assert models["a"].serving() == {2}
    (base / "a/13").mkdir()
    models.reload(config_of(base, a="", bad=""))  # only what is new is waited for
    assert models["a"].serving() == {2}


def test_a_version_is_tried_again_until_it_is_given_up(base):
    tries = []

    def load(folder):
        tries.append(folder)
        if len(tries) < 3:
            raise ServingError("no such graph", exit_code=3)
        return Loaded(folder)

    models = Models(load, retries=2, retry_seconds=0)
    models.reload(config_of(base, a=""))
    assert tries == [f"{base}/a/2"] * 3 and models["a"].serving() == {2}
    given_up = Models(load, retries=9, retry_seconds=3600)
    tries.clear()
    given_up.give_up()
    code, _ = refused(given_up.reload, config_of(base, a=""))
    assert code == UNKNOWN and len(tries) == 1
