"""What stands behind an UNAVAILABLE of a TLS port: gRPC names its own side's reasons, and nothing of the server's.

A server that refuses a client's certificate, or a client that speaks no TLS, closes the connection without a word; so
does a proxy in front of a server that is still starting. Where no one cause is certain, all of them are told.
"""

import dataclasses
import re

_CONNECTING = "failed to connect to all addresses"
_CLOSED = re.compile(r"socket closed|connection reset|broken pipe|stream removed|end of file|\bEOF\b", re.I)
_OTHER_NAME = re.compile(r"hostname verification check failed|not in peer certificate", re.I)
_UNVERIFIED = re.compile(r"CERTIFICATE_VERIFY_FAILED(?:: (?P<reason>[^:]+))?")
_NO_TLS = re.compile(r"WRONG_VERSION_NUMBER|HTTP_REQUEST|PACKET_LENGTH_TOO_LONG")
_UNUSABLE = "Failed to create security handshaker"


@dataclasses.dataclass(frozen=True)
class Diagnosis:
    """meaning: the cause, or the possible ones, and what to do. certain: asking again cannot mend it."""

    meaning: str
    certain: bool


def diagnosis(details, address, security):
    """The Diagnosis of what gRPC said of an UNAVAILABLE call to `address`, or None where TLS has no part in it.

    security: tls.Security of the channel.
    """
    details = details or ""
    if security.credentials is not None:
        found = _own_reason(details, address, security)
        if found:
            return Diagnosis(found, certain=True)
    if not (details.startswith(_CONNECTING) and _CLOSED.search(details)):
        return None
    if security.credentials is None:
        return Diagnosis(
            "what listens there closed the connection at once: it wants TLS (tls=True, --tls), or it is no gRPC port, "
            "or the server is just starting or stopping",
            certain=False,
        )
    return _refused(security)


def _own_reason(details, address, security):
    """What this side found wrong with the server in the handshake; "" where it found nothing."""
    if _NO_TLS.search(details):
        return "the port speaks no TLS; leave tls (--tls) out, or give the server's TLS port"
    if _OTHER_NAME.search(details):
        name = (security.tls and security.tls.server_name) or address.rpartition("//")[2].rpartition(":")[0]
        return (
            f"the server's certificate is for another name than '{name}'; give the name that stands in it, "
            "as the target or as server_name (--tls_server_name)"
        )
    unverified = _UNVERIFIED.search(details)
    if unverified:
        return _unverified((unverified["reason"] or "").strip(), security)
    if _UNUSABLE in details:
        return "gRPC cannot use these credentials: a certificate or key in them is broken, or they do not fit together"
    return ""


def _unverified(reason, security):
    if "expired" in reason:
        return "the server's certificate has expired; renew it at the server, and compare the clocks of both machines"
    if "not yet valid" in reason:
        return "the server's certificate is not valid yet; compare the clocks of both machines"
    if "issuer" in reason or "self" in reason:
        known = security.tls and security.tls.ca
        asked = f"the CA in {known}" if known else "an authority that this client knows"
        return f"the server's certificate is not signed by {asked}; give the one that signed it (Tls(ca=…), --tls_ca)"
    return f"the server's certificate cannot be trusted: {reason or 'it could not be verified'}"


def _refused(security):
    """The server closed the connection after this side had accepted its certificate."""
    starting = "or the server is just starting or stopping"
    if security.tls is None:
        meaning = f"the server closed the connection in the handshake: it refuses the client's credentials, {starting}"
        return Diagnosis(meaning, certain=False)
    if security.client is None:
        meaning = (
            "the server closed the connection in the handshake: it wants a client certificate and none was given "
            f"(Tls(certificate=…, key=…), --tls_certificate, --tls_key), {starting}"
        )
        return Diagnosis(meaning, certain=False)
    shown, fault = security.client.path, security.client.fault()
    if fault:
        return Diagnosis(f"the server refuses the client certificate {shown}: {fault}; give a valid one", certain=True)
    meaning = (
        f"the server closed the connection in the handshake: it refuses the client certificate {shown} (signed by an "
        f"authority that it does not trust, or revoked), {starting}"
    )
    return Diagnosis(meaning, certain=False)
