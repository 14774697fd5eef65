"""https as in a company: an own certificate authority, hosts trusted by name, credentials."""

import shutil
import subprocess

import pytest

from data import registry as registry_room
from data.pip_settings import PipSettings
from tests.data import registry_stub
from trainer.config import EnvironmentFault

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl to make a certificate")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """PEM file of a certificate for 127.0.0.1 that nobody has signed, and its key."""
    folder = tmp_path_factory.mktemp("certificate")
    asked = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=registry -addext subjectAltName=IP:127.0.0.1"
    command = ["openssl", *asked.split(), "-keyout", folder / "key.pem", "-out", folder / "cert.pem"]
    subprocess.run(command, check=True, capture_output=True)
    (folder / "both.pem").write_text((folder / "cert.pem").read_text() + (folder / "key.pem").read_text())
    return folder / "both.pem"


@pytest.fixture
def secure(files, certificate):
    """A registry over https that demands a password."""
    with registry_stub.serving(dict(files), certificate=certificate) as registry:
        registry.password = "p@ss"
        yield registry


def fetched(wares, registry, path, credentials="user:p%40ss", **options):
    """Whether the snippets' artifact came through."""
    settings = PipSettings((registry.index_with(credentials),), retries=0, **options)
    registry_room.download(wares["movie-snippets"], path, settings)
    return path.exists()


def test_the_bundle_of_pips_configuration_and_the_urls_credentials_open_the_door(wares, secure, certificate, tmp_path):
    assert fetched(wares, secure, tmp_path / "a", ca_bundle=str(certificate))


def test_a_folder_of_certificates_serves_too(wares, secure, certificate, tmp_path):
    command = ["openssl", "x509", "-hash", "-noout", "-in", certificate]
    name = subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout.strip()
    folder = tmp_path / "authorities"
    folder.mkdir()
    shutil.copy(certificate.parent / "cert.pem", folder / f"{name}.0")
    assert fetched(wares, secure, tmp_path / "a", ca_bundle=str(folder))


def test_a_trusted_host_needs_no_certificate(wares, secure, tmp_path):
    host = secure.url.removeprefix("https://")
    assert fetched(wares, secure, tmp_path / "a", trusted_hosts=(host,))


def test_an_unknown_certificate_is_one_line(wares, secure, tmp_path):
    with pytest.raises(EnvironmentFault, match="certificate verify failed"):
        fetched(wares, secure, tmp_path / "a")
    assert secure.log == []


def test_a_wrong_password_is_one_line_without_it(wares, secure, certificate, tmp_path):
    with pytest.raises(EnvironmentFault, match="401") as caught:
        fetched(wares, secure, tmp_path / "a", credentials="user:not-this", ca_bundle=str(certificate))
    assert "not-this" not in str(caught.value)
