"""A server that claims to be TensorFlow Serving: started as a process, asked over real sockets, left with none behind.

Only flags of tensorflow_model_server are given to it, its ports are free ones, and it is ready when GetModelStatus says
so.
"""

import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time

import grpc

from tests.conformance.http_caller import HttpCaller
from tests.serving.server.running import Caller

READY_SECONDS = 120
_POLL_SECONDS = 0.05
_UNLIMITED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
# A bad version fails at once, and no request is refused for want of threads.
_FLAGS = ("--max_num_load_retries=0", "--file_system_poll_wait_seconds=1", "--grpc_max_threads=64")
_EMBEDDED = (sys.executable, "-m", "serving.server", "--engine=embedded")


class ModelServer:
    """A running server; a context manager. `credentials` (grpc.ChannelCredentials) for one that speaks TLS."""

    def __init__(self, binary, *flags, credentials=None):
        self.port, self.rest_port = _free_ports()
        self._log = tempfile.NamedTemporaryFile(prefix="model-server-", suffix=".log")
        ports = (f"--port={self.port}", f"--rest_api_port={self.rest_port}")
        command = [*((binary,) if binary else _EMBEDDED), *ports, *_FLAGS, *flags]
        self.rest = HttpCaller(f"127.0.0.1:{self.rest_port}")
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log)
        self.address, self._credentials = f"127.0.0.1:{self.port}", credentials
        self.channel = self.connect(credentials)

    def connect(self, credentials=None):
        """A channel of its own to the gRPC port."""
        if credentials:
            return grpc.secure_channel(self.address, credentials, _UNLIMITED)
        return grpc.insecure_channel(self.address, _UNLIMITED)

    def ask(self, request, timeout=60):
        """The answer to a request of any RPC, or grpc.RpcError."""
        service, method, answer = _methods()[type(request)]
        call = self.channel.unary_unary(
            f"/tensorflow.serving.{service}/{method}",
            request_serializer=type(request).SerializeToString,
            response_deserializer=answer.FromString,
        )
        return call(request, timeout=timeout)

    def refusal(self, request, timeout=60):
        """(code, message) of a request that must be refused."""
        try:
            answer = self.ask(request, timeout)
        except grpc.RpcError as error:
            return error.code(), error.details()
        raise AssertionError(f"answered instead of refused: {answer}")

    def states(self, model):
        """`{version: (state's name, code, message)}`; empty where the server knows no version, or is not there yet."""
        from tensorflow_serving.apis import get_model_status_pb2

        request = get_model_status_pb2.GetModelStatusRequest()
        request.model_spec.name = model
        try:
            statuses = self.ask(request, timeout=10).model_version_status
        except grpc.RpcError as error:
            if error.code() not in (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.UNAVAILABLE):
                raise
            return {}
        name = get_model_status_pb2.ModelVersionStatus.State.Name
        return {
            each.version: (name(each.state), each.status.error_code, each.status.error_message) for each in statuses
        }

    def wait_until_available(self, model, version=None):
        """Returns when the version, or any, answers; AssertionError where it has failed instead."""

        def wanted(states):
            assert states.get(version, ("",))[0] != "END" or not states[version][1], states
            return _is_available(states, version)

        self.wait_for(model, wanted)

    def wait_for(self, model, wanted):
        """The states of a model once wanted(states) holds."""
        until = time.monotonic() + READY_SECONDS
        while time.monotonic() < until:
            states = self.states(model)
            if wanted(states):
                return states
            assert self.process.poll() is None, f"the server ended with {self.process.returncode}:\n{self.log()}"
            time.sleep(_POLL_SECONDS)
        raise AssertionError(f"{model} is {states} after {READY_SECONDS} s:\n{self.log()}")

    def ready(self, model):
        """A Caller of the model, once it answers."""
        self.wait_until_available(model)
        return Caller(self.address, model, self._credentials)

    def ended(self):
        """The exit status of a server that ends by itself."""
        return self.process.wait(READY_SECONDS)

    def log(self):
        """What it has printed so far, its end."""
        return pathlib.Path(self._log.name).read_bytes().decode(errors="replace")[-20_000:]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.channel.close()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._log.close()


def _is_available(states, version):
    return any(state == "AVAILABLE" and version in (None, number) for number, (state, *_) in states.items())


def _free_ports():
    with socket.socket() as first, socket.socket() as second:
        for each in (first, second):
            each.bind(("127.0.0.1", 0))
        return first.getsockname()[1], second.getsockname()[1]


def _methods():
    """{request message: (service, method, answer message)} of every RPC."""
    from tensorflow_serving.apis import (
        classification_pb2,
        get_model_metadata_pb2,
        get_model_status_pb2,
        inference_pb2,
        model_management_pb2,
        predict_pb2,
        regression_pb2,
    )

    prediction, model = "PredictionService", "ModelService"
    return {
        predict_pb2.PredictRequest: (prediction, "Predict", predict_pb2.PredictResponse),
        classification_pb2.ClassificationRequest: (prediction, "Classify", classification_pb2.ClassificationResponse),
        regression_pb2.RegressionRequest: (prediction, "Regress", regression_pb2.RegressionResponse),
        inference_pb2.MultiInferenceRequest: (prediction, "MultiInference", inference_pb2.MultiInferenceResponse),
        get_model_metadata_pb2.GetModelMetadataRequest: (
            prediction,
            "GetModelMetadata",
            get_model_metadata_pb2.GetModelMetadataResponse,
        ),
        get_model_status_pb2.GetModelStatusRequest: (
            model,
            "GetModelStatus",
            get_model_status_pb2.GetModelStatusResponse,
        ),
        model_management_pb2.ReloadConfigRequest: (
            model,
            "HandleReloadConfigRequest",
            model_management_pb2.ReloadConfigResponse,
        ),
    }
