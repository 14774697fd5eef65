"""PredictionService's answers to tf.Examples: Classify, Regress, and both at once in MultiInference.

In TensorFlow Serving's order of checks and its words. Sources: tensorflow_serving/servables/tensorflow/{classifier,
classification_service,regressor,regression_service,multi_inference,multi_inference_helper}.cc.
"""

import grpc
from tensorflow_serving.apis import classification_pb2, inference_pb2, model_pb2, regression_pb2

from serving.server import classification, examples, model_spec, regression
from serving.server.status import StatusError, invalid

_KINDS = {each.METHOD: each for each in (classification, regression)}


def classify(models, request):
    """ClassificationResponse to a ClassificationRequest; `models` is {name: Versions}."""
    return _one(models, request, run_classify, classification_pb2.ClassificationResponse())


def regress(models, request):
    """RegressionResponse to a RegressionRequest; `models` is {name: Versions}."""
    return _one(models, request, run_regress, regression_pb2.RegressionResponse())


def multi_inference(models, request):
    """MultiInferenceResponse to a MultiInferenceRequest: one run answers every task; `models` is {name: Versions}."""
    tasks = request.tasks
    with model_spec.servable_of(models, tasks[0].model_spec if tasks else model_pb2.ModelSpec()) as servable:
        response = run_multi_inference(servable.loaded, request, models.checks_methods)
    for task, result in zip(tasks, response.results, strict=True):
        model_spec.fill(result.model_spec, task.model_spec, servable.number)
    return response


def run_classify(loaded, request, checks_methods):
    """ClassificationResult of a loaded version; StatusError, or tf.errors.OpError of the graph."""
    return _result(loaded, request, classification, classification_pb2.ClassificationResult(), checks_methods)


def run_regress(loaded, request, checks_methods):
    """RegressionResult of a loaded version; StatusError, or tf.errors.OpError of the graph."""
    return _result(loaded, request, regression, regression_pb2.RegressionResult(), checks_methods)


def run_multi_inference(loaded, request, checks_methods):
    """MultiInferenceResponse of a loaded version, but its number; StatusError, or tf.errors.OpError of the graph."""
    signatures, feed, fetches = _joined(request.tasks, loaded.meta_graph.signature_def, checks_methods)
    count, arrays = examples.run(loaded, request.input, feed, fetches)
    response = inference_pb2.MultiInferenceResponse()
    for task, signature in zip(request.tasks, signatures, strict=True):
        kind = _KINDS[task.method_name]
        kind.fill(getattr(response.results.add(), f"{kind.NOUN}_result"), signature, count, arrays)
    return response


def _one(models, request, run, response):
    spec = model_spec.spec_of(request)
    with model_spec.servable_of(models, spec) as servable:
        response.result.CopyFrom(run(servable.loaded, request, models.checks_methods))
    model_spec.fill(response.model_spec, spec, servable.number)
    return response


def _result(loaded, request, kind, result, checks_methods):
    signature = _signature(loaded, model_spec.signature_of(request.model_spec))
    count, arrays = examples.run(loaded, request.input, *_ends(kind, signature, checks_methods))
    kind.fill(result, signature, count, arrays)
    return result


def _signature(loaded, name):
    signatures = loaded.meta_graph.signature_def
    if name not in signatures:
        raise invalid(f"No signature was found with the name: {name}")
    return signatures[name]


def _ends(kind, signature, checks_methods):
    if checks_methods and signature.method_name != kind.METHOD:
        raise invalid(f"Expected {kind.NOUN} signature method_name to be {kind.METHOD}. Was: {signature.method_name}")
    if len(signature.inputs) != 1:
        raise invalid("Expected one input Tensor.")
    return kind.ends(signature)


def _joined(tasks, signatures, checks_methods):
    """(SignatureDef per task, the one TensorInfo that they feed, names of all tensors that they fetch)."""
    asked, feed, fetches = {}, None, []
    for task in tasks:
        name = _signature_name(task.model_spec, tasks[0].model_spec, asked, signatures)
        if task.method_name not in _KINDS:
            message = f"Unsupported signature method_name: {task.method_name}"
            raise StatusError(grpc.StatusCode.UNIMPLEMENTED, message)
        own_feed, own_fetches = _ends(_KINDS[task.method_name], signatures[name], checks_methods)
        feed = feed or own_feed
        if own_feed.name != feed.name:
            raise invalid("Input tensor must be the same for all Signatures.")
        asked[name] = signatures[name]
        fetches += own_fetches
    return asked.values(), feed, fetches


def _signature_name(spec, first, asked, signatures):
    """The signature that a task asks; INVALID_ARGUMENT where it may not stand beside the tasks before it."""
    if not spec.name:
        raise invalid("Found ModelSpec with an empty model name.")
    if spec.name != first.name:
        raise invalid("All ModelSpecs in a MultiInferenceRequest must access the same model name.")
    name = model_spec.signature_of(spec)
    if name in asked:
        raise invalid(f"Duplicate evaluation of signature: {name}")
    if name not in signatures:
        raise invalid(f"Requested signature not found in model graph: {name}")
    return name
