"""The REST API behind the same client: the same results, errors, retries."""

import socket
import ssl
import threading

import grpc
import numpy as np
import pytest

from serving.client import MicroBatching, SlipwayError, VersionStatus

from .certificates import Certificates
from .fake_rest_server import FakeRestServer
from .fake_server import CONTRACT, FakeServer

TEXTS = [f"0.{number:04d}" for number in range(100)]


def scores(answers):
    return [f"{answer.probabilities['positive']:.4f}" for answer in answers]


@pytest.fixture
def rest(server):
    with FakeRestServer(server) as running:
        yield running


@pytest.fixture
def client(rest, connect):
    with connect(rest.address, "reviews") as open_client:
        yield open_client


def failure_of(call, *args, **settings):
    with pytest.raises(SlipwayError) as caught:
        call(*args, **settings)
    assert "\n" not in str(caught.value) and "gRPC: " not in str(caught.value)
    return caught.value


def test_the_answers_are_those_of_grpc(connect, rest, client):
    texts = [*TEXTS, "", "0.25 电影 😀", "a\0b", "a\ud800b", '0.5 "\\\n']
    with connect(rest.behind.address, "reviews") as other:
        assert client.predict(texts) == other.predict(texts)
        assert client.predict("0.25") == other.predict("0.25")
        assert client.contract == other.contract == CONTRACT
        assert client.status() == other.status() == [VersionStatus(7, "AVAILABLE", "")]
    assert client.ready(30)


def test_arrays_keep_their_dtypes(client):
    answer = client.raw({"x": np.array([1.5, 2.0], np.float32)}, signature="numbers")
    assert answer["doubled"].tolist() == [3.0, 4.0] and answer["doubled"].dtype == answer["total"].dtype == np.float32
    assert client.raw({"text": [b"\xff\xfe", b"\xff"]}, signature="embed")["embedding"].tolist() == [[2, 1], [1, 1]]
    assert client.raw({"text": ["0.25"]})["label"].tolist() == [b"negative"]


def test_a_connection_is_kept(client, rest):
    for _ in range(5):
        client.predict("a")
    assert rest.connections == 1


def test_a_connection_that_the_server_closed_is_replaced(client, rest):
    rest.closes = True
    for text in TEXTS[:5]:
        assert scores([client.predict(text)]) == [text]
    assert client.stats.retries == 0


@pytest.mark.parametrize(
    "code",
    ["INVALID_ARGUMENT", "UNAUTHENTICATED", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "ABORTED", "INTERNAL"],
)
def test_a_status_comes_back_as_its_name(client, server, code):
    client.predict("a")
    server.failures = [grpc.StatusCode[code]]
    error = failure_of(client.predict, "a")
    assert error.code == code and "(REST: told to fail)" in str(error)


def test_a_proxy_of_the_environment_is_asked(connect, rest, monkeypatch):
    """The fake server takes the proxy's place: what it is asked for is the whole address."""
    monkeypatch.setenv("http_proxy", rest.address)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    rest.page = (503, b'{"error": "from the proxy"}')
    with connect("http://models.example:8501/ml", "reviews") as client:
        assert "from the proxy" in str(failure_of(client.predict, "a"))
    assert {path for _, path, _ in rest.asked} == {"http://models.example:8501/ml/v1/models/reviews/metadata"}


def test_what_is_unavailable_is_tried_again(client, server):
    client.predict("a")
    server.failures = [grpc.StatusCode.UNAVAILABLE] * 2
    assert client.predict("0.25").label == "negative" and client.stats.retries == 2


def test_wrong_model_version_label_and_signature(connect, rest, client):
    with connect(rest.address, "nosuch") as other:
        assert failure_of(other.predict, "a").code == "NOT_FOUND"
    with connect(rest.address, "reviews", version=3) as other:
        assert failure_of(other.predict, "a").code == "NOT_FOUND" and not other.ready(0.1)
    with connect(rest.address, "reviews", label="nosuch") as other:
        assert failure_of(other.predict, "a").code == "INVALID_ARGUMENT"
    with connect(rest.address, "reviews", label="stable") as other:
        assert other.predict("0.25").label == "negative"
    assert failure_of(client.predict, "a", signature="nosuch").code == "INVALID_ARGUMENT"


def test_a_new_version_is_asked_as_soon_as_the_old_is_gone(client, server):
    client.predict("0.25")
    server.version, server.states = 8, {8: "AVAILABLE"}
    server.contract = CONTRACT | {"labels": ["no", "yes"]}
    server.labels = ("no", "yes")
    assert client.predict("0.25").probabilities == {"no": 0.75, "yes": 0.25}


def test_a_slow_server_ends_in_deadline_exceeded(client, server):
    client.predict("a")
    server.seconds = 1
    assert failure_of(client.predict, "a", deadline=0.2).code == "DEADLINE_EXCEEDED"
    server.seconds = 0
    assert client.predict("0.25").label == "negative"


def test_a_listener_that_never_answers(connect):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        with connect(f"http://127.0.0.1:{silent.getsockname()[1]}", "reviews", deadline=0.3) as client:
            assert failure_of(client.predict, "a").code == "DEADLINE_EXCEEDED"
            assert failure_of(client.predict, "a", deadline=1e-9).code == "DEADLINE_EXCEEDED"


def test_no_server_there(connect):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with connect(f"http://127.0.0.1:{taken.getsockname()[1]}", "reviews") as client:
            error = failure_of(client.predict, "a")
    assert error.code == "UNAVAILABLE" and error.exit_code == 4 and "Connection refused" in str(error)


@pytest.mark.parametrize("page", [(200, b"<html>welcome</html>"), (404, b"not here"), (200, b"[1, 2]")])
def test_what_is_no_tensorflow_serving_says_so(client, rest, page):
    rest.page = page
    error = failure_of(client.predict, "a")
    assert error.code == "UNIMPLEMENTED" and "no TensorFlow Serving REST port" in str(error)


def test_a_gateway_that_finds_no_server(client, rest):
    rest.page = (502, b"<html>Bad Gateway</html>")
    error = failure_of(client.predict, "a")
    assert error.code == "UNAVAILABLE" and "HTTP status 502" in str(error)


def test_an_answer_that_cannot_be_read(client, rest):
    client.predict("a")
    rest.page = (200, b'{"outputs": {"label": 3}}')
    assert failure_of(client.predict, "a").code == "DATA_LOSS"


def test_two_targets(connect, server, rest):
    with (
        FakeServer() as behind,
        FakeRestServer(behind) as other,
        connect([rest.address, other.address], "reviews", deadline=60) as client,
    ):
        assert [scores([client.predict(text)]) for text in TEXTS[:20]] == [[text] for text in TEXTS[:20]]
        assert server.requests and behind.requests
        server.always = grpc.StatusCode.UNAVAILABLE
        assert [scores([client.predict(text)]) for text in TEXTS[:20]] == [[text] for text in TEXTS[:20]]
        assert client.stats.failovers == 10


def test_smaller_requests_and_shared_ones(connect, server, rest):
    server.max_rows = 7
    with connect(rest.address, "reviews", micro_batching=MicroBatching(max_wait=0.01)) as client:
        assert scores(client.predict(TEXTS)) == TEXTS and client.stats.halvings


def test_a_token_is_a_header(connect, rest):
    with connect(rest.address, "reviews", token="s3cr3t") as client:
        client.predict("a")
    assert {authorization for _, _, authorization in rest.asked} == {"Bearer s3cr3t"}
    with pytest.raises(ValueError, match="would go to http://models.example in clear"):
        connect("http://models.example", "reviews", token="s3cr3t")
    with connect("https://models.example", "reviews", token="s3cr3t"):
        pass


def test_closing_cuts_off_what_is_under_way(connect, server, rest):
    with connect(rest.address, "reviews") as client:
        client.predict("a")
        server.seconds = 3
        timer = threading.Timer(0.2, client.close)
        timer.start()
        assert failure_of(client.predict, "a", deadline=60).code == "CANCELLED"
        timer.join()
        server.seconds = 0
        with pytest.raises(ValueError, match="is closed"):
            client.predict("a")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def https(certificates, server):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=certificates.ca)
    context.load_cert_chain(*certificates.server_files("127.0.0.1"))
    context.verify_mode = ssl.CERT_OPTIONAL
    with FakeRestServer(server, context) as running:
        yield running


@pytest.mark.parametrize("name", [None, "right"])
def test_tls(connect, certificates, https, name):
    with connect(https.address, "reviews", tls=certificates.tls(name)) as client:
        assert client.predict("0.25").label == "negative"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (None, "is not signed by an authority that this client knows"),
        ({"server_name": "far.example"}, "is for another name than 'far.example'"),
    ],
)
def test_a_server_that_cannot_be_trusted(connect, certificates, https, fields, said):
    tls = None if fields is None else certificates.tls(**fields)
    with connect(https.address, "reviews", tls=tls) as client:
        error = failure_of(client.predict, "a")
    assert error.code == "UNAVAILABLE" and said in str(error) and not error.retryable


def test_https_at_a_port_without_it(connect, certificates, rest):
    with connect(rest.address.replace("http:", "https:"), "reviews", tls=certificates.tls()) as client:
        assert "the port speaks no TLS" in str(failure_of(client.predict, "a"))


@pytest.mark.parametrize(
    ("target", "settings", "message"),
    [
        ("http://", {}, "names no host, or no port"),
        ("http://localhost:8501", {"tls": True}, "has no TLS; give https://"),
        ("https://localhost:8501", {"credentials": grpc.ssl_channel_credentials()}, "credentials are gRPC's"),
        ("http://localhost:x", {}, "names no host, or no port"),
    ],
)
def test_wrong_settings(connect, target, settings, message):
    with pytest.raises(ValueError, match=message):
        connect(target, "reviews", **settings)
