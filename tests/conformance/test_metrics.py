"""The page of --monitoring_config_file: Prometheus text, and what it counts."""

import re

import pytest

from tests.conformance.cases import case, row
from tests.conformance.requests import predict

PAGE = "/monitoring/prometheus/metrics"
EXPORTER = "tensorflow_serving/util/prometheus_exporter.cc: PrometheusExporter::GeneratePage"
COUNTED = "tensorflow_serving/servables/tensorflow/util.cc: RecordModelRequestCount, RecordRequestLatency"
HANDLER = "tensorflow_serving/model_servers/http_server.cc: CreateAndStartHttpServer, the Prometheus handler"
LATENCY = "tensorflow_serving/model_servers/http_server.cc: ProcessRequest, whose API is the method of the path"
SAMPLE = re.compile(r'[a-zA-Z_:][\w:]*\{([a-zA-Z_]\w*="([^"\\]|\\.)*",?)*\} \S+')


def page(rest):
    code, _, body = rest.ask("GET", PAGE)
    assert code == 200
    return body.decode()


def value(rest, sample):
    """The number behind a sample; 0 where it is not there."""
    found = [line for line in page(rest).splitlines() if line.startswith(f"{sample} ")]
    return float(found[0].rsplit(" ", 1)[1]) if found else 0.0


@case(EXPORTER)
def test_every_line_is_prometheus_text(rest):
    rest.post("/v1/models/echo:predict", {"instances": ["a"]})
    for line in page(rest).splitlines():
        assert not line or line.startswith("# TYPE ") or SAMPLE.fullmatch(line), line


@pytest.mark.parametrize(
    "line",
    [
        row("requests", COUNTED, "# TYPE :tensorflow:serving:request_count counter"),
        row("latencies", COUNTED, "# TYPE :tensorflow:serving:request_latency histogram"),
    ],
)
def test_kinds(rest, line):
    rest.post("/v1/models/echo:predict", {"instances": ["a"]})
    assert line in page(rest).splitlines()


@case(COUNTED)
def test_requests_are_counted(rest):
    sample = ':tensorflow:serving:request_count{model_name="echo",status="OK"}'
    before = value(rest, sample)
    for _ in range(3):
        rest.post("/v1/models/echo:predict", {"instances": ["a"]})
    assert value(rest, sample) >= before + 3


@pytest.mark.parametrize(
    ("api", "entrypoint"), [row("REST", LATENCY, "predict", "REST"), row("gRPC", COUNTED, "Predict", "GRPC")]
)
def test_latencies_are_counted_by_where_they_came_in(served, rest, api, entrypoint):
    labels = f'{{model_name="echo",API="{api}",entrypoint="{entrypoint}"}}'
    before = value(rest, f":tensorflow:serving:request_latency_count{labels}")
    served.ask(predict("echo", text=["a"]))
    rest.post("/v1/models/echo:predict", {"instances": ["a"]})
    assert value(rest, f":tensorflow:serving:request_latency_count{labels}") >= before + 1


@case(EXPORTER)
def test_buckets_add_up_to_the_count(rest):
    rest.post("/v1/models/echo:predict", {"instances": ["a"]})
    start = ':tensorflow:serving:request_latency_bucket{model_name="echo",API="predict",entrypoint="REST",le='
    counts = [float(line.rsplit(" ", 1)[1]) for line in page(rest).splitlines() if line.startswith(start)]
    assert counts == sorted(counts) and counts[-1] >= 1
    assert any(f'{start}"+Inf"}}' in line for line in page(rest).splitlines())


@case(HANDLER)
def test_the_page_has_no_query(rest):
    code, _, body = rest.ask("GET", f"{PAGE}?x=1")
    assert (code, body.decode()) == (400, f"Unexpected path: {PAGE}?x=1. Should be {PAGE}")
