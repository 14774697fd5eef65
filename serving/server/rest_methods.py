"""REST's methods: JSON in, the functions that answer gRPC, JSON out.

Source: the Process…Request functions of tensorflow_serving/model_servers/http_rest_api_handler.cc. Each takes
(models, ModelSpec, body) and gives the text of the answer; StatusError where there is none.
"""

from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    predict_pb2,
    regression_pb2,
)

from serving.server import inference, json_answers, json_examples, json_tensors, json_values, model_spec, predict
from serving.server.model_status import get_model_status
from serving.server.status import invalid


def _predict(models, spec, body):
    request = predict_pb2.PredictRequest(model_spec=spec)
    document = _document(request.model_spec, body)
    by_row = json_tensors.fill(request.inputs, document, _inputs_of(models, request.model_spec))
    return json_answers.predictions(predict.predict(models, request).outputs, by_row)


def _classify(models, spec, body):
    request = classification_pb2.ClassificationRequest(model_spec=spec)
    json_examples.fill(request.input, _document(request.model_spec, body))
    return json_answers.classifications(inference.classify(models, request).result)


def _regress(models, spec, body):
    request = regression_pb2.RegressionRequest(model_spec=spec)
    json_examples.fill(request.input, _document(request.model_spec, body))
    return json_answers.regressions(inference.regress(models, request).result)


def _metadata(models, spec, _):
    request = get_model_metadata_pb2.GetModelMetadataRequest(model_spec=spec, metadata_field=["signature_def"])
    return json_answers.metadata(predict.get_model_metadata(models, request))


def _status(models, spec, _):
    return json_answers.status(get_model_status(models, get_model_status_pb2.GetModelStatusRequest(model_spec=spec)))


METHODS = {
    "predict": _predict,
    "classify": _classify,
    "regress": _regress,
    "metadata": _metadata,
    "status": _status,
}


def _document(spec, body):
    """The body's object; the signature that it names goes into the ModelSpec."""
    document = json_values.parse(body)
    name = document.get("signature_name", "")
    if not isinstance(name, str):
        what = "not formatted correctly. 'signature_name' key must be a string value."
        raise json_values.faulty(document, what)
    spec.signature_name = name
    return document


def _inputs_of(models, spec):
    """`{name: TensorInfo}` of what the signature takes."""
    name = model_spec.signature_of(spec)
    with model_spec.servable_of(models, spec) as servable:
        signatures = servable.loaded.meta_graph.signature_def
        if name not in signatures:
            raise invalid(f'Serving signature name: "{name}" not found in signature def')
        inputs = dict(signatures[name].inputs)
    if not inputs:
        raise invalid(f"Failed to get input map for signature: {spec.signature_name or 'DEFAULT'}")
    return inputs
