"""PredictionService's answers: Predict and GetModelMetadata, in TensorFlow Serving's order of checks and its words.

Sources: tensorflow_serving/servables/tensorflow/{predict_util,get_model_metadata_impl}.cc,
tensorflow/cc/saved_model/util.cc.
"""

import grpc
from tensorflow_serving.apis import get_model_metadata_pb2, predict_pb2

from serving.server import model_spec, tensors
from serving.server.status import StatusError, invalid

_METHODS = ("tensorflow/serving/predict", "tensorflow/serving/classify", "tensorflow/serving/regress")
_METADATA_FIELD = "signature_def"


def predict(models, request):
    """PredictResponse to a PredictRequest; `models` is {name: Versions}. StatusError as the real server answers."""
    spec = model_spec.spec_of(request)
    with model_spec.servable_of(models, spec) as servable:
        outputs, signature = run(servable.loaded, request, models.checks_methods)
    response = predict_pb2.PredictResponse()
    model_spec.fill(response.model_spec, spec, servable.number)
    for alias, array in outputs.items():
        tensors.fill(response.outputs[alias], array, signature.outputs[alias].dtype)
    return response


def run(loaded, request, checks_methods):
    """(`{output: array}` of a loaded version, its SignatureDef); StatusError, or tf.errors.OpError of the graph."""
    name = model_spec.signature_of(request.model_spec)
    signature = _signature(loaded, name, checks_methods)
    inputs = _inputs(signature, request)
    wanted = _wanted_outputs(signature, request)
    _check_types(signature, request)
    return loaded.answer(name, inputs, wanted), signature


def get_model_metadata(models, request):
    """GetModelMetadataResponse: the signatures of a version, packed as the real server packs them."""
    spec = model_spec.spec_of(request)
    if not request.metadata_field:
        raise invalid("GetModelMetadataRequest must specify at least one metadata_field")
    for field in request.metadata_field:
        if field != _METADATA_FIELD:
            raise invalid(f"Metadata field %s is not supported{field}")  # errors::InvalidArgument knows no formats
    response = get_model_metadata_pb2.GetModelMetadataResponse()
    with model_spec.servable_of(models, spec) as servable:
        signatures = get_model_metadata_pb2.SignatureDefMap(signature_def=servable.loaded.meta_graph.signature_def)
    model_spec.fill(response.model_spec, spec, servable.number, signature=False)
    response.metadata[_METADATA_FIELD].Pack(signatures)
    return response


def _signature(loaded, name, checks_methods):
    signatures = loaded.signatures
    if name not in signatures:
        raise StatusError(grpc.StatusCode.FAILED_PRECONDITION, f'Serving signature key "{name}" not found.')
    if checks_methods and signatures[name].method_name not in _METHODS:
        message = f"Expected prediction signature method_name to be one of {{{', '.join(_METHODS)}}}. Was: "
        raise StatusError(grpc.StatusCode.INTERNAL, message + signatures[name].method_name)
    return signatures[name]


def _inputs(signature, request):
    """`{alias: array}` of the request, defaults filled in."""
    given, expected = set(request.inputs), set(signature.inputs)
    if len(given) > len(expected) or (len(given) < len(expected) and not signature.defaults):
        raise invalid(
            f"input size does not match signature: {len(given)}!={len(expected)} len({{{_joined(given)}}}) != "
            f"len({{{_joined(expected)}}}). Sent extra: {{{_joined(given - expected)}}}. "
            f"Missing but required: {{{_joined(expected - given)}}}."
        )
    arrays = {alias: _array(alias, _given_tensor(alias, signature, request)) for alias in sorted(expected)}
    if given - expected:
        raise invalid(
            f"Inputs contains invalid name. Used request inputs: {_joined(given & expected)}, "
            f"request input: {_joined(given)}"
        )
    return arrays


def _given_tensor(alias, signature, request):
    if alias in request.inputs:
        return request.inputs[alias]
    if alias in signature.defaults:
        return signature.defaults[alias]
    raise invalid(
        f"Signature input alias: {alias}(feed name: {signature.inputs[alias].name}) not found in request and no "
        f"default value provided. Inputs expected to be in the request {{{_joined(request.inputs)}}}, "
        f"or default input alias set: {_joined(signature.defaults)}"
    )


def _array(alias, tensor):
    try:
        return tensors.to_array(tensor)
    except ValueError:
        raise invalid(f"tensor parsing error: {alias}") from None


def _check_types(signature, request):
    # The session numbers its arguments in the order of the graph's names, not of the request's.
    by_graph_name = sorted(signature.inputs.items(), key=lambda item: item[1].name)
    for index, (alias, info) in enumerate(by_graph_name):
        given = _given_tensor(alias, signature, request).dtype
        if given != info.dtype:
            raise invalid(tensors.wrong_type(index, info.dtype, given))


def _wanted_outputs(signature, request):
    """Names of the outputs to answer with: the request's filter, or all."""
    wanted = list(request.output_filter)
    for index, alias in enumerate(wanted):
        if alias not in signature.outputs:
            expected = _joined(signature.outputs)
            raise invalid(
                f"output tensor alias not found in signature: {alias} Outputs expected to be in the set {{{expected}}}."
            )
        if alias in wanted[:index]:
            raise invalid(f"duplicate output tensor alias: {alias}")
    return wanted or list(signature.outputs)


def _joined(names):
    return ",".join(sorted(names))
