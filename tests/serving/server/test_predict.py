import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2, predict_pb2

from serving import models_config
from serving.loader import ServedVersion
from serving.server import model_status, predict
from serving.server.models import Models
from serving.server.status import StatusError
from tests.serving.server.running import predict_request
from tests.serving.tiny_version import fake_version

INVALID, NOT_FOUND, PRECONDITION = (
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.FAILED_PRECONDITION,
)


@pytest.fixture
def models(place):
    models = Models(ServedVersion)
    models.reload(models_config.of_one("reviews", place(4, "a")))
    yield models
    models.close()


def test_answers_every_output_with_its_version(models):
    response = predict.predict(models, predict_request(["good", "a\0b", ""]))
    assert sorted(response.outputs) == ["label", "probabilities", "score", "truncated"]
    assert list(response.outputs["label"].string_val) == [b"positive"] * 3
    assert tf.make_ndarray(response.outputs["probabilities"]).shape == (3, 2)
    score = 1 / (1 + np.exp(-(np.array([4, 3, 0]) / 10 + 5)))
    np.testing.assert_allclose(response.outputs["score"].float_val, score, rtol=1e-6)
    spec = response.model_spec
    assert (spec.name, spec.version.value, spec.signature_name) == ("reviews", 4, "serving_default")


def test_a_batch_of_none_and_of_one_version(models):
    request = predict_request([])
    request.model_spec.version.value = 4
    response = predict.predict(models, request)
    assert tf.make_ndarray(response.outputs["probabilities"]).shape == (0, 2)


def test_shapes_are_the_matter_of_the_graph(models):
    request = predict_request(["good"])
    request.inputs["text"].CopyFrom(tf.make_tensor_proto([["good", "bad"]]))
    request.output_filter.append("truncated")
    assert tf.make_ndarray(predict.predict(models, request).outputs["truncated"]).shape == (1, 2)


def test_a_filter_is_looked_at_before_types(models):
    request = predict_request(["good"])
    request.inputs["text"].CopyFrom(tf.make_tensor_proto([1.0]))
    request.output_filter.append("no")
    with pytest.raises(StatusError, match="output tensor alias not found"):
        predict.predict(models, request)


@pytest.mark.parametrize("checks", [False, True])
def test_the_method_of_a_signature_matters_where_it_is_checked(place, checks):
    models = Models(ServedVersion, checks_methods=checks)
    models.reload(models_config.of_one("reviews", place(4, "a")))
    with models["reviews"].use() as servable:
        servable.loaded.meta_graph.signature_def["serving_default"].method_name = "own/method"
    if checks:
        with pytest.raises(StatusError, match="Expected prediction signature method_name to be one of .* Was: own/m"):
            predict.predict(models, predict_request(["good"]))
    else:
        assert predict.predict(models, predict_request(["good"])).outputs
    models.close()


def test_filter_keeps_the_named_outputs(models):
    request = predict_request(["good"])
    request.output_filter.append("score")
    assert list(predict.predict(models, request).outputs) == ["score"]


def test_metadata_holds_the_signatures(models):
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = "reviews"
    response = predict.get_model_metadata(models, request)
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert response.metadata["signature_def"].Unpack(signatures)
    assert signatures.signature_def["serving_default"].inputs["text"].dtype == tf.string.as_datatype_enum
    assert response.model_spec.version.value == 4


def test_status_lists_every_version_with_its_error(models, tmp_path):
    fake_version(tmp_path / "reviews" / "9", b"no graph")
    models["reviews"].poll()
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = "reviews"
    request.model_spec.version_label = "ignored"
    broken, served = model_status.get_model_status(models, request).model_version_status
    assert (broken.version, broken.state, served.version, served.state) == (9, 50, 4, 30)
    assert broken.status.error_code and "saved_model.pb" in broken.status.error_message
    request.model_spec.version.value = 9
    assert len(model_status.get_model_status(models, request).model_version_status) == 1


def test_defaults_of_a_signature_fill_in(models):
    with models["reviews"].use() as servable:
        signature = servable.loaded.meta_graph.signature_def["serving_default"]
        signature.defaults["text"].CopyFrom(tf.make_tensor_proto(["default"]))
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "reviews"
    assert list(predict.predict(models, request).outputs["label"].string_val) == [b"positive"]


def test_long_messages_are_cut():
    assert StatusError(INVALID, "x" * 5000).message == "x" * 1024 + "...TRUNCATED"
