"""The REST face of a FakeServer, as TensorFlow Serving gives it: columns, a bare tensor for one output, HTTP statuses.

Source: tensorflow_serving/model_servers/http_rest_api_handler.cc, http_server.cc and util/json_tensor.cc.
"""

import base64
import http.server
import json
import re
import threading
import urllib.parse

import grpc
import numpy as np

from serving.client import protos
from serving.client.channel import methods_of
from serving.client.tensors import decode, encode

_STATUS = {
    "CANCELLED": 499,
    "INVALID_ARGUMENT": 400,
    "DEADLINE_EXCEEDED": 504,
    "NOT_FOUND": 404,
    "PERMISSION_DENIED": 403,
    "UNAUTHENTICATED": 401,
    "ABORTED": 409,
    "RESOURCE_EXHAUSTED": 429,
    "FAILED_PRECONDITION": 400,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
}
_OUTPUTS = {
    "serving_default": {
        "label": "DT_STRING",
        "score": "DT_FLOAT",
        "probabilities": "DT_FLOAT",
        "truncated": "DT_BOOL",
        "abstain": "DT_BOOL",
    },
    "embed": {"embedding": "DT_FLOAT"},
    "numbers": {"doubled": "DT_FLOAT", "total": "DT_FLOAT"},
    "contract": {"value": "DT_STRING"},
}
_PATH = re.compile(r"/v1/models/([^/:]+)(?:/versions/(\d+)|/labels/([^/:]+))?(:predict|/metadata)?")


class FakeRestServer:
    """Context manager: the REST port of `behind`, a FakeServer that runs. context: ssl.SSLContext, or None.

    asked: (method, path, authorization) of every request. connections: how many were opened. page: what any request is
    answered with instead, (status, bytes). closes: whether each connection ends after its answer without a word of it.
    """

    def __init__(self, behind, context=None, port=0):
        self.behind, self.asked, self.connections, self.page, self.closes = behind, [], 0, None, False
        self._methods = methods_of(grpc.insecure_channel(behind.address))
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True
        if context:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        scheme = "https" if context else "http"
        self.address = f"{scheme}://127.0.0.1:{self._server.server_port}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=[0.01], daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def _handler(fake):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def setup(self):
                fake.connections += 1
                super().setup()

            def do_GET(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                fake.asked.append((self.command, self.path, self.headers.get("Authorization")))
                status, content = fake.page or fake.answer(self.path, body)
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
                self.close_connection = fake.closes or self.close_connection

            do_POST = do_GET

            def log_message(self, *_):
                pass

        return Handler

    def answer(self, path, body):
        """(HTTP status, content) of a request."""
        name, version, label, what = _PATH.fullmatch(path).groups()
        spec = protos.ModelSpec(name=urllib.parse.unquote(name))
        if version:
            spec.version.value = int(version)
        if label:
            spec.version_label = urllib.parse.unquote(label)
        ask = {":predict": self._predict, "/metadata": self._metadata, None: self._status}[what]
        try:
            return 200, json.dumps(ask(spec, body), indent=2).encode()
        except grpc.RpcError as error:
            return _STATUS.get(error.code().name, 500), json.dumps({"error": error.details()}).encode()

    def _predict(self, spec, body):
        asked = json.loads(body)
        spec.signature_name = asked["signature_name"]
        request = protos.PredictRequest(model_spec=spec)
        for name, value in asked["inputs"].items():
            request.inputs[name].CopyFrom(encode(_strings(value)))
        response = self._methods["Predict"](request, timeout=10)
        outputs = {name: _plain(decode(tensor)) for name, tensor in response.outputs.items()}
        return {"outputs": next(iter(outputs.values())) if len(outputs) == 1 else outputs}

    def _metadata(self, spec, _):
        self._methods["GetModelMetadata"](protos.GetModelMetadataRequest(model_spec=spec), timeout=10)
        inputs = {"text": {"dtype": "DT_STRING", "tensor_shape": {"dim": [{"size": "-1", "name": ""}]}, "name": "t:0"}}
        signatures = {
            name: {
                "inputs": inputs,
                "outputs": {key: {"dtype": dtype, "name": f"{key}:0"} for key, dtype in outputs.items()},
                "method_name": "tensorflow/serving/predict",
                "defaults": {},
            }
            for name, outputs in _OUTPUTS.items()
        }
        held = {"@type": "type.googleapis.com/tensorflow.serving.SignatureDefMap", "signature_def": signatures}
        version = str(spec.version.value or self.behind.version)
        described = {"name": spec.name, "signature_name": "", "version": version}
        return {"model_spec": described, "metadata": {"signature_def": held}}

    def _status(self, spec, _):
        response = self._methods["GetModelStatus"](protos.GetModelStatusRequest(model_spec=spec), timeout=10)
        return {
            "model_version_status": [
                {
                    "version": str(entry.version),
                    "state": protos.VersionState[entry.state],
                    "status": {"error_code": "OK", "error_message": entry.status.error_message},
                }
                for entry in response.model_version_status
            ]
        }


def _strings(value):
    if isinstance(value, list):
        return [_strings(each) for each in value]
    return base64.b64decode(value["b64"]) if isinstance(value, dict) else value


def _plain(array):
    if array.dtype != object:
        return array.tolist()
    return np.vectorize(lambda text: text.decode(), otypes=[object])(array).tolist() if array.size else array.tolist()
