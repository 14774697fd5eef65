"""The JSON of TensorFlow Serving's REST API to and from the messages of gRPC.

Columns, not rows: "inputs" and "outputs" hold a tensor each, whatever its shape. A signature with one output answers
with the bare tensor, and JSON does not tell float32 from float64, so names and dtypes come from the model's metadata.
Source: tensorflow_serving/util/json_tensor.h.
"""

import base64
import json

import numpy as np
from google.protobuf import json_format

from . import protos
from .protos import DataType
from .tensors import TO_NUMPY, decode, encode

_STATES = {name: number for number, name in protos.VersionState.items()}


def predict_body(request):
    """The body of a :predict, as bytes, of a PredictRequest."""
    inputs = {name: _to_json(decode(tensor)) for name, tensor in request.inputs.items()}
    body = {"signature_name": request.model_spec.signature_name, "inputs": inputs}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def outputs_from(answer, described, response):
    """Puts the "outputs" of an answer into a PredictResponse. described: {name: TensorInfo} of the signature."""
    outputs = answer["outputs"]
    if len(described) == 1:
        outputs = {next(iter(described)): outputs}
    for name, value in outputs.items():
        dtype = described[name].dtype if name in described else None
        response.outputs[name].CopyFrom(encode(_array(value, dtype)))


def metadata_from(answer):
    """GetModelMetadataResponse of the answer of /metadata."""
    spec, fields = answer["model_spec"], answer["metadata"]["signature_def"]
    response = protos.GetModelMetadataResponse()
    response.model_spec.name, response.model_spec.version.value = spec["name"], int(spec["version"])
    signatures = json_format.ParseDict(fields, protos.SignatureDefMap(), ignore_unknown_fields=True)
    response.metadata["signature_def"].value = signatures.SerializeToString()
    return response


def signatures_in(response):
    """{name: SignatureDef} of a GetModelMetadataResponse."""
    return protos.SignatureDefMap.FromString(response.metadata["signature_def"].value).signature_def


def status_from(answer):
    """GetModelStatusResponse of the answer for a model."""
    response = protos.GetModelStatusResponse()
    for version in answer["model_version_status"]:
        entry = response.model_version_status.add(version=int(version["version"]))
        entry.state = _STATES.get(version["state"], 0)
        entry.status.error_message = version.get("status", {}).get("error_message", "")
    return response


def _to_json(array):
    if array.dtype != object:
        return array.tolist()
    cells = np.empty(array.size, dtype=object)
    cells[:] = [_text(value) for value in array.ravel()]
    return cells.reshape(array.shape).tolist()


def _text(value):
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return {"b64": base64.b64encode(value).decode("ascii")}


def _array(value, dtype):
    """The array of nested lists; `dtype`: the number of a DataType, None where it is not known."""
    if dtype == DataType["DT_BFLOAT16"]:
        return np.array(value, np.float32)
    if dtype in TO_NUMPY:
        return np.array(value, TO_NUMPY[dtype])
    array = np.array(value, dtype=object)
    if dtype != DataType["DT_STRING"] and not any(isinstance(each, (str, dict)) for each in array.ravel()):
        return np.array(value)
    cells = np.empty(array.size, dtype=object)
    cells[:] = [base64.b64decode(each["b64"]) if isinstance(each, dict) else each for each in array.ravel()]
    return cells.reshape(array.shape)
