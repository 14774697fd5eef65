"""A gRPC server that answers like TensorFlow Serving with a tiny deterministic model, and can be told to misbehave.

The model: a text is "positive" with the probability that stands in it as a number ("0.25 of a film" → 0.25).
`python -m tests.serving.client.fake_server [SECONDS]` prints its address and serves until it is killed.
"""

import concurrent.futures
import json
import re
import sys
import threading
import time

import grpc
import numpy as np

from serving.client import protos
from serving.client.tensors import decode, encode

LABELS = ("negative", "positive")
CONTRACT = {
    "schema_version": "1.0",
    "model_name": "reviews",
    "task": "classification",
    "labels": list(LABELS),
    "limits": {"tokens": 16, "text_bytes": 1048576},
    "signatures": {
        "serving_default": {"method": "predict", "inputs": {"text": {"dtype": "string", "shape": [None]}}},
        "classify": {"method": "classify", "inputs": {"inputs": {"dtype": "string", "shape": [None]}}},
        "embed": {"method": "predict", "inputs": {"text": {"dtype": "string", "shape": [None]}}},
        "numbers": {"method": "predict", "inputs": {"x": {"dtype": "float32", "shape": [None]}}},
        "contract": {"method": "predict", "inputs": {"key": {"dtype": "string", "shape": [None]}}},
    },
}


def pair_contract():
    """CONTRACT of a model that takes text pairs."""
    contract = json.loads(json.dumps(CONTRACT))
    contract["signatures"]["serving_default"]["inputs"]["text_pair"] = {"dtype": "string", "shape": [None]}
    return contract


class FakeServer:
    """Context manager. `requests` records every Predict request, `remaining` the seconds left to each call of any kind.

    Settings, which may be changed while it runs:

    contract: the dict that the signature `contract` answers, None for a model without one. labels: of the model itself.
    seconds: how long each Predict takes. failures: status codes that the next Predict calls end with, first to last.
    always: a status code that every Predict of a text ends with. before: how long a Predict takes that fails. max_rows, max_bytes: larger requests are refused in the
    words of TensorFlow Serving's batching and of gRPC. poison: a text for which a whole request is refused.
    tokens: the `authorization` of every Predict.
    states: {version: state}. version: which answers. known_labels: version labels that exist. abstains_below: a score.
    """

    def __init__(self, port=0, credentials=None, **settings):
        self.requests, self.remaining, self.failures, self.seconds = [], [], [], 0.0
        self.contract, self.labels, self.abstains_below = CONTRACT, LABELS, 0.0
        self.model, self.version, self.states, self.known_labels = "reviews", 7, {7: "AVAILABLE"}, {"stable"}
        self.always, self.before, self.max_rows, self.max_bytes, self.poison, self.tokens = (
            None,
            0.0,
            1000,
            -1,
            None,
            [],
        )
        vars(self).update(settings)
        self._lock = threading.Lock()
        self._server = grpc.server(
            concurrent.futures.ThreadPoolExecutor(16),
            options=[("grpc.max_receive_message_length", self.max_bytes), ("grpc.max_send_message_length", -1)],
        )
        for service, methods in {
            "tensorflow.serving.PredictionService": ("Predict", "GetModelMetadata"),
            "tensorflow.serving.ModelService": ("GetModelStatus",),
        }.items():
            self._server.add_generic_rpc_handlers(
                [grpc.method_handlers_generic_handler(service, self._handlers(methods))]
            )
        address = f"127.0.0.1:{port}"
        if credentials is None:
            self.address = f"127.0.0.1:{self._server.add_insecure_port(address)}"
        else:
            self.address = f"127.0.0.1:{self._server.add_secure_port(address, credentials)}"

    def __enter__(self):
        self._server.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """Cuts off every call and closes the port."""
        self._server.stop(None).wait()

    def asked(self, signature):
        """The recorded requests of one signature."""
        return [request for request in self.requests if request.model_spec.signature_name == signature]

    def _handlers(self, methods):
        return {
            name: grpc.unary_unary_rpc_method_handler(
                getattr(self, name),
                getattr(protos, f"{name}Request").FromString,
                getattr(protos, f"{name}Response").SerializeToString,
            )
            for name in methods
        }

    def Predict(self, request, context):
        with self._lock:
            self.requests.append(request)
            self.tokens.append(dict(context.invocation_metadata()).get("authorization"))
            failure = self.failures.pop(0) if self.failures else None
            if self.always and request.model_spec.signature_name == "serving_default":
                failure = self.always
        if failure:
            self.remaining.append(context.time_remaining())
            time.sleep(self.before)
            context.abort(failure, "told to\nfail")
        time.sleep(self.seconds)
        self._check(request.model_spec, context)
        inputs = {name: decode(tensor) for name, tensor in request.inputs.items()}
        self._refuse(inputs.get("text", np.array([])), context)
        response = protos.PredictResponse()
        response.model_spec.CopyFrom(request.model_spec)
        response.model_spec.version.value = self.version
        for name, value in self._answer(request.model_spec.signature_name, inputs, context).items():
            response.outputs[name].CopyFrom(encode(value))
        return response

    def _refuse(self, texts, context):
        size = texts.size
        if size > self.max_rows:
            told = f"Task size {size} is larger than maximum input batch size {self.max_rows}"
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, told)
        if self.poison in texts.tolist():
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "this text cannot be taken")

    def _answer(self, signature, inputs, context):
        if signature == "contract" and self.contract is not None:
            text = json.dumps(self.contract)
            return {"value": np.array([text if key == b"contract" else "" for key in inputs["key"]], dtype=object)}
        if signature == "embed":
            return {"embedding": np.array([[len(text), 1] for text in inputs["text"]], np.float32)}
        if signature == "numbers":
            return {"doubled": inputs["x"] * 2, "total": inputs["x"].sum()}
        if signature != "serving_default":
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, f'Serving signature key "{signature}" not found.')
        if "text" not in inputs or inputs["text"].ndim != 1:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "input text is missing or not a vector")
        return self._classify(inputs)

    def _classify(self, inputs):
        texts = [b" ".join(row).decode() for row in zip(*(inputs[name] for name in sorted(inputs)), strict=True)]
        found = [re.search(r"\d+\.\d+", text) for text in texts]
        second = np.array([float(match[0]) if match else 0.5 for match in found], np.float32)
        probabilities = np.zeros((len(texts), len(self.labels)), np.float32)
        probabilities[:, 0], probabilities[:, 1] = 1 - second, second
        best = probabilities.argmax(-1)
        return {
            "label": np.array([self.labels[index] for index in best] + [None], dtype=object)[:-1],
            "score": probabilities.max(-1),
            "probabilities": probabilities,
            "truncated": np.array([len(text.split()) > 16 for text in texts]),
            "abstain": probabilities.max(-1) < self.abstains_below,
        }

    def GetModelStatus(self, request, context):
        self._check(request.model_spec, context, status=True)
        response = protos.GetModelStatusResponse()
        numbers = {name: number for number, name in protos.VersionState.items()}
        for version, state in self.states.items():
            if not request.model_spec.HasField("version") or request.model_spec.version.value == version:
                entry = response.model_version_status.add(version=version, state=numbers[state])
                entry.status.error_message = "out of memory" if state == "END" else ""
        return response

    def GetModelMetadata(self, request, context):
        self._check(request.model_spec, context)
        signatures = protos.SignatureDefMap()
        definition = signatures.signature_def["serving_default"]
        definition.method_name = "tensorflow/serving/predict"
        definition.inputs["text"].dtype = protos.DataType["DT_STRING"]
        response = protos.GetModelMetadataResponse()
        response.model_spec.version.value = self.version
        response.metadata["signature_def"].value = signatures.SerializeToString()
        return response

    def _check(self, spec, context, status=False):
        self.remaining.append(context.time_remaining())
        version = spec.version.value if spec.HasField("version") else self.version
        if spec.name != self.model or version not in self.states:
            context.abort(grpc.StatusCode.NOT_FOUND, f"Servable not found for request: {spec.name} {version}")
        if spec.version_label and spec.version_label not in self.known_labels and not status:
            context.abort(
                grpc.StatusCode.INVALID_ARGUMENT, f"Unrecognized servable version label: {spec.version_label}"
            )


if __name__ == "__main__":
    with FakeServer(seconds=float(sys.argv[1]) if len(sys.argv) > 1 else 0.0) as server:
        print(server.address, flush=True)
        threading.Event().wait()
