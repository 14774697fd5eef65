"""Retries that never multiply an overload."""

import concurrent.futures

import grpc
import pytest

from serving.client import RetryBudget, SlipwayError

from .fake_server import FakeServer


def failing(client):
    with pytest.raises(SlipwayError) as caught:
        client.predict("a", deadline=60)
    assert caught.value.code == "UNAVAILABLE"


@pytest.mark.parametrize("servers", [1, 2])
def test_a_server_that_always_refuses_gets_few_retries(connect, servers):
    calls = 60
    with FakeServer() as first, FakeServer() as second:
        both = [first, second][:servers]
        target = [server.address for server in both]
        with connect(target, "reviews", retry_budget=RetryBudget(0.1, 5)) as client:
            client.predict("a")
            for server in both:
                server.always = grpc.StatusCode.UNAVAILABLE
            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                list(pool.map(lambda _: failing(client), range(calls)))
            sent = sum(len(server.asked("serving_default")) for server in both) - 1
            assert calls < sent <= calls * 1.1 + 5 + 1
            for server in both:
                server.always = None
            assert client.predict("0.25").label == "negative"


def test_a_budget_may_be_shared(connect, server):
    budget = RetryBudget(0, 1)
    with (
        connect(server.address, "reviews", retry_budget=budget) as one,
        connect(server.address, "reviews", retry_budget=budget) as other,
    ):
        one.predict("a")
        other.predict("a")
        server.failures = [grpc.StatusCode.UNAVAILABLE]
        assert one.predict("a")
        server.failures = [grpc.StatusCode.UNAVAILABLE]
        failing(other)


def test_a_budget_fills_up_to_its_reserve():
    budget = RetryBudget(0.5, 1)
    assert budget.spend() and not budget.spend()
    budget.earn()
    assert not budget.spend()
    for _ in range(9):
        budget.earn()
    assert budget.spend() and not budget.spend()


@pytest.mark.parametrize(("ratio", "reserve"), [(-0.1, 1), (1.1, 1), (0.1, -1)])
def test_a_budget_that_makes_no_sense(ratio, reserve):
    with pytest.raises(ValueError, match="a ratio of 0 to 1 and a reserve of 0 or more"):
        RetryBudget(ratio, reserve)
