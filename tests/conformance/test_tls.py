"""--ssl_config_file: whom the server lets in."""

import json

import grpc
import pytest

from tests.conformance.cases import case
from tests.serving.client.certificates import Certificates
from tests.serving.server.running import Caller

pytestmark = [
    pytest.mark.slow,
    case("tensorflow_serving/model_servers/server.cc: BuildServerCredentialsFromSSLConfigFile"),
]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def mutual(zoo, serve, certificates, tmp_path_factory):
    """A Server that lets clients of its authority in, alone."""
    own = certificates.issued("127.0.0.1")
    fields = {"server_key": own.key, "server_cert": own.chain, "custom_ca": certificates.ca.read_text()}
    path = tmp_path_factory.mktemp("tls") / "ssl.config"
    path.write_text("".join(f"{name}: {json.dumps(text)}\n" for name, text in fields.items()) + "client_verify: true")
    path.chmod(0o600)
    flags = (f"--model_base_path={zoo / 'reviews'}", "--model_name=reviews", f"--ssl_config_file={path}")
    with serve(*flags, credentials=credentials(certificates, "right")) as server, server.ready("reviews"):
        yield server


def credentials(certificates, name):
    """Channel credentials that trust the authority and show the client's certificate of that name; None: none."""
    shown = [path.read_bytes() for path in certificates.client(name)] if name else (None, None)
    return grpc.ssl_channel_credentials(certificates.ca.read_bytes(), shown[1], shown[0])


def test_the_right_certificate(mutual, certificates):
    with Caller(mutual.address, "reviews", credentials(certificates, "right")) as caller:
        assert caller.predict(["good"]).model_spec.version.value == 1


@pytest.mark.parametrize("name", [None, "wrong", "expired", "early"])
def test_other_certificates_are_refused(mutual, certificates, name):
    with Caller(mutual.address, "reviews", credentials(certificates, name)) as caller:
        with pytest.raises(grpc.RpcError) as refused:
            caller.predict(["good"], timeout=10)
    assert refused.value.code() == grpc.StatusCode.UNAVAILABLE


def test_a_plain_client_is_refused(mutual):
    with Caller(mutual.address, "reviews") as caller, pytest.raises(grpc.RpcError) as refused:
        caller.predict(["good"], timeout=10)
    assert refused.value.code() == grpc.StatusCode.UNAVAILABLE


@case("tensorflow_serving/model_servers/http_server.cc: REST knows no TLS")
def test_rest_stays_plain(mutual):
    assert mutual.rest.get("/v1/models/reviews")[0] == 200


def config(folder, **fields):
    """Writes an SSLConfig; gives the flag that names it."""
    path = folder / "ssl.config"
    path.write_text("".join(f"{name}: {json.dumps(text)}\n" for name, text in fields.items()))
    path.chmod(0o600)
    return f"--ssl_config_file={path}"


@pytest.fixture(scope="module")
def one_way(zoo, serve, certificates, tmp_path_factory):
    """A server that shows a certificate and asks for none."""
    own = certificates.issued("127.0.0.1")
    flag = config(tmp_path_factory.mktemp("one_way"), server_key=own.key, server_cert=own.chain)
    flags = (f"--model_base_path={zoo / 'reviews'}", "--model_name=reviews", flag)
    with serve(*flags, credentials=credentials(certificates, None)) as server, server.ready("reviews"):
        yield server


@pytest.mark.parametrize("name", [None, "right", "wrong", "expired"])
def test_without_client_verify_no_certificate_matters(one_way, certificates, name):
    with Caller(one_way.address, "reviews", credentials(certificates, name)) as caller:
        assert caller.predict(["good"]).model_spec.version.value == 1


def test_a_client_that_trusts_others_stays_away(one_way, certificates):
    others = grpc.ssl_channel_credentials(certificates.other_ca.read_bytes())
    with Caller(one_way.address, "reviews", others) as caller, pytest.raises(grpc.RpcError) as refused:
        caller.predict(["good"], timeout=10)
    assert refused.value.code() == grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize("text", ["server_kee: ''", "{", None], ids=["a field of nobody", "no text proto", "no file"])
def test_a_file_that_is_no_config_ends_the_server(zoo, serve, tmp_path, text):
    path = tmp_path / "ssl.config"
    if text is not None:
        path.write_text(text)
        path.chmod(0o600)
    with serve(f"--model_base_path={zoo / 'reviews'}", "--model_name=reviews", f"--ssl_config_file={path}") as server:
        assert server.ended() != 0
