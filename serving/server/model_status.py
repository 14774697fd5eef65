"""ModelService's answers: GetModelStatus, which ignores labels and lists every version (get_model_status_impl.cc)."""

import grpc
from tensorflow_serving.apis import get_model_status_pb2

from serving.server.model_spec import spec_of
from serving.server.status import StatusError

_State = get_model_status_pb2.ModelVersionStatus.State


def get_model_status(models, request):
    """GetModelStatusResponse: state and error of one version, or of all, newest first. `models`: Models."""
    spec = spec_of(request)
    states = models.states(spec.name)
    if spec.HasField("version"):
        states = [each for each in states if each.number == spec.version.value]
        if not states:
            raise _not_found(f"Could not find version {spec.version.value} of model {spec.name}")
    if not states:
        raise _not_found(f"Could not find any versions of model {spec.name}")
    response = get_model_status_pb2.GetModelStatusResponse()
    for each in states:
        status = response.model_version_status.add(version=each.number, state=_State.Value(each.state))
        status.status.error_code = each.error.code.value[0] if each.error else 0
        status.status.error_message = each.error.message if each.error else ""
    return response


def _not_found(message):
    return StatusError(grpc.StatusCode.NOT_FOUND, message)
