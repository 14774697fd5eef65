"""What cannot be loaded ends with its error while the version before it serves on, and what looks broken and is not."""

import functools

import grpc
import numpy as np
import pytest
from tensorflow_serving.apis import prediction_log_pb2

from tests.conformance import broken, zoo
from tests.conformance.broken import predict_log, warmed_by
from tests.conformance.cases import case, row
from tests.conformance.configs import config_text, entry
from tests.conformance.requests import predict, status, values

pytestmark = pytest.mark.slow

READER = "tensorflow/cc/saved_model/reader.cc: ReadSavedModel"
LOADER = "tensorflow/cc/saved_model/loader.cc: LoadSavedModel"
WARMUP = "tensorflow_serving/servables/tensorflow/saved_model_warmup_util.cc: RunSavedModelWarmup"
REQUEST = "tensorflow_serving/servables/tensorflow/saved_model_warmup.cc: RunWarmupRequest"
MANAGER = "tensorflow_serving/core/loader_harness.cc: LoaderHarness::Load"
POLICY = "tensorflow_serving/core/availability_preserving_policy.cc: AvailabilityPreservingPolicy::GetNextAction"
CODES = {code.name: code.value[0] for code in grpc.StatusCode}
GOOD = predict_log(x=np.float32([1.0]))
# name: (source, how version 2 is spoiled, code of its error, words of its message)
BROKEN = {
    "cut-short": (
        "Fact: a corrupt saved_model.pb fails with OUT_OF_RANGE",
        broken.cut_short,
        "OUT_OF_RANGE",
        "",
    ),
    "no-graph": (READER, broken.without_graph, "NOT_FOUND", ""),
    "no-files": (READER, broken.with_empty_folder, "NOT_FOUND", ""),
    "no-tag": (f"{READER}, FindMetaGraphDef", broken.without_tag, "NOT_FOUND", ""),
    "missing-op": (
        "tensorflow/core/framework/op.cc: OpRegistry::LookUp",
        broken.with_missing_op,
        "NOT_FOUND",
        zoo.MISSING_OP,
    ),
    "no-data": (f"{LOADER}, RunRestore", broken.without_data, "NOT_FOUND", "variables.data-00000-of-00001"),
    "warm-up-name": (
        f"{REQUEST}, RunPredict",
        warmed_by(GOOD, predict_log(y=np.float32([1.0]))),
        "INVALID_ARGUMENT",
        "not found in request and no default value provided",
    ),
    "warm-up-signature": (
        f"{REQUEST}, RunPredict",
        warmed_by(predict_log("none", x=np.float32([1.0]))),
        "FAILED_PRECONDITION",
        'Serving signature key "none" not found.',
    ),
    "warm-up-session": (
        REQUEST,
        warmed_by(broken.session_log()),
        "UNIMPLEMENTED",
        "Unsupported log_type for warmup: 5",
    ),
    "warm-up-no-log": (WARMUP, warmed_by(b"\xff\xff"), "INVALID_ARGUMENT", "Failed to parse warmup record: "),
    "warm-up-no-file": (
        WARMUP,
        broken.warmed_by_no_records,
        "DATA_LOSS",
        "Please verify your warmup data is in TFRecord format.",
    ),
    "warm-up-long": (
        f"{WARMUP}, WarmupConsts::kMaxNumRecords",
        warmed_by(*[GOOD] * 1001),
        "INVALID_ARGUMENT",
        "Number of warmup records exceeds the maximum (1000) at ",
    ),
}
# name: (source, how version 2 is changed)
WELL = {
    "warm-up-good": (f"{REQUEST}, RunPredict", warmed_by(*[GOOD] * 1000)),
    "warm-up-empty-log": (REQUEST, warmed_by(prediction_log_pb2.PredictionLog())),
    "warm-up-no-record": (f"{WARMUP}, OUT_OF_RANGE at the end of the file", warmed_by()),
    "no-variables": (f"{LOADER}, RunRestore without variables.index", broken.without_variables),
}


@pytest.fixture(scope="module")
def loading(serve, zoo, tmp_path_factory):
    """(server, folder) of a model per name, of which each gets a version 2 while version 1 serves."""
    folder = tmp_path_factory.mktemp("loading")
    spoiled = {name: change for name, (_, change, *_) in {**BROKEN, **WELL}.items()}
    for name in spoiled:
        copied(zoo, folder / name / "1")
    (folder / "models.config").write_text(config_text(*(entry(name, folder / name) for name in spoiled)))
    with serve(f"--model_config_file={folder / 'models.config'}") as server:
        for name in spoiled:
            server.wait_until_available(name, 1)
        for name, change in spoiled.items():
            copied(zoo, folder / name / "2", change)
        yield server


def copied(zoo_folder, target, change=lambda version: None):
    staged = zoo.copy(zoo_folder / "numbered" / target.name, target.parent / ".new" / target.name)
    change(staged)
    staged.rename(target)


def ended(states):
    return states.get(2, ("",))[0] == "END"


@functools.cache
def end_of(server, name):
    return server.wait_for(name, ended)[2]


@pytest.mark.parametrize(("name", "code", "words"), [row(n, s, n, c, w) for n, (s, _, c, w) in BROKEN.items()])
def test_what_is_broken_ends_with_its_error(loading, name, code, words):
    _, found, message = end_of(loading, name)
    assert (found, words in message) == (CODES[code], True), (found, message)


@pytest.mark.parametrize("name", [row(name, POLICY, name) for name in BROKEN])
def test_the_version_before_what_is_broken_serves_on(loading, name):
    end_of(loading, name)
    response = loading.ask(predict(name, x=np.float32([1.0])))
    assert response.model_spec.version.value == 1 and values(response, "y") == [11.0]


@case(MANAGER)
def test_what_is_broken_is_not_asked(loading):
    end_of(loading, "cut-short")
    assert loading.refusal(predict("cut-short", version=2, x=np.float32([1.0]))) == (
        grpc.StatusCode.NOT_FOUND,
        "Servable not found for request: Specific(cut-short, 2)",
    )


@case("tensorflow_serving/model_servers/get_model_status_impl.cc: AddModelVersionStatusToResponse")
def test_the_error_can_be_asked_for_alone(loading):
    end_of(loading, "missing-op")
    (one,) = loading.ask(status("missing-op", version=2)).model_version_status
    assert (one.version, one.status.error_code) == (2, CODES["NOT_FOUND"])


@pytest.mark.parametrize("name", [row(name, source, name) for name, (source, _) in WELL.items()])
def test_what_only_looks_broken_is_loaded(loading, name):
    loading.wait_until_available(name, 2)


@case("tensorflow/core/kernels/resource_variable_ops.cc: ReadVariableOp::Compute")
def test_variables_that_are_not_there_fail_the_request(loading):
    loading.wait_until_available("no-variables", 2)
    code, _ = loading.refusal(predict("no-variables", x=np.float32([1.0])))
    assert code in (grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.NOT_FOUND)
