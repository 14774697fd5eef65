"""TLS and mutual TLS against a bare gRPC server: who is let in, and the one line of everybody else."""

import os
import shutil
import subprocess
import sys
import time
import warnings

import grpc
import pytest

from serving.client import Client, SlipwayError, Tls
from serving.client.tls import security_of

from .certificates import Certificates


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def mutual(certificates):
    with certificates.server(mutual=True) as running:
        yield running


def refusal_of(connect, server, tls, **settings):
    """The error of a predict that must not be answered: one line with code and address."""
    with connect(server.address, "reviews", tls=tls, **settings) as client, pytest.raises(SlipwayError) as caught:
        client.predict(["a"])
    error = caught.value
    assert error.code == "UNAVAILABLE" and error.exit_code == 4 and error.address == server.address
    assert "\n" not in str(error) and server.address in str(error) and "UNAVAILABLE" in str(error)
    assert not server.requests
    return error


def test_the_right_certificate_is_answered(connect, certificates, mutual):
    with connect(mutual.address, "reviews", tls=certificates.tls("right")) as client:
        assert client.ready(30) and client.predict("0.25").label == "negative"
    mutual.requests.clear()


@pytest.mark.parametrize(
    "name, certain, said",
    [
        (None, False, "it wants a client certificate and none was given (Tls(certificate=…, key=…), --tls_certificate"),
        ("expired", True, "expired.pem: certificate has expired; give a valid one"),
        ("early", True, "early.pem: certificate is not yet valid; give a valid one"),
        (
            "wrong",
            False,
            "it refuses the client certificate {folder}/wrong.pem (signed by an authority that it does not",
        ),
    ],
)
def test_a_client_that_a_mutual_server_refuses(connect, certificates, mutual, name, certain, said):
    error = refusal_of(connect, mutual, certificates.tls(name))
    assert said.format(folder=certificates.folder) in str(error)
    assert error.retryable != certain and ("after 3 attempts" in str(error)) != certain


@pytest.mark.parametrize("mutually", [False, True])
def test_a_plain_client_at_a_tls_port(connect, certificates, mutually):
    with certificates.server(mutual=mutually) as server:
        error = refusal_of(connect, server, None)
    assert "it wants TLS (tls=True, --tls), or it is no gRPC port" in str(error) and error.retryable


@pytest.mark.parametrize(
    "names, days, fields, said",
    [
        (
            [],
            2,
            {"ca": "other_ca.pem"},
            "is not signed by the CA in {folder}/other_ca.pem; give the one that signed it",
        ),
        ([], 2, {"ca": None}, "is not signed by an authority that this client knows; give the one that signed it"),
        (["far.example"], 2, {}, "is for another name than '127.0.0.1'; give the name that stands in it"),
        (["far.example"], 2, {"server_name": "near.example"}, "is for another name than 'near.example'"),
        ([], 0.5, {}, "the server's certificate has expired; renew it at the server"),
    ],
)
def test_a_server_that_cannot_be_trusted(connect, certificates, names, days, fields, said):
    if fields.get("ca"):
        fields = fields | {"ca": certificates.folder / fields["ca"]}
    with certificates.server(*names, days=days) as server:
        error = refusal_of(connect, server, certificates.tls(**fields))
        assert said.format(folder=certificates.folder) in str(error)
        assert not error.retryable and "attempts" not in str(error)


def test_the_name_in_the_certificate_may_be_another_than_the_targets(connect, certificates):
    with (
        certificates.server("far.example") as server,
        connect(server.address, "reviews", tls=certificates.tls(server_name="far.example")) as client,
    ):
        assert client.predict("0.25").label == "negative"


def test_tls_at_a_plain_port(connect, certificates, server):
    error = refusal_of(connect, server, certificates.tls())
    assert "the port speaks no TLS; leave tls (--tls) out" in str(error) and not error.retryable


def test_credentials_of_the_callers_own_are_judged_too(connect, certificates, mutual):
    credentials = grpc.ssl_channel_credentials(certificates.ca.read_bytes())
    error = refusal_of(connect, mutual, None, credentials=credentials)
    assert "it refuses the client's credentials, or the server is just starting" in str(error)


def test_ready_does_not_wait_for_what_waiting_does_not_mend(connect, certificates, mutual):
    began = time.monotonic()
    with connect(mutual.address, "reviews", tls=certificates.tls("expired")) as client, pytest.raises(SlipwayError):
        client.ready(60)
    assert time.monotonic() - began < 30


def test_a_server_that_dies_behind_tls_is_no_matter_of_certificates(connect, certificates):
    with certificates.server() as server, connect(server.address, "reviews", tls=certificates.tls()) as client:
        client.predict(["a"])
        server.stop()
        with pytest.raises(SlipwayError, match="no server answers there") as caught:
            client.predict(["a"])
    assert caught.value.code == "UNAVAILABLE" and caught.value.retryable


def spoilt(certificates, tmp_path):
    """Files that are not what they should be, by name."""
    (tmp_path / "words.pem").write_text("a film of rare warmth")
    (tmp_path / "broken.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    certificate, key = certificates.client("right")
    encrypted = ["openssl", "pkey", "-in", str(key), "-aes256", "-passout", "pass:x", "-out", f"{tmp_path}/locked.key"]
    if shutil.which("openssl"):
        subprocess.run(encrypted, check=True)
    return {"folder": tmp_path, "right": certificate, "key": key, "other": certificates.client("wrong")[1]}


@pytest.mark.parametrize(
    "fields, said",
    [
        ({"ca": "{folder}/missing.pem"}, "missing.pem: the CA cannot be read: No such file or directory"),
        ({"ca": "{folder}"}, "the CA cannot be read: Is a directory"),
        ({"ca": "{folder}/words.pem"}, "words.pem: the CA is not PEM (-----BEGIN …); convert it"),
        ({"ca": "{folder}/broken.pem"}, "broken.pem: the CA cannot be read as PEM"),
        ({"ca": "{key}"}, "the CA should stand here, and the file holds EC PRIVATE KEY; are two files swapped?"),
        ({"certificate": "{right}"}, "right.pem without a key; give its key too (key=, --tls_key)"),
        ({"key": "{key}"}, "right.key without a certificate; give it too (certificate=, --tls_certificate)"),
        ({"certificate": "{key}", "key": "{right}"}, "the file holds EC PRIVATE KEY; are two files swapped?"),
        ({"certificate": "{right}", "key": "{right}"}, "the file holds CERTIFICATE; are two files swapped?"),
        ({"certificate": "{right}", "key": "{other}"}, "wrong.key: this key does not belong to the certificate"),
        ({"certificate": "{folder}/broken.pem", "key": "{key}"}, "broken.pem and {key} cannot be used: "),
        ({"certificate": "{right}", "key": "{folder}/locked.key"}, "locked.key: the key is encrypted; give gRPC one"),
    ],
)
def test_a_mistake_in_a_file_is_one_line(connect, certificates, tmp_path, fields, said):
    places = spoilt(certificates, tmp_path)
    if "locked" in said and not (tmp_path / "locked.key").exists():
        pytest.skip("the openssl command is not there, which makes the encrypted key")
    tls = Tls(**{name: value.format(**places) for name, value in fields.items()})
    with pytest.raises(ValueError) as caught:
        connect("localhost:8500", "reviews", tls=tls)
    assert said.format(**places) in str(caught.value) and "\n" not in str(caught.value)


def test_comments_in_any_language_may_stand_in_a_pem_file(tmp_path, certificates):
    (tmp_path / "ca.pem").write_bytes("# Főtanúsítvány\n".encode() + certificates.ca.read_bytes())
    assert security_of(Tls(ca=tmp_path / "ca.pem"), None).credentials


def test_what_tls_may_be(connect):
    with pytest.raises(TypeError, match=r"tls is str; give True, or Tls\(ca="):
        connect("localhost:8500", "reviews", tls="ca.pem")
    with pytest.raises(ValueError, match="tls or credentials, not both"):
        connect("localhost:8500", "reviews", tls=True, credentials=grpc.ssl_channel_credentials())
    assert security_of(False, None).credentials is None and security_of(True, None).credentials is not None


@pytest.mark.parametrize("mode, warned", [(0o600, 0), (0o640, 0), (0o644, 1)])
def test_a_key_that_everybody_can_read_is_warned_of(certificates, tmp_path, mode, warned):
    certificate, key = certificates.client("right")
    copied = shutil.copy(key, tmp_path / "copied.key")
    os.chmod(copied, mode)
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        Client("localhost:8500", "reviews", tls=Tls(certificate=certificate, key=copied)).close()
    assert len(found) == warned
    assert all(
        "every user of this machine can read the key" in str(w.message) and w.filename == __file__ for w in found
    )


def command(server, *flags):
    line = [sys.executable, "-m", "serving.client", f"--target={server.address}", "--model=reviews", *flags, "0.25"]
    return subprocess.run(line, capture_output=True, text=True)


def test_the_command_line(certificates, mutual, tmp_path):
    certificate, key = certificates.client("right")
    flags = [f"--tls_ca={certificates.ca}", f"--tls_certificate={certificate}"]
    done = command(mutual, *flags, f"--tls_key={key}")
    assert (done.returncode, done.stderr) == (0, "") and "negative" in done.stdout
    mutual.requests.clear()
    copied = shutil.copy(key, tmp_path / "copied.key")
    os.chmod(copied, 0o644)
    done = command(mutual, *flags, f"--tls_key={copied}")
    assert (
        done.returncode == 0
        and done.stderr.startswith(f"warning: {copied}: every user")
        and done.stderr.count("\n") == 1
    )
    mutual.requests.clear()
    assert "without a key" in refused_command(mutual, 2, *flags)


@pytest.mark.parametrize("name", ["none", "expired", "wrong"])
def test_the_command_line_of_those_who_are_refused(certificates, mutual, name):
    certificate, key = certificates.client(name)
    own = [] if name == "none" else [f"--tls_certificate={certificate}", f"--tls_key={key}"]
    assert "client certificate" in refused_command(mutual, 4, f"--tls_ca={certificates.ca}", *own)
    assert "not signed by an authority" in refused_command(mutual, 4, "--tls", *own)


def refused_command(server, code, *flags):
    """The one line on stderr, gRPC's own log not among it."""
    done = command(server, *flags)
    assert (done.returncode, done.stdout) == (code, "") and done.stderr.startswith("error: "), done.stderr
    assert done.stderr.count("\n") == 1 and not server.requests
    return done.stderr
