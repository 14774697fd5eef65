import os
import signal
import subprocess
import sys
import threading
import time

import grpc
import pytest

from serving.contract import ServingError
from serving.release.publish import publish
from serving.server import embedded
from serving.server.options import Options
from tests.serving.server.running import Caller, Server
from tests.serving.tiny_version import fake_version

FAST = ("--engine=embedded", "--port=0", "--file_system_poll_wait_seconds=0.1")


@pytest.fixture(scope="module")
def served(versions, tmp_path_factory):
    """A server of version 1, `a`, for the tests that only ask."""
    base = tmp_path_factory.mktemp("served") / "reviews"
    publish(versions["a"], base)
    with Server(base, *FAST) as server:
        ready = server.ready()
        assert (ready["model"], ready["version"]) == ("reviews", "1")
        with Caller(ready["grpc"]) as caller:
            yield caller
        assert server.stop(signal.SIGINT) == 130


def test_answers_and_says_that_it_is_available(served):
    assert list(served.predict(["good"]).outputs["label"].string_val) == [b"positive"]
    assert served.states() == {1: ("AVAILABLE", "")}


def test_wrong_requests_get_their_status(served):
    with pytest.raises(grpc.RpcError) as refused:
        served.predict(["good"], signature="no")
    assert refused.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    assert refused.value.details() == 'Serving signature key "no" not found.'
    garbled = served.channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
    with pytest.raises(grpc.RpcError) as refused:
        garbled(b"\xff\xff\xff", timeout=10)
    assert refused.value.code() == grpc.StatusCode.INTERNAL
    unknown = served.channel.unary_unary("/tensorflow.serving.ModelService/GetEverything")
    with pytest.raises(grpc.RpcError) as refused:
        unknown(b"", timeout=10)
    assert refused.value.code() == grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize("service", ["", "tensorflow.serving.PredictionService", "tensorflow.serving.ModelService"])
def test_health(served, service):
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    request = health_pb2.HealthCheckRequest(service=service)
    answer = health_pb2_grpc.HealthStub(served.channel).Check(request, timeout=10)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_large_messages_both_ways(served):
    assert len(served.predict(["x" * 1000] * 20_000).outputs["score"].float_val) == 20_000
    assert len(served.predict(["good"] * 400_000).outputs["label"].string_val) == 400_000


def test_a_long_request_holds_up_no_short_one(served):
    long = served.begin(["400000"], "spin")
    for _ in range(5):
        served.predict(["good"])
    assert not long.done()
    assert long.result().outputs["count"].int64_val == [400_000]


def test_a_second_server_on_the_port_fails(served, place):
    with Server(place(1, "a"), "--engine=embedded", f"--port={_port(served)}") as second:
        assert second.process.wait(60) == 5
        assert "error: --port=" in second.log_text()


def test_swaps_under_load_fail_no_request(versions, fresh, tmp_path):
    """Callers in closed loops while five versions and a corrupt one are published."""
    base = tmp_path / "reviews"
    publish(versions["a"], base)
    with Server(base, *FAST) as server, Caller(server.ready()["grpc"]) as caller:
        done, failures, answers = threading.Event(), [], set()

        def ask():
            while not done.is_set():
                try:
                    response = caller.predict(["good", "bad"])
                    answers.add((response.model_spec.version.value, *response.outputs["label"].string_val))
                except grpc.RpcError as error:
                    failures.append((error.code(), error.details()))

        callers = [threading.Thread(target=ask) for _ in range(4)]
        for thread in callers:
            thread.start()
        try:
            before = 1
            for number in (2, 3, 5, 6, 7):
                publish(fresh("ab"[number % 2], f"2026-02-0{number}T00:00:00Z"), base)
                caller.wait_for(number, "AVAILABLE")
                caller.wait_for(before, "END")
                before = number
                if number == 3:
                    publish(fake_version(tmp_path / "corrupt", b"no graph"), base)
                    assert "saved_model.pb" in caller.wait_for(4, "END")
                    assert caller.states()[3][0] == "AVAILABLE"
        finally:
            done.set()
            for thread in callers:
                thread.join()
        assert failures == []
        labels = {1: b"positive"} | {number: (b"positive", b"negative")[number % 2] for number in (2, 3, 5, 6, 7)}
        assert answers == {(number, label, label) for number, label in labels.items()}
        assert server.stop() == 0


def test_sigterm_lets_requests_finish(place):
    with Server(place(1, "a"), *FAST) as server, Caller(server.ready()["grpc"]) as caller:
        long = caller.begin(["100000"], "spin")
        caller.predict(["good"])  # travels behind the long one, so that one has arrived
        assert server.stop() == 0
        assert long.result().outputs["count"].int64_val == [100_000]
        with pytest.raises(grpc.RpcError) as gone:
            caller.predict(["good"], timeout=5)
        assert gone.value.code() == grpc.StatusCode.UNAVAILABLE
        assert "Traceback" not in server.log_text()


@pytest.mark.slow
def test_a_second_signal_ends_it_at_once(place):
    with Server(place(1, "a"), *FAST) as server, Caller(server.ready()["grpc"]) as caller:
        endless = caller.begin(["1000000000000"], "spin")
        caller.predict(["good"])
        server.process.send_signal(signal.SIGTERM)
        with pytest.raises(grpc.RpcError):  # it drains: nothing new is taken
            while True:
                caller.predict(["good"])
        assert not endless.done()
        assert server.stop(signal.SIGTERM) == 128 + signal.SIGTERM


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_before_it_serves_ends_it_at_once(place, number, status):
    with Server(place(1, "a"), *FAST) as server:
        assert server.first_log_line().startswith("engine embedded. The real TensorFlow Serving: ")
        time.sleep(0.2)  # anywhere in the seconds that TensorFlow takes to load
        assert server.stop(number) == status
        assert "Traceback" not in server.log_text()


def test_a_newest_version_that_cannot_be_loaded_ends_the_start(place):
    base = place(1, "a")
    fake_version(base / "2", b"no graph")
    with pytest.raises(ServingError, match=r"version 2 of reviews cannot be loaded: .*remove") as refused:
        embedded.serve(Options(str(base), model_name="reviews", port=0))
    assert refused.value.exit_code == 2


@pytest.mark.slow
def test_memory_stays_when_versions_come_and_go(place, tmp_path):
    base = place(1, "a")
    with Server(base, *FAST) as server, Caller(server.ready()["grpc"]) as caller:
        caller.predict(["good"])
        grown = []
        for number in range(2, 12):
            place(number, "ab"[number % 2])
            caller.wait_for(number, "AVAILABLE")
            caller.wait_for(number - 1, "END")
            grown.append(_resident(server.process.pid))
        assert grown[-1] - grown[3] < 30 << 20


def _resident(pid):
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _port(caller):
    return caller.address.rpartition(":")[2]


def test_no_client_stub_is_needed_to_wait_for_a_server():
    watched = "import sys, serving.server.ready, serving.server.external; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", watched], timeout=60).returncode == 0
