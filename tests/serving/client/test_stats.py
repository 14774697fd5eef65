"""What a client counts, and how Prometheus reads it."""

import re

import grpc
import pytest

from serving.client import SlipwayError
from serving.client.stats import BUCKETS, Stats


def parsed(text):
    """{(name, labels): value} of a page in the text format, each of whose samples belongs to a declared metric."""
    found, types = {}, {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            types[line.split()[2]] = line.split()[3]
        elif not line.startswith("#"):
            name, labels, value = re.fullmatch(r"(\w+)\{(.*)\} (\S+)", line).groups()
            assert name in types or types[re.sub(r"_(bucket|sum|count)$", "", name)] == "histogram"
            found[name, labels] = float(value)
    return found


def test_calls_are_counted_by_signature_and_status(connect, server):
    with connect(server.address, "reviews") as client:
        client.predict(["a"])
        client.predict(["a"])
        server.failures = [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INTERNAL]
        with pytest.raises(SlipwayError):
            client.predict(["a"])
        client.status()
        found = parsed(client.stats.prometheus())
        rows = client.stats.rows()
    name = "slipway_client_call_seconds_count"
    predict = 'model="reviews",method="Predict",signature="serving_default"'
    assert found[name, f'{predict},status="OK"'] == 2 and found[name, f'{predict},status="INTERNAL"'] == 1
    assert found[name, 'model="reviews",method="GetModelStatus",signature="",status="OK"'] == 1
    assert found["slipway_client_retries_total", 'model="reviews"'] == 1
    assert found["slipway_client_failovers_total", 'model="reviews"'] == 0
    assert {(row["signature"], row["status"]): row["calls"] for row in rows}["contract", "OK"] == 1
    assert all(row["mean"] > 0 for row in rows)


def test_buckets_count_what_is_at_most_their_bound():
    stats = Stats('a "b"\n\\c')
    for seconds in (0.0005, 0.001, 0.3, 99.0):
        stats.call("Predict", "x", "OK", seconds)
    found = parsed(stats.prometheus())
    labels = r'model="a \"b\"\n\\c",method="Predict",signature="x",status="OK"'
    counts = [found["slipway_client_call_seconds_bucket", f'{labels},le="{bound}"'] for bound in (*BUCKETS, "+Inf")]
    assert counts == [2] * BUCKETS.index(0.5) + [3] * (len(BUCKETS) - BUCKETS.index(0.5)) + [4]
    assert found["slipway_client_call_seconds_sum", labels] == pytest.approx(99.3015)
