"""--ssl_config_file: the server's certificate and key, and whom it lets in; each mistake told before anything listens.

Source: BuildServerCredentialsFromSSLConfigFile in tensorflow_serving/model_servers/server.cc, which lets gRPC fail at
the first handshake instead. As there, REST stays plain.
"""

import contextlib
import dataclasses
import os
import pathlib
import ssl
import stat
import tempfile

import grpc

from serving import text_proto
from serving.contract import ServingError
from serving.server import config_protos


@dataclasses.dataclass(frozen=True)
class ServerTls:
    """What an SSLConfig holds, PEM as bytes. With client_verify only clients of custom_ca come in."""

    server_key: bytes
    server_cert: bytes
    custom_ca: bytes
    client_verify: bool

    def credentials(self):
        """For a grpc.aio server."""
        pairs = [(self.server_key, self.server_cert)]
        return grpc.ssl_server_credentials(pairs, self.custom_ca or None, self.client_verify)


def read(path):
    """The ServerTls of a file; ServingError for a file that others may read, or that no server could use."""
    given = f"--ssl_config_file={path}"
    config = text_proto.read(path, config_protos.new("SSLConfig"), given, "an SSLConfig text proto", secret=True)
    mode = stat.S_IMODE(os.stat(path).st_mode)
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ServingError(
            f"{given}: others may read it (mode {mode:o}) and it holds the server's key; chmod 600 {path}"
        )
    for name in ("server_key", "server_cert"):
        if not getattr(config, name).strip():
            raise ServingError(f"{given}: {name} is missing; give the text of its PEM file, line ends as \\n")
    if config.client_verify and not config.custom_ca.strip():
        raise ServingError(f"{given}: client_verify without custom_ca; give the authority that signs the clients'")
    found = ServerTls(
        config.server_key.encode(), config.server_cert.encode(), config.custom_ca.encode(), config.client_verify
    )
    _check(found, given)
    return found


def _check(found, given):
    """Raises ServingError where OpenSSL finds that the pieces cannot be used, or not any more."""
    if found.custom_ca:
        _check_authorities(found.custom_ca, f"{given}: custom_ca")
    with tempfile.TemporaryDirectory() as folder:  # OpenSSL takes files; the folder and what is in it are this user's
        certificate, key = pathlib.Path(folder, "certificate"), pathlib.Path(folder, "key")
        certificate.write_bytes(found.server_cert)
        key.touch(0o600)
        key.write_bytes(found.server_key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(certificate, key, password=_no_password)
        except _Encrypted:
            raise ServingError(f"{given}: server_key is encrypted; give it without a password (openssl pkey)") from None
        except ssl.SSLError as error:
            if error.reason == "KEY_VALUES_MISMATCH":
                raise ServingError(f"{given}: server_key does not belong to server_cert; give the pair") from None
            reason = error.reason or "not PEM"
            raise ServingError(f"{given}: server_cert and server_key cannot be used: {reason}") from None
        _check_in_force(context, certificate, given)


def _check_authorities(pem, what):
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(cadata=pem.decode("ascii", "ignore"))
    except (ssl.SSLError, ValueError) as error:
        raise ServingError(f"{what} cannot be read: {getattr(error, 'reason', None) or error}; give PEM") from None


def _check_in_force(context, certificate, given):
    """A handshake in memory, with a client who trusts this certificate whoever signed it: what is left is its time."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.load_verify_locations(certificate)
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = client.wrap_bio(back, there), context.wrap_bio(there, back, server_side=True)
    try:
        for side in (*sides, *sides):
            with contextlib.suppress(ssl.SSLWantReadError):
                side.do_handshake()
    except ssl.SSLCertVerificationError as error:
        raise ServingError(f"{given}: server_cert: {error.verify_message}; renew it") from None
    except ssl.SSLError as error:  # for example a curve that no handshake offers
        reason = error.reason or error
        raise ServingError(f"{given}: server_cert and server_key cannot be used: {reason}; make a new pair") from None


class _Encrypted(Exception):
    """Raised where OpenSSL would ask the terminal for a password."""


def _no_password():
    raise _Encrypted
