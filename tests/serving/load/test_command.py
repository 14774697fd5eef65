"""python -m serving.load: results, exit codes, and what it says of its user's mistakes."""

import json
import os
import signal
import subprocess
import sys
import time

import grpc
import pytest

from tests.serving.client.certificates import Certificates
from tests.serving.client.fake_server import FakeServer, pair_contract

NO_WARM_UP = "--warmup_seconds=0"


def start(address, texts, *flags):
    """The command as a process of its own."""
    command = [sys.executable, "-m", "serving.load", f"--target={address}", "--model=reviews", f"--texts={texts}"]
    return subprocess.Popen([*command, *flags], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_an_open_loop_in_batches_as_json(load, server):
    code, out, err = load(server.address, "--rate=40", "--arrivals=poisson", "--batch_size=3", "--json")
    found = json.loads(out)
    assert (code, err) == (0, "")
    asked = server.asked("serving_default")
    assert found["sent"] == found["answered"] == len(asked) - 1, "one more shows first that the model answers"
    assert {request.inputs["text"].tensor_shape.dim[0].size for request in asked} == {3}
    assert (found["loop"], found["rate"], found["arrivals"], found["concurrency"]) == ("open", 40, "poisson", None)
    assert sum(second["answered"] for second in found["over_time"]) == found["answered"]
    assert found["texts_per_second"] == 3 * found["answers_per_second"] > 0
    assert 0 < found["latency_ms"]["p50"] <= found["latency_ms"]["p99.9"] <= found["latency_ms"]["max"]
    assert found["cpu_share"] > 0 and found["verify"] is None


def test_a_closed_loop_has_so_many_requests_under_way(load):
    with FakeServer(seconds=0.05) as server:
        code, out, _ = load(server.address, "--concurrency=3", "--json")
    found = json.loads(out)
    assert code == 0 and found["loop"] == "closed" and found["late_starts"] is None
    assert found["sent"] % 3 == 0, "each of the three asks once its last request has ended"


def test_warm_up_is_sent_and_not_measured(load, server):
    code, out, _ = load(server.address, "--rate=50", "--warmup_seconds=0.3", "--json", seconds=0.2)
    assert (code, json.loads(out)["sent"], len(server.asked("serving_default"))) == (0, 10, 1 + 25)


def test_errors_are_counted_by_code_with_the_first_message(load, server):
    told = grpc.StatusCode
    server.failures = [None, None, told.INTERNAL, told.RESOURCE_EXHAUSTED, told.INTERNAL]
    code, out, _ = load(server.address, "--rate=30", "--json")
    found = json.loads(out)
    assert (code, found["failed"], found["answered"], found["unfinished"]) == (0, 3, found["sent"] - 3, 0)
    assert [(each["code"], each["count"]) for each in found["errors"]] == [("INTERNAL", 2), ("RESOURCE_EXHAUSTED", 1)]
    assert all("(gRPC: told to fail)" in each["first_message"] for each in found["errors"])
    assert sum(second["failed"] for second in found["over_time"]) == 3


def test_where_nothing_is_answered_the_result_is_shown_and_the_exit_code_is_4(load, server):
    server.failures = [None, None] + [grpc.StatusCode.RESOURCE_EXHAUSTED] * 100
    code, out, err = load(server.address, "--rate=20")
    assert (code, err) == (4, "") and "0 answered, 6 failed" in out


class Changing(FakeServer):
    """Another version of the model answers from the 20th request on."""

    def Predict(self, request, context):
        self.labels = ("negative", "positive") if len(self.requests) < 20 else ("bad", "good")
        return super().Predict(request, context)


@pytest.mark.parametrize(("flag", "expected"), [("--verify", 3), ("--verify=2", 0)])
def test_verify_counts_the_distinct_answers_to_a_text(load, texts, flag, expected):
    texts.write_text("0.25\n0.75\n")
    with Changing() as server:
        code, out, _ = load(server.address, "--rate=100", flag, "--json")
    found = json.loads(out)
    assert code == expected and found["verify"]["texts_by_distinct_answers"] == {"2": 2}
    assert any("distinct answers" in warning for warning in found["warnings"]) == bool(expected)


def test_text_pairs_label_and_signature(load, server, tmp_path):
    server.contract, pairs = pair_contract(), tmp_path / "pairs.txt"
    pairs.write_text("b\n" * 20)
    code, _, _ = load(server.address, "--rate=20", f"--text_pairs={pairs}", "--label=stable")
    asked = server.asked("serving_default")
    assert code == 0 and {request.model_spec.version_label for request in asked} == {"stable"}
    assert {request.inputs["text_pair"].string_val[0] for request in asked} == {b"b"}
    assert load(server.address, "--rate=20", "--signature=embed", "--version=7")[0] == 0
    assert server.asked("embed")[0].model_spec.version.value == 7


def test_tls(load, tmp_path):
    certificates = Certificates(tmp_path)
    with certificates.server("localhost") as server:
        flags = f"--tls_ca={certificates.ca}", "--tls_server_name=localhost"
        assert load(server.address, "--rate=20", *flags)[0] == 0


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "one of the arguments --rate --concurrency is required"),
        (["--rate=1", "--concurrency=1"], "not allowed with"),
        (["--rate=0"], "--rate: must be more than 0"),
        (["--rate=fast"], "must be a number from 0 on, not 'fast'"),
        (["--rate=inf"], "must be a number from 0 on, not 'inf'"),
        (["--concurrency=0"], "must be a whole number from 1 on, not '0'"),
        (["--concurrency=1", "--arrivals=poisson"], "--arrivals is for --rate"),
        (["--rate=1", "--picture=a.jpg"], "--picture=a.jpg: give the name of a .png file"),
        (["--rate=1", "--picture=/no/such/folder/a.png"], "in a folder that exists"),
        (["--rate=1", "--verify=0"], "must be a whole number from 1 on"),
        (["--rat=1"], "did you mean --rate?"),
        (["--rate=1", "--texts=/no/such/file"], "/no/such/file: No such file or directory"),
        (["--rate=1", "--model=nosuch"], "NOT_FOUND"),
        (["--rate=1", "--signature=nosuch"], "no signature 'nosuch'; it has"),
        (["--rate=1", "--target=nowhere"], "has no port"),
        (["--rate=1", "--version=1", "--label=stable"], "not allowed with"),
        (["--rate=1", "--tls_ca=/no/such/file"], "/no/such/file"),
    ],
)
def test_mistakes_are_one_line_and_2(load, server, flags, message):
    code, out, err = load(server.address, *flags)
    assert (code, out, err.count("\n")) == (2, "", 1) and err.startswith("error: ") and message in err
    assert server.asked("serving_default") == []


def test_no_server_is_one_line_and_4(load):
    code, out, err = load("127.0.0.1:9", "--rate=1")
    assert (code, out, err.count("\n")) == (4, "", 1)
    assert err.startswith("error: model 'reviews' at 127.0.0.1:9: UNAVAILABLE")


def test_a_picture_that_cannot_be_written_is_5_after_the_result(load, server, tmp_path):
    (tmp_path / "a.png").mkdir()
    code, out, err = load(server.address, "--rate=20", f"--picture={tmp_path / 'a.png'}")
    assert code == 5 and "answers/s" in out and err.startswith("error: --picture=") and err.count("\n") == 1


def test_an_interrupt_shows_what_was_measured_until_then(server, texts, tmp_path):
    flags = ("--rate=50", "--seconds=300", NO_WARM_UP, "--json", f"--picture={tmp_path / 'a.png'}")
    with start(server.address, texts, *flags) as process:
        while len(server.requests) < 10 and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    found = json.loads(out)
    assert (process.returncode, err) == (130, "")
    assert found["interrupted"] and found["answered"] > 0 and found["seconds"] < 300
    assert found["warnings"][0] == "interrupted: this is what had been measured until then"
    assert (tmp_path / "a.png").is_file()


def test_an_interrupt_in_the_warm_up_has_nothing_to_show(server, texts):
    with start(server.address, texts, "--concurrency=2", "--warmup_seconds=300") as process:
        while len(server.requests) < 10 and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "") and "0 sent, 0 answered" in out


def test_as_a_command(texts):
    help_text = subprocess.run([sys.executable, "-m", "serving.load", "--help"], capture_output=True, text=True)
    assert help_text.returncode == 0 and "--rate" in help_text.stdout
    with start("127.0.0.1:9", texts, "--rate=1") as process:  # gRPC logs nothing beside the one line
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err.count("\n")) == (4, "", 1)


def test_neither_tensorflow_nor_matplotlib_is_loaded():
    code = "import sys, serving.load.command; print({'tensorflow', 'matplotlib'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=os.environ)
    assert done.stdout == "set()\n", done.stderr
