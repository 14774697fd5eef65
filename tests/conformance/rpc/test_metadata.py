"""GetModelMetadata: the signatures of a version, and nothing else."""

import grpc
import pytest
import tensorflow as tf
from tensorflow_serving.apis import get_model_metadata_pb2

from tests.conformance.rpc.cases import case, row
from tests.conformance.rpc.requests import metadata

IMPL = "tensorflow_serving/servables/tensorflow/get_model_metadata_impl.cc: SavedModelGetSignatureDef"
CHECK = "tensorflow_serving/servables/tensorflow/get_model_metadata_impl.cc: ValidateGetModelMetadataRequest"
SPEC = "tensorflow_serving/servables/tensorflow/get_model_metadata_impl.cc: GetModelMetadataImpl::GetModelMetadata"
MODEL = "tensorflow_serving/model_servers/server_core.cc: ServerCore::ServableRequestFromModelSpec"
MANAGER = "tensorflow_serving/core/basic_manager.cc: BasicManager::ServingMap::GetUntypedServableHandle"
LABEL = "tensorflow_serving/model_servers/server_core.cc: ServerCore::GetModelVersionForLabel"
FIELD = "signature_def"
INVALID, NOT_FOUND = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND


def signatures(response):
    found = get_model_metadata_pb2.SignatureDefMap()
    assert response.metadata[FIELD].Unpack(found)
    return found.signature_def


@case(IMPL)
def test_every_signature_is_there(ask):
    found = signatures(ask(metadata("echo", FIELD)))
    assert {"serving_default", "matrix", "two", "defaulted", "of_bool", "odd_method"} <= set(found)
    assert found["odd_method"].method_name == "somebody/elses/method"


@case(IMPL)
def test_a_signature_has_names_dtypes_and_shapes(ask):
    matrix = signatures(ask(metadata("echo", FIELD)))["matrix"]
    assert matrix.inputs["x"].dtype == tf.float32.as_datatype_enum
    assert [each.size for each in matrix.inputs["x"].tensor_shape.dim] == [-1, 3]
    assert list(matrix.outputs) == ["y"] and matrix.method_name == "tensorflow/serving/predict"


@case(IMPL)
def test_defaults_are_there(ask):
    defaults = signatures(ask(metadata("echo", FIELD)))["defaulted"].defaults
    assert tf.make_ndarray(defaults["b"]).tolist() == [0.5, 1.5]


@case(IMPL)
def test_the_spec_names_model_and_version_alone(ask):
    where = ask(metadata("numbered", FIELD)).model_spec
    assert (where.name, where.version.value, where.signature_name) == ("numbered", 3, "")


@case(IMPL)
def test_a_version_is_asked_by_its_label(ask):
    assert ask(metadata("numbered", FIELD, label="stable")).model_spec.version.value == 1


@case(IMPL)
def test_a_version_is_asked_by_its_number(ask):
    assert ask(metadata("numbered", FIELD, version=2)).model_spec.version.value == 2


@case(CHECK)
def test_a_field_may_come_twice(ask):
    assert list(ask(metadata("echo", FIELD, FIELD)).metadata) == [FIELD]


def nameless():
    return get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=[FIELD])


@pytest.mark.parametrize(
    ("request_", "code", "message"),
    [
        row("no spec", SPEC, nameless(), INVALID, "Missing ModelSpec"),
        row("no field", CHECK, metadata("echo"), INVALID, "must specify at least one metadata_field"),
        row("another field", CHECK, metadata("echo", "weights"), INVALID, "is not supported"),
        row("one field of two", CHECK, metadata("echo", FIELD, "weights"), INVALID, "weights"),
        row("a field before the model", CHECK, metadata("x"), INVALID, "must specify at least one metadata_field"),
        row("no name", MODEL, metadata("", FIELD), INVALID, "ModelSpec has no name specified."),
        row("an unknown model", MANAGER, metadata("x", FIELD), NOT_FOUND, "Servable not found for request: Latest(x)"),
        row(
            "an unknown version",
            MANAGER,
            metadata("echo", FIELD, version=7),
            NOT_FOUND,
            "Servable not found for request: Specific(echo, 7)",
        ),
        row(
            "an unknown label",
            LABEL,
            metadata("echo", FIELD, label="new"),
            INVALID,
            "Unrecognized servable version label: new",
        ),
    ],
)
def test_refused(refusal, request_, code, message):
    answered, said = refusal(request_)
    assert (answered, message in said) == (code, True), said
