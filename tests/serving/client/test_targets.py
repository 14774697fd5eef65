"""Several targets: whose turn it is, and what becomes of calls where one of them fails."""

import concurrent.futures
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading

import grpc
import pytest

from serving.client import RetryBudget, SlipwayError
from serving.client.targets import Targets, is_loopback

from .fake_server import FakeServer

TEXTS = [f"0.{number:04d}" for number in range(200)]


def score(answer):
    return f"{answer.probabilities['positive']:.4f}"


@pytest.fixture
def pair():
    with FakeServer() as first, FakeServer() as second:
        yield first, second


@pytest.fixture
def dead():
    """An address that refuses connections: bound, so that nobody else has it, and not listening."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{taken.getsockname()[1]}"


def addresses(servers):
    return [server.address for server in servers]


@contextlib.contextmanager
def process():
    """A fake server in a process of its own, and its address."""
    command = [sys.executable, "-m", "tests.serving.client.fake_server"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        try:
            yield running, running.stdout.readline().strip()
        finally:
            running.kill()


@pytest.mark.parametrize("as_text", [True, False])
def test_calls_go_to_the_targets_in_turn(connect, pair, as_text):
    target = ", ".join(addresses(pair)) if as_text else addresses(pair)
    with connect(target, "reviews") as client:
        client.predict("0.5")
        for server in pair:
            server.requests.clear()
        assert [score(client.predict(text)) for text in TEXTS[:10]] == TEXTS[:10]
    assert [len(server.requests) for server in pair] == [5, 5]


def test_a_target_that_refuses_connections_is_passed_over(connect, server, dead):
    with connect([dead, server.address], "reviews") as client:
        assert [score(client.predict(text)) for text in TEXTS] == TEXTS
        assert client.ready() and client.status()
        assert 1 <= client.stats.failovers <= 30, "most calls do not even look there"
    assert len(server.requests) == 1 + len(TEXTS), "each text is answered once"


def test_a_dead_target_costs_no_budget(connect, server, dead):
    with connect([dead, server.address], "reviews", retry_budget=RetryBudget(0, 0)) as client:
        assert [score(client.predict(text)) for text in TEXTS] == TEXTS


def test_a_target_that_comes_back_is_asked_again(connect, pair):
    port = int(pair[0].address.rpartition(":")[2])
    with connect(addresses(pair), "reviews", deadline=60) as client:
        client.predict(TEXTS[:2])
        pair[0].stop()
        assert [score(client.predict(text)) for text in TEXTS] == TEXTS
        with FakeServer(port) as again:
            while not again.requests:
                client.predict("0.5")


def test_all_targets_dead_is_one_error(connect, dead):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        other = f"127.0.0.1:{taken.getsockname()[1]}"
        with connect([dead, other], "reviews") as client, pytest.raises(SlipwayError) as caught:
            client.predict("a")
    assert caught.value.code == "UNAVAILABLE" and caught.value.address in (dead, other)


def test_a_killed_server_fails_no_call_and_no_text_has_two_answers(connect, server):
    """The killed one is cut off in the middle of calls, which the other answers."""
    with process() as (running, address), connect([address, server.address], "reviews", deadline=60) as client:
        client.predict("0.5")
        timer = threading.Timer(0.3, os.kill, (running.pid, signal.SIGKILL))
        timer.start()
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            calls = [[f"0.{caller:02d}{number:02d}" for number in range(60)] for caller in range(16)]
            answers = list(pool.map(lambda texts: [score(client.predict(text)) for text in texts], calls))
        timer.join()
        assert answers == calls and running.wait() == -signal.SIGKILL
        (ok,) = [row["calls"] for row in client.stats.rows() if row["signature"] == "serving_default"]
    assert ok == 16 * 60 + 1


@pytest.mark.parametrize("code", ["UNAVAILABLE", "RESOURCE_EXHAUSTED"])
def test_what_one_target_cannot_take_the_other_is_asked(connect, pair, code):
    with connect(addresses(pair), "reviews") as client:
        client.predict("0.5")
        pair[0].always = grpc.StatusCode[code]
        assert [score(client.predict(text)) for text in TEXTS[:20]] == TEXTS[:20]
        assert client.stats.failovers == client.stats.retries == 10


@pytest.mark.parametrize("code", ["INVALID_ARGUMENT", "INTERNAL", "NOT_FOUND", "DEADLINE_EXCEEDED"])
def test_what_the_other_would_answer_too_it_is_not_asked(connect, pair, code):
    with connect(addresses(pair), "reviews") as client:
        client.predict("0.5")
        for server in pair:
            server.requests.clear()
            server.always = grpc.StatusCode[code]
        with pytest.raises(SlipwayError) as caught:
            client.predict("0.5")
        assert caught.value.code == code and sum(len(server.requests) for server in pair) == 1
        assert caught.value.address in addresses(pair)


def test_deadlines_shrink_from_try_to_try(connect, pair):
    with connect(addresses(pair), "reviews", deadline=60) as client:
        client.predict("0.5")
        for server in pair:
            server.remaining.clear()
            server.always, server.before = grpc.StatusCode.UNAVAILABLE, 0.3
        with pytest.raises(SlipwayError, match="UNAVAILABLE after 3 attempts"):
            client.predict("0.5", deadline=8)
    left = sorted((seconds for server in pair for seconds in server.remaining), reverse=True)
    assert len(left) == 3 and all(seconds < 8.2 - 0.3 * tries for tries, seconds in enumerate(left))


def test_one_target_is_never_passed_over():
    targets = Targets(("a:1",))
    targets.refused(0)
    assert targets.pick() == 0


def test_who_is_asked_where_all_refuse():
    targets = Targets(("a:1", "b:2", "c:3"))
    targets.refused(1)
    assert {targets.pick() for _ in range(6)} == {0, 2} and targets.another({0, 2}) is None
    targets.refused(0)
    targets.refused(2)
    assert targets.pick() in {0, 1, 2} and targets.another({0}) is None, "only at need one that is passed over"
    targets.answered(2)
    assert [targets.pick() for _ in range(3)] == [2] * 3


@pytest.mark.parametrize(
    ("address", "near"),
    [
        ("localhost:8500", True),
        ("127.0.0.2:8500", True),
        ("[::1]:8500", True),
        ("unix:/run/a", True),
        ("http://localhost:8501/", True),
        ("127.example.com:8500", False),
        ("localhost.example.com:8500", False),
        ("10.0.0.1:8500", False),
        ("http://models.example", False),
    ],
)
def test_what_stays_on_this_machine(address, near):
    assert is_loopback(address) == near
