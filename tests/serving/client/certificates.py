"""Certificates of a test's own authority: a server's, and clients' that are right, expired and of somebody else."""

import contextlib
import datetime
import pathlib
from typing import NamedTuple

import grpc
import trustme

from serving.client import Tls

from .fake_server import FakeServer

_DAY = datetime.timedelta(days=2)


class Issued(NamedTuple):
    """A key and its certificate with those that it was signed with, PEM as text."""

    key: str
    chain: str


class Certificates:
    """PEM files in a folder: those of two authorities, and clients' called right, expired, early and wrong."""

    def __init__(self, folder):
        self.folder, self._authority, self._other = pathlib.Path(folder), trustme.CA(), trustme.CA()
        self.ca, self.other_ca = self.folder / "ca.pem", self.folder / "other_ca.pem"
        self._authority.cert_pem.write_to_path(self.ca)
        self._other.cert_pem.write_to_path(self.other_ca)
        now = datetime.datetime.now(datetime.UTC)
        for name, authority, begins, ends in (
            ("right", self._authority, now - _DAY, now + _DAY),
            ("expired", self._authority, now - 2 * _DAY, now - _DAY),
            ("early", self._authority, now + _DAY, now + 2 * _DAY),
            ("wrong", self._other, now - _DAY, now + _DAY),
        ):
            issued = authority.issue_cert("client@slipway.example", not_before=begins, not_after=ends)
            certificate, key = self.client(name)
            issued.cert_chain_pems[0].write_to_path(certificate)
            issued.private_key_pem.write_to_path(key)
            key.chmod(0o600)

    def client(self, name):
        """Paths of (certificate, key)."""
        return self.folder / f"{name}.pem", self.folder / f"{name}.key"

    def tls(self, name=None, **fields):
        """The Tls of a client that trusts the authority, with its own certificate of that name."""
        certificate, key = self.client(name) if name else (None, None)
        return Tls(**{"ca": self.ca, "certificate": certificate, "key": key} | fields)

    def issued(self, *names, **times):
        """The Issued of a server's certificate for `names`; times: not_before, not_after."""
        made = self._authority.issue_cert(*names, **times)
        chain = b"".join(pem.bytes() for pem in made.cert_chain_pems)
        return Issued(made.private_key_pem.bytes().decode(), chain.decode())

    def server_files(self, name):
        """Paths of (certificate, key) of a server of that name."""
        issued, (certificate, key) = self.issued(name), self.client(f"server_{name}")
        certificate.write_text(issued.chain)
        key.write_text(issued.key)
        return certificate, key

    @contextlib.contextmanager
    def server(self, *names, mutual=False, days=2):
        """A FakeServer with a certificate for `names`, valid for `days` from yesterday on."""
        begins = datetime.datetime.now(datetime.UTC) - _DAY
        issued = self.issued(*names or ("127.0.0.1",), not_before=begins, not_after=begins + days * _DAY)
        credentials = grpc.ssl_server_credentials(
            [(issued.key.encode(), issued.chain.encode())],
            root_certificates=self.ca.read_bytes() if mutual else None,
            require_client_auth=mutual,
        )
        with FakeServer(credentials=credentials) as running:
            yield running
