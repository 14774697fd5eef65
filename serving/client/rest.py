"""TensorFlow Serving's REST API behind the face of a gRPC channel, for where only HTTP gets through.

So nothing above this file knows the difference: the same requests, answers, statuses, retries. REST does not say which
version answered, and labels belong to versions: the version is asked for first, kept for a moment, and asked by number.
Source: tensorflow_serving/model_servers/http_rest_api_handler.cc, http_server.cc (ToHTTPStatusCode), g3doc/api_rest.md.
"""

import asyncio
import contextlib
import json
import time
import urllib.parse

import grpc

from . import protos
from .http_connections import Connections
from .rest_json import metadata_from, outputs_from, predict_body, signatures_in, status_from

_MOMENT = 1.0  # seconds for which a label, or the newest version, is taken to be the same
_CODES = {
    400: "INVALID_ARGUMENT",  # FAILED_PRECONDITION and OUT_OF_RANGE too
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    407: "UNAUTHENTICATED",
    409: "ABORTED",
    413: "RESOURCE_EXHAUSTED",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    501: "UNIMPLEMENTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


class RestFault(grpc.RpcError):
    """A call that ended with a status, as gRPC would raise it."""

    def __init__(self, code, details):
        super().__init__(f"{code}: {details}")
        self._code, self._details = grpc.StatusCode[code], details

    def code(self):
        """The grpc.StatusCode."""
        return self._code

    def details(self):
        """The words of the server, or of what lies before it."""
        return self._details


class RestChannel:
    """What grpc.Channel is to gRPC, for one "http(s)://HOST:PORT". Threads may share it. security: tls.Security."""

    def __init__(self, address, security):
        self._connections = Connections(address, security, RestFault)
        self._kept = {}  # path of a model, version or label: (until, version, signatures)

    def close(self):
        """Cuts off what is under way."""
        self._connections.close()

    def unary_unary(self, path, **_):
        """The callable(request, timeout, metadata) of a gRPC method."""
        return {"Predict": self._predict, "GetModelMetadata": self._metadata, "GetModelStatus": self._status}[
            path.rpartition("/")[2]
        ]

    def _predict(self, request, timeout, metadata=None):
        until, spec = time.monotonic() + timeout, request.model_spec
        path = _path_of(spec)
        version, signatures = self._described(path, until, metadata)
        try:
            answer = self._post(spec, version, request, until, metadata)
        except RestFault as fault:
            if fault.code() != grpc.StatusCode.NOT_FOUND or spec.HasField("version"):
                raise
            self._kept.pop(path, None)  # it may have made way for a newer one
            again, signatures = self._described(path, until, metadata)
            if again == version:
                raise
            version = again
            answer = self._post(spec, version, request, until, metadata)
        response = protos.PredictResponse()
        response.model_spec.name, response.model_spec.signature_name = spec.name, spec.signature_name
        response.model_spec.version.value = version
        outputs = signatures[spec.signature_name].outputs if spec.signature_name in signatures else {}
        with _readable():
            outputs_from(answer, outputs, response)
        return response

    def _post(self, spec, version, request, until, metadata):
        path = f"/v1/models/{_quoted(spec.name)}/versions/{version}:predict"
        return self._ask("POST", path, predict_body(request), until, metadata)

    def _described(self, path, until, metadata):
        """(version, {signature: SignatureDef}) of what a path names now."""
        kept = self._kept.get(path)
        if kept and time.monotonic() < kept[0]:
            return kept[1:]
        with _readable():
            described = metadata_from(self._ask("GET", f"{path}/metadata", None, until, metadata))
            version, signatures = described.model_spec.version.value, signatures_in(described)
        self._kept[path] = (time.monotonic() + _MOMENT, version, signatures)
        return version, signatures

    def _metadata(self, request, timeout, metadata=None):
        path = f"{_path_of(request.model_spec)}/metadata"
        with _readable():
            return metadata_from(self._ask("GET", path, None, time.monotonic() + timeout, metadata))

    def _status(self, request, timeout, metadata=None):
        path = _path_of(request.model_spec, label=False)
        with _readable():
            return status_from(self._ask("GET", path, None, time.monotonic() + timeout, metadata))

    def _ask(self, method, path, body, until, metadata):
        """The JSON of an answer."""
        status, content = self._connections.ask(method, path, body, dict(metadata or ()), until)
        try:
            answer = json.loads(content.decode("utf-8", "replace"))
        except ValueError:
            answer = None
        if status == 200 and isinstance(answer, dict):
            return answer
        told = answer.get("error") if isinstance(answer, dict) else None
        if told is None and status in (200, 404):
            raise RestFault("UNIMPLEMENTED", f"HTTP status {status} without the JSON of TensorFlow Serving")
        raise RestFault(_CODES.get(status, "INTERNAL"), str(told or f"HTTP status {status}"))


class AsyncRestChannel:
    """The same for asyncio, in threads. A call whose task was cancelled ends by itself, by its deadline."""

    def __init__(self, address, security):
        self._channel = RestChannel(address, security)

    async def close(self):
        """Cuts off what is under way."""
        self._channel.close()

    def unary_unary(self, path, **_):
        """The callable of a gRPC method, to be awaited."""
        ask = self._channel.unary_unary(path)
        return lambda request, **settings: asyncio.to_thread(ask, request, **settings)


def _path_of(spec, label=True):
    path = f"/v1/models/{_quoted(spec.name)}"
    if spec.HasField("version"):
        return f"{path}/versions/{spec.version.value}"
    return f"{path}/labels/{_quoted(spec.version_label)}" if label and spec.version_label else path


def _quoted(name):
    return urllib.parse.quote(name, safe="")


@contextlib.contextmanager
def _readable():
    """What an answer must hold and does not, is the status DATA_LOSS."""
    try:
        yield
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise RestFault("DATA_LOSS", f"the answer cannot be read: {error!r}") from None
