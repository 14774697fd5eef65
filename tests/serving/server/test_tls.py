"""The embedded server over TLS: who is let in, and the one line of each file that cannot be used."""

import datetime
import json
import re
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from serving.client import Client, SlipwayError, Tls
from serving.contract import ServingError
from serving.server import external, tls
from serving.server.options import Options
from tests.serving.client.certificates import Certificates
from tests.serving.server.running import Server

MONTH = datetime.timedelta(days=30)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def config(certificates, tmp_path):
    """config(**fields) gives the path of an SSLConfig for 127.0.0.1; a field that is None is left out."""
    own = certificates.issued("127.0.0.1")

    def write(mode=0o600, **fields):
        fields = {"server_key": own.key, "server_cert": own.chain} | fields
        path = tmp_path / "ssl.config"
        path.write_text("".join(f"{name}: {_value(value)}\n" for name, value in fields.items() if value is not None))
        path.chmod(mode)
        return path

    return write


def _value(value):
    return "true" if value is True else json.dumps(value)


def asked(address, security, **settings):
    with Client(address, "reviews", tls=security, **settings) as client:
        return client.raw({"text": ["long enough"]})["label"].tolist()


def refusal(address, security):
    with pytest.raises(SlipwayError) as caught:
        asked(address, security, deadline=5)
    assert caught.value.code == "UNAVAILABLE" and "\n" not in str(caught.value)
    return str(caught.value)


def test_only_who_may_is_answered(place, certificates, config):
    mutual = config(custom_ca=certificates.ca.read_text(), client_verify=True)
    base = place(1, "a")
    with Server(base, "--engine=embedded", "--port=0", f"--ssl_config_file={mutual}") as server:
        address = server.ready()["grpc"]
        assert asked(address, certificates.tls("right")) == [b"positive"]
        assert "it wants TLS (tls=True, --tls)" in refusal(address, None)
        assert "it wants a client certificate and none was given" in refusal(address, certificates.tls())
        assert "expired.pem: certificate has expired" in refusal(address, certificates.tls("expired"))
        assert "signed by an authority that it does not trust" in refusal(address, certificates.tls("wrong"))
        assert asked(address, certificates.tls("right")) == [b"positive"], "refusals harm nobody"
        assert server.stop() == 0


def test_without_client_verify_any_client_with_tls_is_answered(place, certificates, config):
    with Server(place(1, "a"), "--engine=embedded", "--port=0", f"--ssl_config_file={config()}") as server:
        address = server.ready()["grpc"]
        assert asked(address, Tls(ca=certificates.ca)) == [b"positive"]
        assert "is not signed by the CA in" in refusal(address, Tls(ca=certificates.other_ca))
        assert server.stop() == 0


@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_a_key_that_others_may_read_is_refused(config, mode):
    path = config(mode)
    with pytest.raises(ServingError) as refused:
        tls.read(path)
    said = (
        f"--ssl_config_file={path}: others may read it (mode {mode:o}) and it holds the server's key; chmod 600 {path}"
    )
    assert str(refused.value) == said and refused.value.exit_code == 2


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"server_key": None}, "server_key is missing; give the text of its PEM file"),
        ({"server_cert": ""}, "server_cert is missing"),
        ({"client_verify": True}, "client_verify without custom_ca"),
        ({"server_cert": "no PEM"}, "server_cert and server_key cannot be used"),
        ({"custom_ca": "no PEM"}, "custom_ca cannot be read"),
        ({"server_kee": "x"}, "ssl.config:3: not an SSLConfig text proto: it has no field named server_kee"),
    ],
)
def test_what_cannot_be_used_is_one_line(config, fields, said):
    with pytest.raises(ServingError, match=said) as refused:
        tls.read(config(**fields))
    assert "\n" not in str(refused.value) and "PRIVATE" not in str(refused.value)


@pytest.mark.parametrize(
    "slip",
    [
        "server_key: {key}",  # no quotes
        "server_key: '{key}\"",  # another quote closes
        "server_key: '{key}' x: y z",  # something behind it
        "client_verify: '{key}'",
        "server_key: '' {key}",
        "{key}",
    ],
)
@pytest.mark.parametrize("line_end", ["\n", "\\n", ""])
def test_what_cannot_be_parsed_shows_nothing_of_the_key(config, certificates, slip, line_end):
    key, path = certificates.issued("127.0.0.1").key, config()
    path.write_text(slip.format(key=key.replace("\n", line_end)))
    with pytest.raises(ServingError, match=r"ssl.config:\d+: not an SSLConfig text proto: ") as refused:
        tls.read(path)
    secret = "".join(line for line in key.splitlines() if "-----" not in line)
    assert "\n" not in str(refused.value)
    assert not any(secret[at : at + 6] in str(refused.value) for at in range(len(secret) - 5))


def test_a_key_of_another_certificate_and_an_expired_one_are_named(certificates, config):
    other = certificates.issued("127.0.0.1")
    with pytest.raises(ServingError, match="server_key does not belong to server_cert; give the pair"):
        tls.read(config(server_key=other.key))
    now = datetime.datetime.now(datetime.UTC)
    old = certificates.issued("127.0.0.1", not_before=now - 2 * MONTH, not_after=now - MONTH)
    with pytest.raises(ServingError, match="server_cert: certificate has expired; renew it"):
        tls.read(config(server_key=old.key, server_cert=old.chain))


def test_a_key_on_a_curve_that_no_handshake_offers_is_named(config):
    key, name = ec.generate_private_key(ec.SECP256K1()), x509.Name([])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now - MONTH, now + MONTH)
    chain = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    with pytest.raises(ServingError, match="server_cert and server_key cannot be used: NO_SHARED_CIPHER; make a new"):
        tls.read(config(server_key=pem.decode(), server_cert=chain.decode()))


def test_the_command_ends_with_the_line_and_its_code(place, config):
    with Server(place(1, "a"), "--engine=embedded", "--port=0", f"--ssl_config_file={config(0o644)}") as server:
        assert server.process.wait(60) == 2
        assert re.fullmatch(
            r"error: --ssl_config_file=\S+: others may read it .*; chmod 600 \S+", server.log_text().strip()
        )


def test_the_real_server_is_ready_when_its_port_speaks_tls(certificates, tmp_path):
    (tmp_path / "reviews" / "3").mkdir(parents=True)
    with certificates.server(mutual=True) as running, subprocess.Popen(["sleep", "60"]) as child:
        host, _, port = running.address.partition(":")
        options = Options(str(tmp_path / "reviews"), host=host, port=int(port), ssl_config_file="ssl.config")
        assert external._wait_until_ready(child, options) == 3
        child.kill()
        child.wait()
        assert external._wait_until_ready(child, options) is None
