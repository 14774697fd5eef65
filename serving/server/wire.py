"""gRPC on one side, plain functions (models, request) → response on the other.

Messages pass the event loop as bytes: parsing, computing and serializing happen in the request threads, so one large
request delays nobody's small one. The names and messages are those of tensorflow-serving-api.
"""

import functools

import grpc
from google.protobuf.message import DecodeError
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    model_service_pb2,
    predict_pb2,
    prediction_service_pb2,
    regression_pb2,
)

from serving.server.inference import classify, multi_inference, regress
from serving.server.model_status import get_model_status
from serving.server.predict import get_model_metadata, predict
from serving.server.reload_config import reload_config
from serving.server.status import StatusError, logged, status_of

_PREDICTION = prediction_service_pb2.DESCRIPTOR.services_by_name["PredictionService"].full_name
_MODEL = model_service_pb2.DESCRIPTOR.services_by_name["ModelService"].full_name
# service: {method: (request message, answer)}
SERVICES = {
    _PREDICTION: {
        "Predict": (predict_pb2.PredictRequest, predict),
        "Classify": (classification_pb2.ClassificationRequest, classify),
        "Regress": (regression_pb2.RegressionRequest, regress),
        "MultiInference": (inference_pb2.MultiInferenceRequest, multi_inference),
        "GetModelMetadata": (get_model_metadata_pb2.GetModelMetadataRequest, get_model_metadata),
    },
    _MODEL: {
        "GetModelStatus": (get_model_status_pb2.GetModelStatusRequest, get_model_status),
        "HandleReloadConfigRequest": (model_management_pb2.ReloadConfigRequest, reload_config),
    },
}


def add_services(server, models, threads, metrics):
    """Registers every service with a grpc.aio server, for Models, RequestThreads and Metrics."""
    for service, methods in SERVICES.items():
        handlers = {
            name: _handler(functools.partial(_work, models, functools.partial(metrics.grpc, name), *method), threads)
            for name, method in methods.items()
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))


def _work(models, counted, request_type, answer, raw):
    try:
        request = request_type.FromString(raw)
    except DecodeError:
        raise StatusError(grpc.StatusCode.INTERNAL, "Exception deserializing request!") from None
    with counted(request):
        response = answer(models, request)
    return response.SerializeToString()


def _handler(work, threads):
    async def handle(raw, context):
        try:
            return await threads.work(context.time_remaining(), work, raw)
        except Exception as error:
            status = logged(status_of(error))
        await context.abort(status.code, status.message)

    return grpc.unary_unary_rpc_method_handler(handle)
