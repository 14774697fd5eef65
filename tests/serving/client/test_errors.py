"""Deadlines, retries, and what a SlipwayError says."""

import concurrent.futures
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import time

import grpc
import pytest

from serving.client import SlipwayError

from .fake_server import FakeServer


def failure_of(call, *args, **settings):
    """The SlipwayError of a call, checked for what every one of them has."""
    with pytest.raises(SlipwayError) as caught:
        call(*args, **settings)
    error = caught.value
    assert (
        "\n" not in str(error)
        and error.model in str(error)
        and error.address in str(error)
        and error.code in str(error)
    )
    assert error.__cause__ is None and error.__suppress_context__
    return error


def test_every_call_carries_a_deadline(client, server):
    client.predict(["a"])
    client.raw({"text": ["a"]})
    client.status()
    client.ready()
    # The header that carries a deadline is rounded up by up to a hundredth.
    assert len(server.remaining) == 5 and all(0 < seconds <= 10.2 for seconds in server.remaining)


def test_one_deadline_shrinks_over_split_batches(connect, one_at_a_time, server):
    server.seconds = 0.3  # the least that each of contract, "a", "b", "c" takes off
    with connect(server.address, "reviews", deadline=90, max_batch_size=1, **one_at_a_time) as client:
        client.predict(["a", "b", "c"], deadline=8)
        assert all(left < 8.2 - 0.3 * calls for calls, left in enumerate(server.remaining))
    assert len(server.remaining) == 4


def test_without_one_each_request_has_the_clients_own_deadline(connect, server):
    server.seconds = 0.6
    with connect(server.address, "reviews", deadline=90, max_batch_size=1) as client:
        client.predict(["a", "b", "c"])
    assert len(server.remaining) == 4 and all(left > 89 for left in server.remaining[2:])


def test_a_slow_server_ends_in_deadline_exceeded(client, server):
    client.predict(["a"])
    server.seconds = 5
    error = failure_of(client.predict, ["a"], deadline=0.2)
    assert error.code == "DEADLINE_EXCEEDED" and error.retryable and error.exit_code == 4
    assert "no answer within 0.2 s; give a longer deadline" in str(error)
    assert len(server.asked("serving_default")) == 2


def test_no_thread_waits_past_its_deadline_for_another_that_reads_the_contract(client, server):
    server.seconds = 2
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        slow = pool.submit(client.predict, ["a"], deadline=60)
        while not server.requests:
            time.sleep(0.01)
        assert failure_of(client.predict, ["a"], deadline=0.2).code == "DEADLINE_EXCEEDED"
        assert len(server.requests) == 1 and len(slow.result()) == 1


def test_an_error_says_how_far_it_came(connect, one_at_a_time, server):
    with connect(server.address, "reviews", max_batch_size=2, **one_at_a_time) as client:
        client.predict(["a"])
        server.failures = [None, None, grpc.StatusCode.INTERNAL]
        error = failure_of(client.predict, ["a"] * 9)
    assert error.code == "INTERNAL" and str(error).endswith("4 of 9 texts had been answered")


def test_unavailable_is_tried_again(client, server):
    server.failures = [grpc.StatusCode.UNAVAILABLE] * 2
    assert client.predict("0.25").label == "negative"
    assert len(server.requests) == 4


def test_tries_are_bounded(client, server):
    client.predict(["a"])
    server.requests.clear()
    server.failures = [grpc.StatusCode.UNAVAILABLE] * 99
    error = failure_of(client.predict, ["a"])
    assert len(server.requests) == 3 and "UNAVAILABLE after 3 attempts" in str(error) and error.retryable


def test_no_try_goes_past_the_deadline(client, server):
    client.predict(["a"])
    server.requests.clear()
    server.failures = [grpc.StatusCode.UNAVAILABLE] * 99
    assert failure_of(client.predict, ["a"], deadline=0.04).code in ("UNAVAILABLE", "DEADLINE_EXCEEDED")
    assert len(server.requests) <= 1


@pytest.mark.parametrize(
    "code", ["INTERNAL", "RESOURCE_EXHAUSTED", "INVALID_ARGUMENT", "ABORTED", "UNKNOWN", "CANCELLED"]
)
def test_nothing_else_is_tried_again(client, server, code):
    client.predict(["a"])
    server.requests.clear()
    server.failures = [grpc.StatusCode[code]] * 9
    error = failure_of(client.predict, ["a"])
    assert error.code == code and len(server.requests) == 1
    assert "(gRPC: told to fail)" in str(error)
    assert error.retryable == (code in ("RESOURCE_EXHAUSTED", "ABORTED"))


def test_no_server_at_the_address(connect):
    with socket.socket() as taken:  # bound and not listening: nobody else can have this port
        taken.bind(("127.0.0.1", 0))
        with connect(f"127.0.0.1:{taken.getsockname()[1]}", "reviews") as client:
            error = failure_of(client.predict, ["a"])
            assert not client.ready(0)
    assert error.code == "UNAVAILABLE" and error.exit_code == 4
    assert "python -m serving.server" in str(error)


def test_a_listener_that_never_answers(connect):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with connect(f"127.0.0.1:{silent.getsockname()[1]}", "reviews", deadline=0.3) as client:
            assert failure_of(client.predict, ["a"]).code == "DEADLINE_EXCEEDED"


def test_wrong_model_and_wrong_version(connect, server):
    with connect(server.address, "nosuch") as client:
        error = failure_of(client.predict, ["a"])
        assert error.code == "NOT_FOUND" and error.exit_code == 2 and "--model_name" in str(error)
        assert failure_of(client.status).code == "NOT_FOUND"
        assert not client.ready(0)
    with connect(server.address, "reviews", version=3) as client:
        assert failure_of(client.predict, ["a"]).code == "NOT_FOUND"
    with connect(server.address, "reviews", label="nosuch") as client:
        assert "Unrecognized servable version label" in str(failure_of(client.predict, ["a"]))


def test_a_port_that_is_not_tensorflow_servings(connect):
    other = grpc.server(concurrent.futures.ThreadPoolExecutor(1))
    port = other.add_insecure_port("127.0.0.1:0")
    other.start()
    for label in (None, "stable"):
        with connect(f"127.0.0.1:{port}", "reviews", label=label) as client:
            error = failure_of(client.predict, ["a"])
            assert error.code == "UNIMPLEMENTED" and "no TensorFlow Serving gRPC port" in str(error)
            assert failure_of(client.ready, 60).code == "UNIMPLEMENTED"
    other.stop(None).wait()


def test_a_server_killed_mid_call_ends_in_one_error(connect):
    command = [sys.executable, "-m", "tests.serving.client.fake_server", "60"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        with connect(process.stdout.readline().strip(), "reviews", deadline=120) as client:
            timer = threading.Timer(0.5, os.kill, (process.pid, signal.SIGKILL))
            timer.start()
            error = failure_of(client.predict, ["a"])
            timer.join()
    assert error.code == "UNAVAILABLE" and error.exit_code == 4


def test_a_server_that_stops_cuts_off_with_one_error(client, server):
    client.predict(["a"])
    server.seconds = 60
    timer = threading.Timer(0.3, server.stop)
    timer.start()
    assert failure_of(client.predict, ["a"], deadline=120).exit_code == 4
    timer.join()
    server.seconds = 0


def test_a_proxy_of_the_environment_is_not_asked_for_localhost(connect, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    with FakeServer() as server, connect(server.address, "reviews") as client:
        assert client.ready()


def test_the_error_travels_between_processes():
    error = SlipwayError("model 'm' at a:1: INTERNAL: x", "INTERNAL", "m", "a:1")
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.code, again.model, again.address, again.retryable) == (
        "model 'm' at a:1: INTERNAL: x",
        "INTERNAL",
        "m",
        "a:1",
        False,
    )
