"""One gRPC channel to one server: every call has a deadline, and only UNAVAILABLE is tried again."""

import random
import time

import grpc

from . import protos
from .errors import call_failed

MAX_ATTEMPTS = 3
_FIRST_BACKOFF = 0.1  # seconds; doubled each time, and from half to all of it is slept

_METHODS = {
    "Predict": ("tensorflow.serving.PredictionService", protos.PredictRequest, protos.PredictResponse),
    "GetModelMetadata": (
        "tensorflow.serving.PredictionService",
        protos.GetModelMetadataRequest,
        protos.GetModelMetadataResponse,
    ),
    "GetModelStatus": ("tensorflow.serving.ModelService", protos.GetModelStatusRequest, protos.GetModelStatusResponse),
}
_OPTIONS = [
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),  # 4 MB unless told, which an answer to 10,000 texts passes
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2000),  # 2 minutes unless told: a server that comes back is found at once
]
_LOOPBACK = ("localhost:", "127.", "[::1]:")


def check_target(target):
    """Raises ValueError with one line where `target` is no gRPC address."""
    if target.startswith(("http://", "https://")):
        raise ValueError(f"target {target!r} is a web address; give HOST:PORT, for example localhost:8500")
    host, colon, port = target.rpartition(":")
    if "/" not in target and not target.startswith("unix:") and not (host and colon and port.isdigit()):
        raise ValueError(f"target {target!r} has no port; give HOST:PORT, for example localhost:8500")


class Deadline:
    """A moment by which everything must be done, however many calls that takes."""

    def __init__(self, seconds):
        if not 0 < seconds < float("inf"):
            raise ValueError(f"deadline must be a positive number of seconds, not {seconds}")
        self.seconds = seconds
        self._until = time.monotonic() + seconds

    def left(self):
        """Seconds that are left, never below 0."""
        return max(0.0, self._until - time.monotonic())


class Channel:
    """Calls a TensorFlow Serving server at `target`; `model` is only named in errors. Threads may share it."""

    def __init__(self, target, model, credentials=None):
        check_target(target)
        self.address, self._model = target, model
        # A proxy of the environment would be asked for its own localhost.
        options = _OPTIONS + [("grpc.enable_http_proxy", 0)] * target.startswith(_LOOPBACK)
        if credentials is None:
            self._channel = grpc.insecure_channel(target, options)
        else:
            self._channel = grpc.secure_channel(target, credentials, options)
        self._methods = {}
        for name, (service, request, response) in _METHODS.items():
            self._methods[name] = self._channel.unary_unary(
                f"/{service}/{name}",
                request_serializer=request.SerializeToString,
                response_deserializer=response.FromString,
            )

    def close(self):
        """Cuts off what is under way and gives back the connection."""
        self._channel.close()

    def call(self, method, request, deadline, attempts=MAX_ATTEMPTS):
        """The response to `request` within `deadline`; SlipwayError where there is none.

        These calls change nothing in the server, so one that was cut off may be asked again.
        """
        for attempt in range(1, attempts + 1):
            try:
                return self._methods[method](request, timeout=deadline.left())
            except grpc.RpcError as error:
                code = error.code().name
                pause = _FIRST_BACKOFF * 2 ** (attempt - 1) * random.uniform(0.5, 1)
                if code != "UNAVAILABLE" or attempt == attempts or pause >= deadline.left():
                    raise call_failed(
                        code, error.details(), self._model, self.address, seconds=deadline.seconds, attempts=attempt
                    ) from None
            time.sleep(pause)
