"""Requests that are larger than the server takes."""

import grpc
import pytest

from serving.client import SlipwayError

from .fake_server import FakeServer

TEXTS = [f"0.{number:04d}" for number in range(100)]


def scores(answers):
    return [f"{answer.probabilities['positive']:.4f}" for answer in answers]


def sizes(server):
    return [len(request.inputs["text"].string_val) for request in server.asked("serving_default")]


@pytest.mark.parametrize("most", [1, 7, 10, 63])
def test_a_server_that_batches_in_fewer_rows_is_asked_in_fewer(connect, one_at_a_time, server, most):
    server.max_rows = most
    with connect(server.address, "reviews", **one_at_a_time) as client:
        assert scores(client.predict(TEXTS)) == TEXTS
        refused = [size for size in sizes(server) if size > most]
        assert len(refused) == client.stats.halvings == 1, "the limit is learned of the first refusal"
        server.requests.clear()
        assert scores(client.predict(TEXTS)) == TEXTS
        assert max(sizes(server)) == most


def test_requests_at_once_keep_their_order_too(connect, server):
    server.max_rows = 3
    with connect(server.address, "reviews", max_batch_size=16) as client:
        assert scores(client.predict(TEXTS)) == TEXTS


def test_a_message_that_is_too_long_is_split(connect):
    texts = [f"{text} {'x' * 1000}" for text in TEXTS]
    with FakeServer(max_bytes=20_000) as server, connect(server.address, "reviews") as client:
        assert scores(client.predict(texts)) == TEXTS
        split = client.stats.halvings
        assert split and scores(client.predict(texts)) == TEXTS and client.stats.halvings == split


def test_a_single_text_that_is_too_long_is_an_error(connect):
    with FakeServer(max_bytes=20_000) as server, connect(server.address, "reviews") as client:
        client.predict("a")
        with pytest.raises(SlipwayError, match="larger than max") as caught:
            client.predict(["a", "b" * 30_000])
        assert caught.value.code == "RESOURCE_EXHAUSTED" and scores(client.predict(TEXTS)) == TEXTS


@pytest.mark.parametrize("code", ["INVALID_ARGUMENT", "RESOURCE_EXHAUSTED"])
def test_any_other_refusal_is_not_split(connect, server, code):
    with connect(server.address, "reviews") as client:
        client.predict("a")
        server.failures = [grpc.StatusCode[code]] * 9
        with pytest.raises(SlipwayError):
            client.predict(TEXTS[:8])
        assert sizes(server) == [1, 8] and client.stats.halvings == 0
