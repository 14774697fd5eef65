"""HandleReloadConfigRequest and a models.config that is read again: models, policies and labels of a running server."""

import grpc
import numpy as np
import pytest
from tensorflow_serving.apis import model_management_pb2

from tests.conformance import broken
from tests.conformance import zoo as models
from tests.conformance.cases import case, row
from tests.conformance.configs import ALL, config_text, entry, label, reload_request, replace, specific
from tests.conformance.requests import predict, values

CORE = "tensorflow_serving/model_servers/server_core.cc"
RELOAD = f"{CORE}: ServerCore::ReloadConfig"
LABELS = f"{CORE}: ServerCore::UpdateModelVersionLabelMap"
ADD = f"{CORE}: ServerCore::AddModelsViaModelConfigList"
VALID = f"{CORE}: ValidateModelConfigList"
PLATFORM = f"{CORE}: GetPlatform"
HANDLER = "tensorflow_serving/model_servers/model_service_impl.cc: ModelServiceImpl::HandleReloadConfigRequest"
POLLING = "tensorflow_serving/model_servers/server.cc: Server::PollFilesystemAndReloadConfig"
INVALID, NOT_FOUND, PRECONDITION = (
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.FAILED_PRECONDITION,
)
ONE = np.float32([1.0])


@pytest.fixture(scope="module")
def loaded(serve, zoo, tmp_path_factory):
    """A server of model `first`, version 1, that nothing but calls reconfigure."""
    path = tmp_path_factory.mktemp("reload") / "models.config"
    path.write_text(config_text(entry("first", zoo / "numbered", specific(1))))
    with serve(f"--model_config_file={path}") as server:
        server.wait_until_available("first", 1)
        yield server


@pytest.fixture
def fresh(loaded, zoo):
    """The same, once it serves version 1 of `first` alone and has no label."""
    loaded.ask(reload_request(entry("first", zoo / "numbered", specific(1))))
    loaded.wait_for("first", lambda states: available(states) == {1})
    return loaded


def available(states):
    return {version for version, (state, *_) in states.items() if state == "AVAILABLE"}


def version_of(response):
    return response.model_spec.version.value


@case(HANDLER)
def test_the_answer_says_that_it_went_well(fresh, zoo):
    answer = fresh.ask(reload_request(entry("first", zoo / "numbered", specific(1))))
    assert (answer.status.error_code, answer.status.error_message) == (0, "")


@case(ADD)
def test_a_new_model_answers_when_the_call_returns(fresh, zoo):
    fresh.ask(reload_request(entry("first", zoo / "numbered", specific(1)), entry("second", zoo / "numbered")))
    assert version_of(fresh.ask(predict("second", x=ONE))) == 3
    assert version_of(fresh.ask(predict("first", x=ONE))) == 1


@case(f"{CORE}: ServerCore::CreateStoragePathSourceConfig")
def test_a_policy_changes(fresh, zoo):
    fresh.ask(reload_request(entry("first", zoo / "numbered", specific(2, 3))))
    states = fresh.wait_for("first", lambda states: available(states) == {2, 3})
    assert states[1] == ("END", 0, "")
    fresh.ask(reload_request(entry("first", zoo / "numbered", ALL)))
    fresh.wait_for("first", lambda states: available(states) == {1, 2, 3})


@case("tensorflow_serving/sources/storage_path/file_system_storage_path_source.cc: GetDeletedServables")
def test_a_model_that_is_left_out_is_served_no_more(fresh, zoo):
    fresh.ask(reload_request(entry("other", zoo / "numbered")))
    states = fresh.wait_for("first", lambda states: not available(states))
    assert states[1] == ("END", 0, "")
    assert fresh.refusal(predict("first", x=ONE)) == (NOT_FOUND, "Servable not found for request: Latest(first)")


@case("tensorflow_serving/core/servable_state_monitor.cc: ServableStateMonitor::GetVersionStates")
def test_a_model_that_is_left_out_may_come_back(fresh, zoo):
    fresh.ask(reload_request(entry("other", zoo / "numbered")))
    fresh.wait_for("first", lambda states: not available(states))
    fresh.ask(reload_request(entry("first", zoo / "numbered", specific(2))))
    assert version_of(fresh.ask(predict("first", x=ONE))) == 2


@case(RELOAD)
def test_an_empty_list_serves_nothing(fresh):
    fresh.ask(reload_request())
    fresh.wait_for("first", lambda states: not available(states))


@case(PLATFORM)
def test_the_platform_may_be_told_by_its_old_number(fresh, zoo):
    fresh.ask(reload_request(entry("old", zoo / "numbered", "model_type: TENSORFLOW", platform=None)))
    assert version_of(fresh.ask(predict("old", x=ONE))) == 3


@case(LABELS)
def test_a_label_is_given_to_what_is_loaded(fresh, zoo):
    fresh.ask(reload_request(entry("first", zoo / "numbered", specific(1), label("stable", 1))))
    assert version_of(fresh.ask(predict("first", label="stable", x=ONE))) == 1


@case(LABELS)
def test_a_label_moves(fresh, zoo):
    fresh.ask(reload_request(entry("first", zoo / "numbered", specific(1, 2))))
    fresh.wait_for("first", lambda states: available(states) == {1, 2})
    for number in (1, 2, 1):
        fresh.ask(reload_request(entry("first", zoo / "numbered", specific(1, 2), label("stable", number))))
        assert version_of(fresh.ask(predict("first", label="stable", x=ONE))) == number


@case(LABELS)
def test_two_labels_may_name_one_version(fresh, zoo):
    fresh.ask(reload_request(entry("first", zoo / "numbered", specific(1), label("a", 1), label("b", 1))))
    assert [version_of(fresh.ask(predict("first", label=name, x=ONE))) for name in "ab"] == [1, 1]


@case(LABELS)
def test_a_label_that_is_left_out_is_gone(fresh, zoo):
    fresh.ask(reload_request(entry("first", zoo / "numbered", specific(1), label("stable", 1))))
    fresh.ask(reload_request(entry("first", zoo / "numbered", specific(1))))
    assert fresh.refusal(predict("first", label="stable", x=ONE)) == (
        INVALID,
        "Unrecognized servable version label: stable",
    )


@case("Fact: a version and its label cannot come in one change; the whole change is rejected")
def test_a_label_of_what_the_same_config_brings_is_refused(fresh, zoo):
    code, said = fresh.refusal(reload_request(entry("first", zoo / "numbered", specific(1, 2), label("new", 2))))
    assert (code, said) == (
        PRECONDITION,
        "Request to assign label to version 2 of model first, which is not currently available for inference",
    )
    assert set(fresh.states("first")) >= {1} and available(fresh.states("first")) == {1}


@case(LABELS)
def test_labels_stay_when_a_change_is_refused(fresh, zoo):
    fresh.ask(reload_request(entry("first", zoo / "numbered", specific(1), label("stable", 1))))
    fresh.refusal(reload_request(entry("first", zoo / "numbered", specific(1), label("stable", 9))))
    assert version_of(fresh.ask(predict("first", label="stable", x=ONE))) == 1


def custom():
    request = model_management_pb2.ReloadConfigRequest()
    request.config.custom_model_config.type_url = "type.googleapis.com/any.Message"
    return request


NO_LIST = (
    "ServerModelConfig type not supported by HandleReloadConfigRequest. Only ModelConfigList is currently supported"
)
REFUSED = {
    "no config": (HANDLER, lambda zoo: model_management_pb2.ReloadConfigRequest(), INVALID, NO_LIST),
    "a config of somebody's own": (HANDLER, lambda zoo: custom(), INVALID, NO_LIST),
    "a model twice": (
        VALID,
        lambda zoo: reload_request(entry("a", zoo / "numbered"), entry("a", zoo / "echo")),
        INVALID,
        "Illegal to list model a multiple times in config list",
    ),
    "a relative path": (
        VALID,
        lambda zoo: reload_request(entry("a", "models/a")),
        INVALID,
        "Expected model a to have an absolute path or URI; got base_path()=models/a",
    ),
    "no path": (
        VALID,
        lambda zoo: reload_request(entry("a", "")),
        INVALID,
        "Expected model a to have an absolute path or URI; got base_path()=",
    ),
    "no platform": (
        PLATFORM,
        lambda zoo: reload_request(entry("a", zoo / "numbered", platform=None)),
        INVALID,
        "Illegal setting neither ModelServerConfig::model_type (deprecated) nor ModelServerConfig::model_platform.",
    ),
    "a platform twice": (
        PLATFORM,
        lambda zoo: reload_request(entry("a", zoo / "numbered", "model_type: TENSORFLOW")),
        INVALID,
        "Illegal setting both ModelServerConfig::model_type (deprecated) and ModelServerConfig::model_platform.",
    ),
    "an unknown platform": (
        f"{CORE}: ServerCore::CreateStoragePathRoutes",
        lambda zoo: reload_request(entry("a", zoo / "numbered", platform="onnx")),
        INVALID,
        "Model a requests unsupported platform onnx",
    ),
    "another platform": (
        f"{CORE}: ValidateNoModelsChangePlatforms",
        lambda zoo: reload_request(entry("first", zoo / "numbered", platform="onnx")),
        INVALID,
        "Illegal to change a model's platform. For model first platform was tensorflow and new platform requested is "
        "onnx",
    ),
    "a label of a new model": (
        LABELS,
        lambda zoo: reload_request(entry("a", zoo / "numbered", label("stable", 3))),
        PRECONDITION,
        "Request to assign label to version 3 of model a, which is not currently available for inference",
    ),
    "a label of no version": (
        LABELS,
        lambda zoo: reload_request(entry("first", zoo / "numbered", specific(1), label("stable", 9))),
        PRECONDITION,
        "Request to assign label to version 9 of model first, which is not currently available for inference",
    ),
}


@pytest.mark.parametrize(
    ("make", "code", "message"), [row(name, source, *given) for name, (source, *given) in REFUSED.items()]
)
def test_refused(fresh, zoo, make, code, message):
    assert fresh.refusal(make(zoo)) == (code, message)


@case(RELOAD)
def test_what_was_served_is_served_after_a_refusal(fresh, zoo):
    fresh.refusal(reload_request(entry("a", "models/a")))
    assert values(fresh.ask(predict("first", x=ONE)), "y") == [11.0]


@case(f"{CORE}: ServerCore::WaitUntilModelsAvailable")
def test_a_new_model_that_cannot_be_loaded_is_told(fresh, zoo, tmp_path):
    models.copy(zoo / "numbered/1", tmp_path / "bad/1")
    broken.without_graph(tmp_path / "bad/1")
    code, said = fresh.refusal(
        reload_request(entry("first", zoo / "numbered", specific(1)), entry("bad", tmp_path / "bad"))
    )
    assert code == grpc.StatusCode.UNKNOWN
    assert said.startswith("1 model(s) did not become available: {{{name: bad version: 1} due to error: ")


@pytest.fixture(scope="module")
def polled(serve, zoo, tmp_path_factory):
    """(server, its models.config) that is read every second; labels may come ahead."""
    path = tmp_path_factory.mktemp("polled") / "models.config"
    path.write_text(config_text(entry("first", zoo / "numbered", specific(1), label("stable", 1))))
    flags = ("--model_config_file_poll_wait_seconds=1", "--allow_version_labels_for_unavailable_models")
    with serve(f"--model_config_file={path}", *flags) as server:
        server.wait_until_available("first", 1)
        yield server, path


@case("Fact: labels at the start need --allow_version_labels_for_unavailable_models")
def test_a_label_may_be_there_at_the_start(polled):
    server, path = polled
    assert version_of(server.ask(predict("first", label="stable", x=ONE))) == 1


@case(POLLING)
def test_a_file_is_read_again(polled, zoo):
    server, path = polled
    replace(path, entry("first", zoo / "numbered", specific(1, 2), label("stable", 1)), entry("more", zoo / "numbered"))
    server.wait_until_available("first", 2)
    server.wait_until_available("more", 3)


@case(POLLING)
def test_half_a_file_changes_nothing(polled, zoo):
    server, path = polled
    replace(path, entry("first", zoo / "numbered", specific(1, 2), label("stable", 1)))
    server.wait_until_available("first", 2)
    path.write_text("model_config_list { config {")
    replace(path.with_name("other"), entry("first", zoo / "numbered"))
    assert version_of(server.ask(predict("first", label="stable", x=ONE))) == 1
    replace(path, entry("first", zoo / "numbered", specific(2), label("stable", 2)))
    # stable is taken: it moves when version 2 is there, which it is
    server.wait_for("first", lambda states: available(states) == {2})
    assert version_of(server.ask(predict("first", label="stable", x=ONE))) == 2


@case("Fact: config-file polling undoes a HandleReloadConfigRequest at the next poll")
def test_reading_the_file_undoes_a_call(polled, zoo):
    server, path = polled
    replace(path, entry("first", zoo / "numbered", specific(1)))
    server.wait_for("first", lambda states: available(states) == {1})
    server.ask(reload_request(entry("first", zoo / "numbered", specific(1)), entry("called", zoo / "numbered")))
    server.wait_for("called", lambda states: states[3][0] == "END")


@case(f"{LABELS}, allow_version_labels_for_unavailable_models")
def test_a_new_label_may_come_ahead_of_its_version(polled, zoo):
    server, path = polled
    replace(path, entry("first", zoo / "numbered", specific(1), label("ahead", 9)))
    server.ask(reload_request(entry("first", zoo / "numbered", specific(1), label("ahead", 9))))
    assert server.refusal(predict("first", label="ahead", x=ONE)) == (
        NOT_FOUND,
        "Servable not found for request: Specific(first, 9)",
    )


@case(f"{LABELS}, allow_version_labels_for_unavailable_models")
def test_a_label_that_is_taken_may_not(polled, zoo):
    server, path = polled
    replace(path, entry("first", zoo / "numbered", specific(1), label("stable", 1)))
    server.ask(reload_request(entry("first", zoo / "numbered", specific(1), label("stable", 1))))
    code, _ = server.refusal(reload_request(entry("first", zoo / "numbered", specific(1), label("stable", 9))))
    assert code == PRECONDITION
