import json
import os
import re
import signal
import socket
import subprocess
import sys

import pytest

from serving.contract import ServingError
from serving.server import engines
from serving.server.options import Options
from tests.serving.server import fake_engines
from tests.serving.server.running import Server
from tests.serving.tiny_version import fake_version


@pytest.fixture
def base(tmp_path):
    fake_version(tmp_path / "reviews" / "7")
    return tmp_path / "reviews"


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """A folder that is all of PATH."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", fake_engines.only(folder)["PATH"])
    return folder


def choose(base, engine="auto"):
    return engines.choose(Options(str(base), model_name="reviews", engine=engine))


def test_auto_takes_the_model_server_first(base, programs):
    fake_engines.model_server(programs)
    docker_log = fake_engines.docker(programs)
    assert choose(base)[0] == "tensorflow_model_server" and not docker_log.exists()
    assert choose(base, "docker")[0] == "docker"


def test_auto_takes_docker_with_the_image_at_hand(base, programs):
    log = fake_engines.docker(programs)
    assert choose(base)[0] == "docker"
    assert log.read_text().splitlines() == ["info", "image inspect tensorflow/serving:2.19.1"]


@pytest.mark.parametrize(("pull", "engine"), [(0, "docker"), (1, "embedded")])
def test_auto_fetches_the_image_or_does_without(base, programs, pull, engine, monkeypatch):
    monkeypatch.setattr(engines.sys, "stderr", sys.__stderr__)
    log = fake_engines.docker(programs, image=1, pull=pull)
    assert choose(base)[0] == engine
    assert log.read_text().splitlines()[-1] == "pull tensorflow/serving:2.19.1"


@pytest.mark.parametrize("info", ["exit 1", "sleep 60"])
def test_a_docker_without_a_daemon_that_answers_is_none(base, programs, info, monkeypatch):
    monkeypatch.setattr(engines, "_DAEMON_SECONDS", 0.3)
    fake_engines.docker(programs, info)
    engine, why = choose(base)
    assert engine == "embedded" and "no tensorflow_model_server on PATH; docker has no running daemon" in why
    with pytest.raises(ServingError, match="--engine=docker: docker has no running daemon") as refused:
        choose(base, "docker")
    assert refused.value.exit_code == 5


def test_without_either_the_embedded_one_serves(base, programs):
    assert choose(base) == ("embedded", " (no tensorflow_model_server on PATH; no docker on PATH)")
    with pytest.raises(ServingError, match="--engine=tensorflow_model_server: no tensorflow_model_server on PATH"):
        choose(base, "tensorflow_model_server")


def test_says_how_to_get_the_real_one(base):
    line = engines.how_to_get_the_real_one(Options(str(base), model_name="reviews", port=0))
    assert "apt-get install tensorflow-model-server" in line and "docker run" in line and "127.0.0.1:8500:8500" in line


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_model_server_is_started_waited_for_and_ended(base, programs, number, status):
    arguments = fake_engines.model_server(programs)
    with Server(base, "--port=0", "--rest_api_port=0", env=fake_engines.only(programs)) as server:
        ready = server.ready()
        assert (ready["model"], ready["version"]) == ("reviews", "7")
        given = dict(part[2:].split("=", 1) for part in json.loads(arguments.read_text()) if "=" in part)
        assert ready["grpc"] == f"127.0.0.1:{given['port']}" and "rest" not in ready
        assert given["model_base_path"] == str(base) and given["grpc_max_threads"] == "256"
        assert given["rest_api_port"] == "0" and given["max_num_load_retries"] == "0"
        assert server.stop(number) == status
        log = server.log_text()
    assert log.startswith("engine tensorflow_model_server") and "fake server: starting" in log and "error" not in log
    child = int(re.search(r"starting as (\d+)", log)[1])
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


def test_model_server_that_ends_before_it_serves(base, programs):
    fake_engines.model_server(programs)
    environment = fake_engines.only(programs) | {"FAKE_STATUS": "3"}
    with Server(base, "--port=0", "--rest_api_port=0", env=environment) as server:
        assert server.process.wait(60) == 3
        assert server.log_text().splitlines()[-1].startswith("error: tensorflow_model_server ended with status 3")


def test_model_server_that_ends_later_gives_its_status(base, programs):
    fake_engines.model_server(programs)
    environment = fake_engines.only(programs) | {"FAKE_SECONDS": "2"}
    with Server(base, "--port=0", "--rest_api_port=0", env=environment) as server:
        server.ready()
        assert server.process.wait(60) == 9


@pytest.mark.parametrize(
    ("engine", "flag"), [(engine, flag) for engine in ("auto", "embedded") for flag in ("--port", "--rest_api_port")]
)
def test_a_taken_port_is_one_line(base, programs, engine, flag):
    fake_engines.model_server(programs)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = f"{flag}={other.getsockname()[1]}"
        rest = [] if flag == "--rest_api_port" else ["--rest_api_port=0"]
        port = [] if flag == "--port" else ["--port=0"]
        failed = run(base, taken, *rest, *port, f"--engine={engine}", env=fake_engines.only(programs))
    assert failed.returncode == 5 and failed.stdout == ""
    assert failed.stderr.startswith(f"error: {taken} ") and failed.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--model_base_path={base}/none"], "no such folder; publish one first: python -m serving.release publish"),
        (["--model_base_path={base}/7"], "itself a version"),
        (["--model_base_path={base}", "--engine=triton"], "--engine=triton is unknown; allowed: auto"),
        (["--model_base_path={base}", "--port=70000"], "--port=70000"),
        (["--model_base_path={base}", "--prot=1"], "Did you mean: port"),
        ([], "--model_base_path is missing"),
    ],
)
def test_mistakes_are_one_line(base, flags, said):
    command = [sys.executable, "-m", "serving.server", *(flag.format(base=base) for flag in flags)]
    failed = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert failed.returncode == 2 and failed.stdout == ""
    assert failed.stderr.startswith("error: ") and failed.stderr.count("\n") == 1 and said in failed.stderr


def test_help_succeeds():
    shown = subprocess.run(
        [sys.executable, "-m", "serving.server", "--help"], capture_output=True, text=True, timeout=60
    )
    assert shown.returncode == 0 and "--file_system_poll_wait_seconds" in shown.stdout


def run(base, *flags, env=None):
    command = [sys.executable, "-m", "serving.server", f"--model_base_path={base}", *flags]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=env)
