"""What the embedded server counts, under the names and labels of the real one.

Sources: tensorflow_serving/servables/tensorflow/{util,predict_util,saved_model_warmup_util}.cc,
tensorflow_serving/model_servers/{prediction_service_impl,http_server}.cc, tensorflow/cc/saved_model/loader.cc. Times
are in microseconds. Left out is what only TensorFlow's own C++ counts, where Python cannot read it
(`:tensorflow:core:…`, graph runs with their time and sizes; `:tensorflow:cc:saved_model:load_latency_by_stage`;
`:tensorflow:data:…`), and what this server has no counterpart of, as the request log.
"""

import contextlib
import contextvars
import time

from serving.server.prometheus import Counter, Histogram, exponential, page
from serving.server.status import status_of

_COUNTED_CALLS = ("Predict", "Classify", "Regress")
_RUNTIME = "TF1"
_MOST_NAMES = 1000  # of models that were asked for: what callers make up must not fill the memory
_LONGEST_NAME = 256
_LATENCIES = exponential(10, 1.8, 33)  # to 20 minutes
_ANSWERING = contextvars.ContextVar("answering", default=None)


class Metrics:
    """All that is counted, for many threads."""

    def __init__(self):
        self._requests = Counter("/tensorflow/serving/request_count", "model_name", "status")
        self._request_time = self._latency("/tensorflow/serving/request_latency", "model_name", "API", "entrypoint")
        self._run_time = self._latency("/tensorflow/serving/runtime_latency", "model_name", "API", "runtime")
        self._examples = Counter("/tensorflow/serving/request_example_count_total", "model")
        self._example_counts = Histogram(
            "/tensorflow/serving/request_example_counts", "model", limits=exponential(1, 2, 15)
        )
        self._loads = Counter("/tensorflow/cc/saved_model/load_attempt_count", "model_path", "status")
        self._load_time = Counter("/tensorflow/cc/saved_model/load_latency", "model_path")
        self._warmup_time = self._latency("/tensorflow/serving/model_warmup_latency", "model_path", "status")
        self._names = set()

    def page(self):
        """The text that Prometheus reads."""
        return page(each for each in vars(self).values() if isinstance(each, Counter))

    @contextlib.contextmanager
    def grpc(self, api, request):
        """Counts what is answered to a gRPC request within the block."""
        counted = api in _COUNTED_CALLS
        specs = [request.model_spec] if counted else [task.model_spec for task in getattr(request, "tasks", ())]
        name = specs[0].name if specs else ""
        with answering(name, api), self.request(name, api, "GRPC") if counted else contextlib.nullcontext():
            yield

    @contextlib.contextmanager
    def request(self, name, api, entrypoint):
        """Counts a request to the model `name`, and its time where no error leaves the block."""
        start = time.monotonic()
        try:
            yield
        except Exception as error:
            self.answered(name, status_of(error).code.name)
            raise
        self._names.add(name)
        self._request_time.add((name, api, entrypoint), _since(start))
        self.answered(name, "OK")

    def answered(self, name, code):
        """Counts a request to the model `name` that was answered with the status code of that name."""
        self._requests.add((self._known(name), code))

    def ran(self, start, examples=None):
        """Counts a run for the request that this thread answers: since `start`, with so many tf.Examples if any."""
        if (now := _ANSWERING.get()) is None:
            return
        name, api = now
        self._run_time.add((name, api, _RUNTIME), _since(start))
        if examples is not None:
            self._examples.add((name,), examples)
            self._example_counts.add((name,), examples)

    def loaded(self, path, start):
        """Counts a version that has been loaded since `start`."""
        self._loads.add((path, "success"))
        self._load_time.add((path,), _since(start))

    def not_loaded(self, path):
        """Counts a version that could not be loaded."""
        self._loads.add((path, "fail"))

    def warmed_up(self, path, start, status="OK"):
        """Counts a replay of warm-up records since `start`."""
        self._warmup_time.add((path, status), _since(start))

    def _known(self, name):
        """The name itself while there is room for it: one that was answered without an error has it always."""
        if name not in self._names:
            if len(self._names) >= _MOST_NAMES or len(name) > _LONGEST_NAME:
                return ""
            self._names.add(name)
        return name

    @staticmethod
    def _latency(name, *labels):
        return Histogram(name, *labels, limits=_LATENCIES)


@contextlib.contextmanager
def answering(name, api):
    """Within it, what this thread runs is for a request to the model `name`."""
    token = _ANSWERING.set((name, api))
    try:
        yield
    finally:
        _ANSWERING.reset(token)


def _since(start):
    return int((time.monotonic() - start) * 1e6)
