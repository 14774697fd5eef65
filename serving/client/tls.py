"""TLS and mutual TLS from PEM files, each mistake in them told in one line before anything is sent."""

import dataclasses
import os
import ssl
import stat
import warnings

import grpc

from .client_certificate import ClientCertificate
from .targets import is_web

_BEGIN = b"-----BEGIN "


@dataclasses.dataclass(frozen=True)
class Tls:
    """How to talk TLS. Each field but the last is the path of a PEM file.

    ca: certificates of the authorities that may sign the server's; None: the public ones that gRPC carries.
    certificate, key: this client's own, for a server that wants one (mutual TLS). The file of the certificate holds
    those between it and the authority too, its own first. server_name: the name that stands in the server's
    certificate, where it is not the one in the target.
    """

    ca: str | os.PathLike | None = None
    certificate: str | os.PathLike | None = None
    key: str | os.PathLike | None = None
    server_name: str | None = None


@dataclasses.dataclass(frozen=True)
class Security:
    """What a channel is opened with. credentials: None for plain text; client: the certificate shown, if known."""

    credentials: grpc.ChannelCredentials | None = None
    tls: Tls | None = None
    client: ClientCertificate | None = None

    @property
    def options(self):
        """Channel arguments."""
        name = self.tls and self.tls.server_name
        return [("grpc.ssl_target_name_override", name)] if name else []


def security_of(tls, credentials):
    """The Security of a client's arguments: `tls` bool, None or Tls, `credentials` grpc.ChannelCredentials or None.

    Raises ValueError for a file that is missing, cannot be read or holds something else than it should, and TypeError
    for what is no Tls. Warns of a key that every user of the machine can read.
    """
    if tls is None or tls is False:
        return Security(credentials)
    if credentials is not None:
        raise ValueError("give tls or credentials, not both")
    if tls is True:
        tls = Tls()
    if not isinstance(tls, Tls):
        raise TypeError(f"tls is {type(tls).__name__}; give True, or Tls(ca=…, certificate=…, key=…)")
    ca = None if tls.ca is None else _authorities(tls.ca)
    if tls.certificate is None and tls.key is None:
        return Security(grpc.ssl_channel_credentials(ca), tls)
    certificate, key = _own(tls)
    client = ClientCertificate(tls.certificate, tls.key)
    return Security(grpc.ssl_channel_credentials(ca, key, certificate), tls, client)


def security_for(addresses, tls, credentials):
    """security_of() for these targets: https:// says tls=True by itself, and http:// has no TLS."""
    web = [address for address in addresses if is_web(address)]
    if web and credentials is not None:
        raise ValueError(f"credentials are gRPC's; give tls= for {web[0]}")
    clear = [address for address in web if address.startswith("http://")]
    if clear and tls:
        raise ValueError(f"target {clear[0]!r} has no TLS; give https://, or leave tls (--tls) out")
    return security_of(tls or bool(web and not clear), credentials)


def _authorities(path):
    pem = _pem("the CA", path, b"CERTIFICATE")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=pem.decode("ascii", "ignore"))
    except ssl.SSLError as error:
        raise ValueError(f"{path}: the CA cannot be read as PEM ({error.reason}); give the file anew") from None
    return pem


def _own(tls):
    """(certificate, key) as bytes."""
    if tls.key is None:
        raise ValueError(f"certificate {tls.certificate} without a key; give its key too (key=, --tls_key)")
    if tls.certificate is None:
        raise ValueError(f"key {tls.key} without a certificate; give it too (certificate=, --tls_certificate)")
    certificate = _pem("the client certificate", tls.certificate, b"CERTIFICATE")
    key = _pem("the client key", tls.key, b"PRIVATE KEY")
    if os.stat(tls.key).st_mode & stat.S_IROTH:  # a group of its own is how services share a key
        warnings.warn(f"{tls.key}: every user of this machine can read the key; chmod o= {tls.key}", stacklevel=5)
    return certificate, key


def _pem(what, path, kind):
    """The bytes of a PEM file with a block of `kind`."""
    try:
        with open(path, "rb") as file:
            content = file.read()
    except OSError as error:
        raise ValueError(f"{path}: {what} cannot be read: {error.strerror}") from None
    blocks = [line.strip(b"- \r").removeprefix(b"BEGIN ") for line in content.splitlines() if line.startswith(_BEGIN)]
    if not blocks:
        raise ValueError(f"{path}: {what} is not PEM (-----BEGIN …); convert it, for example with openssl")
    if not any(block.endswith(kind) for block in blocks):
        found = blocks[0].decode("ascii", "replace")
        raise ValueError(f"{path}: {what} should stand here, and the file holds {found}; are two files swapped?")
    return content
