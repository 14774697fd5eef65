"""GetModelStatus, GetModelMetadata and the metrics."""

import grpc
import pytest
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2

from tests.conformance.types_version import DTYPES
from tests.serving.server.running import refusal

INVALID, NOT_FOUND = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND
STATUS = pytest.mark.conforms("tensorflow_serving/model_servers/get_model_status_impl.cc: GetModelStatusWithModelSpec")
METADATA = pytest.mark.conforms("tensorflow_serving/servables/tensorflow/get_model_metadata_impl.cc")
METRICS = pytest.mark.conforms("tensorflow_serving/util/prometheus_exporter.cc; servables/tensorflow/util.cc")


def status(name, **spec):
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = name
    if "version" in spec:
        request.model_spec.version.value = spec["version"]
    if "label" in spec:
        request.model_spec.version_label = spec["label"]
    return request


@STATUS
@pytest.mark.parametrize("spec", [{}, {"version": 1}, {"label": "stable"}, {"label": "nobody's"}], ids=str)
def test_status_ignores_labels(reviews, spec):
    (found,) = reviews.models.GetModelStatus(status("reviews", **spec), timeout=10).model_version_status
    assert (found.version, found.state, found.status.error_code, found.status.error_message) == (1, 30, 0, "")


@STATUS
@pytest.mark.parametrize(
    ("name", "spec", "code", "said"),
    [
        ("none", {}, NOT_FOUND, "Could not find any versions of model none"),
        ("reviews", {"version": 9}, NOT_FOUND, "Could not find version 9 of model reviews"),
        ("none", {"version": 9}, NOT_FOUND, "Could not find version 9 of model none"),
        ("", {}, NOT_FOUND, "Could not find any versions of model "),
    ],
)
def test_status_of_what_is_not_there(reviews, name, spec, code, said):
    assert refusal(reviews.models.GetModelStatus, status(name, **spec)) == (code, said)


@STATUS
def test_status_without_a_model(reviews):
    request = get_model_status_pb2.GetModelStatusRequest()
    assert refusal(reviews.models.GetModelStatus, request) == (INVALID, "Missing ModelSpec")


def metadata(name, *fields):
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=fields)
    request.model_spec.name = name
    return request


@METADATA
@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.name)
def test_metadata_holds_every_signature(reviews, dtype):
    answer = reviews.prediction.GetModelMetadata(metadata("types", "signature_def"), timeout=10)
    found = get_model_metadata_pb2.SignatureDefMap()
    assert answer.metadata["signature_def"].Unpack(found) and answer.model_spec.version.value == 1
    signature = found.signature_def[f"echo_{dtype.name}"]
    assert signature.inputs["x"].dtype == signature.outputs["y"].dtype == dtype.as_datatype_enum
    assert signature.method_name == "tensorflow/serving/predict"


@METADATA
@pytest.mark.parametrize(
    ("request_", "code", "said"),
    [
        (metadata("reviews"), INVALID, "GetModelMetadataRequest must specify at least one metadata_field"),
        (metadata("reviews", "weights"), INVALID, "Metadata field weights is not supported"),
        (metadata("reviews", "signature_def", "x"), INVALID, "Metadata field x is not supported"),
        (metadata("none", "signature_def"), NOT_FOUND, "Servable not found for request: Latest(none)"),
        (metadata("", "signature_def"), INVALID, "ModelSpec has no name specified."),
        (
            get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"]),
            INVALID,
            "Missing ModelSpec",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_metadata_that_is_refused(reviews, request_, code, said):
    assert refusal(reviews.prediction.GetModelMetadata, request_) == (code, said)


@METRICS
@pytest.mark.parametrize(
    "line",
    [
        "# TYPE :tensorflow:serving:request_count counter",
        "# TYPE :tensorflow:serving:request_latency histogram",
        ':tensorflow:serving:request_count{model_name="reviews",status="OK"} ',
        ':tensorflow:serving:request_latency_count{model_name="reviews",API="Predict",entrypoint="GRPC"} ',
    ],
)
def test_metrics(rest, reviews, line):
    reviews.predict(["good"])
    code, headers, page = rest.ask("GET", "/monitoring/prometheus/metrics")
    assert code == 200 and headers.get_content_type() == "text/plain"
    assert any(each.startswith(line) for each in page.decode().splitlines())
