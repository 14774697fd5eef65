"""A server as a child process on a port of its own choice, and the few calls that tests make."""

import contextlib
import queue
import signal
import subprocess
import sys
import threading
import time

import grpc

READY_SECONDS = 120


class Server:
    """`python -m serving.server` with the given flags; a context manager that leaves no process behind.

    base: --model_base_path, "" where the flags say what is served.
    """

    def __init__(self, base, *flags, env=None):
        where = [f"--model_base_path={base}"] if base else []
        command = [sys.executable, "-m", "serving.server", *where, *flags]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "errors": "replace"}
        self.process = subprocess.Popen(command, env=env, **pipes)
        self._lines = queue.Queue()
        self.log = []
        self._readers = [
            threading.Thread(target=self._read, args=(self.process.stdout, self._lines.put), daemon=True),
            threading.Thread(target=self._read, args=(self.process.stderr, self.log.append), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def ready(self):
        """`{model, version, grpc, rest}` of the READY line."""
        line = self._lines.get(timeout=READY_SECONDS)
        assert line.startswith("READY "), (line, self.log)
        return dict(part.split("=", 1) for part in line.split()[1:])

    def first_log_line(self):
        """The first line of stderr, once it is there."""
        until = time.monotonic() + READY_SECONDS
        while not self.log and time.monotonic() < until:
            time.sleep(0.02)
        return self.log[0]

    def stop(self, number=signal.SIGTERM):
        """Sends the signal; returns the exit status."""
        self.process.send_signal(number)
        return self.process.wait(60)

    def log_text(self):
        """All of stderr, once the process has ended."""
        self._readers[1].join(10)
        return "".join(self.log)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        for reader in self._readers:
            reader.join(10)

    def _read(self, stream, put):
        with contextlib.closing(stream):
            for line in stream:
                put(line)
        put("")


class Caller:
    """Calls through the real stubs; a context manager."""

    def __init__(self, address, model="reviews", credentials=None):
        from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

        unlimited = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
        self.address = address
        if credentials:
            self.channel = grpc.secure_channel(address, credentials, options=unlimited)
        else:
            self.channel = grpc.insecure_channel(address, options=unlimited)
        self.prediction = prediction_service_pb2_grpc.PredictionServiceStub(self.channel)
        self.models = model_service_pb2_grpc.ModelServiceStub(self.channel)
        self.model = model

    def predict(self, texts, signature="", timeout=30, wait=False):
        """The PredictResponse, or grpc.RpcError."""
        request = predict_request(texts, self.model, signature)
        return self.prediction.Predict(request, timeout=timeout, wait_for_ready=wait)

    def begin(self, texts, signature=""):
        """The future of a PredictResponse; it is under way before any call made after it."""
        return self.prediction.Predict.future(predict_request(texts, self.model, signature), timeout=120)

    def states(self, model=None):
        """`{version: (state's name, error message)}` of the model, or of another one."""
        from tensorflow_serving.apis import get_model_status_pb2

        request = get_model_status_pb2.GetModelStatusRequest()
        request.model_spec.name = model or self.model
        statuses = self.models.GetModelStatus(request, timeout=10).model_version_status
        name = get_model_status_pb2.ModelVersionStatus.State.Name
        return {each.version: (name(each.state), each.status.error_message) for each in statuses}

    def wait_for(self, version, state):
        """Returns the error message once the version is in that state."""
        until = time.monotonic() + READY_SECONDS
        while time.monotonic() < until:
            states = self.states()
            if states.get(version, ("", ""))[0] == state:
                return states[version][1]
            time.sleep(0.02)
        raise AssertionError(f"version {version} is not {state}: {states}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.channel.close()


def refusal(call, request):
    """(code, message) of the call that must fail."""
    try:
        call(request)
    except grpc.RpcError as error:
        return error.code(), error.details()
    raise AssertionError(f"an answer to {request}")


def predict_request(texts, model="reviews", signature=""):
    """A PredictRequest for input `text`."""
    import tensorflow as tf
    from tensorflow_serving.apis import predict_pb2

    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    request.model_spec.signature_name = signature
    request.inputs["text"].CopyFrom(tf.make_tensor_proto(texts, tf.string, [len(texts)]))
    return request
