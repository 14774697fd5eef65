import re

import grpc
import pytest

from serving.server.metrics import Metrics
from tests.serving.server.http_caller import HttpCaller
from tests.serving.server.running import Caller, Server

PAGE = "/monitoring/prometheus/metrics"


def values(text):
    """`{name and labels: number}` of a page."""
    return {
        name: float(number)
        for name, _, number in (line.rpartition(" ") for line in text.splitlines() if line[0] != "#")
    }


def test_the_server_counts_what_it_answers(tmp_path):
    from tests.serving.server.example_version import example, example_version  # it imports TensorFlow

    base = tmp_path / "examples"
    example_version(base / "3")
    (tmp_path / "monitoring.config").write_text("prometheus_config { enable: true }")
    monitoring = f"--monitoring_config_file={tmp_path / 'monitoring.config'}"
    with Server(base, "--engine=embedded", "--port=0", monitoring) as server:
        ready = server.ready()
        rest = HttpCaller(ready["rest"])
        for _ in range(2):
            rest.post("/v1/models/examples:classify", {"examples": [{"text": "a"}, {"text": "b"}]})
        rest.post("/v1/models/examples:classify", b"")
        rest.get("/v1/models/none")
        rest.get("/v1/nothing")
        with Caller(ready["grpc"], "examples") as caller:
            _classify(caller, example("a"))
            with pytest.raises(grpc.RpcError):
                caller.predict(["x"], signature="no")
            caller.states()
        code, headers, body = rest.ask("GET", PAGE)
        assert code == 200 and headers["Content-Type"].startswith("text/plain")
        counted = values(body.decode())
        assert server.stop() == 0
    assert {name: number for name, number in counted.items() if "request_count{" in name} == {
        ':tensorflow:serving:request_count{model_name="",status="INVALID_ARGUMENT"}': 1,
        ':tensorflow:serving:request_count{model_name="examples",status="FAILED_PRECONDITION"}': 1,
        ':tensorflow:serving:request_count{model_name="examples",status="INVALID_ARGUMENT"}': 1,
        ':tensorflow:serving:request_count{model_name="examples",status="OK"}': 3,
        ':tensorflow:serving:request_count{model_name="none",status="NOT_FOUND"}': 1,
    }
    labels = 'model_name="examples",API="{}",{}="{}"'.format
    assert counted[f":tensorflow:serving:request_latency_count{{{labels('classify', 'entrypoint', 'REST')}}}"] == 2
    assert counted[f":tensorflow:serving:request_latency_count{{{labels('Classify', 'entrypoint', 'GRPC')}}}"] == 1
    assert counted[f":tensorflow:serving:runtime_latency_count{{{labels('Classify', 'runtime', 'TF1')}}}"] == 3
    assert counted[':tensorflow:serving:request_example_count_total{model="examples"}'] == 5
    assert counted[':tensorflow:serving:request_example_counts_bucket{model="examples",le="2"}'] == 1
    path = f'model_path="{base / "3"}"'
    assert counted[f':tensorflow:cc:saved_model:load_attempt_count{{{path},status="success"}}'] == 1
    assert counted[f":tensorflow:cc:saved_model:load_latency{{{path}}}"] > 0


def test_the_page_is_where_the_file_says_and_nowhere_else(place, tmp_path):
    (tmp_path / "monitoring.config").write_text('prometheus_config { enable: true, path: "/v1/page" }')
    monitoring = f"--monitoring_config_file={tmp_path / 'monitoring.config'}"
    with Server(place(1, "a"), "--engine=embedded", "--port=0", monitoring) as server:
        rest = HttpCaller(server.ready()["rest"])
        assert rest.ask("GET", "/v1/page")[0] == 200
        assert rest.ask("GET", "/v1/page?x=1")[0::2] == (400, b"Unexpected path: /v1/page?x=1. Should be /v1/page")
        assert rest.ask("GET", PAGE)[0] == 404
        assert server.stop() == 0


def test_names_that_callers_make_up_fill_no_memory():
    metrics = Metrics()
    for number in range(3000):
        metrics.answered(f"made-up-{number}", "NOT_FOUND")
    metrics.answered("x" * 1000, "NOT_FOUND")
    counted = values(metrics.page())
    assert len(counted) == 1001
    assert counted[':tensorflow:serving:request_count{model_name="",status="NOT_FOUND"}'] == 2001
    with metrics.request("served", "predict", "REST"):
        pass
    assert values(metrics.page())[':tensorflow:serving:request_count{model_name="served",status="OK"}'] == 1


def test_what_is_measured_is_listed_before_it_is_counted():
    assert re.findall(r"# TYPE (\S+) (\S+)", Metrics().page()) == [
        (":tensorflow:cc:saved_model:load_attempt_count", "counter"),
        (":tensorflow:cc:saved_model:load_latency", "counter"),
        (":tensorflow:serving:model_warmup_latency", "histogram"),
        (":tensorflow:serving:request_count", "counter"),
        (":tensorflow:serving:request_example_count_total", "counter"),
        (":tensorflow:serving:request_example_counts", "histogram"),
        (":tensorflow:serving:request_latency", "histogram"),
        (":tensorflow:serving:runtime_latency", "histogram"),
    ]


def _classify(caller, example):
    from tensorflow_serving.apis import classification_pb2

    request = classification_pb2.ClassificationRequest()
    request.model_spec.name = "examples"
    request.input.example_list.examples.append(example)
    return caller.prediction.Classify(request, timeout=30)
