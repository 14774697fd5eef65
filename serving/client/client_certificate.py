"""What OpenSSL finds wrong with a client's own certificate: gRPC says nothing of it, on either side."""

import contextlib
import ssl


class ClientCertificate:
    """A certificate and its key, of two PEM files. Raises ValueError where gRPC could not use them together."""

    def __init__(self, certificate, key):
        self.path = certificate
        self._shown = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._shown.check_hostname, self._shown.verify_mode = False, ssl.CERT_NONE
        self._judge = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            for context in (self._shown, self._judge):
                context.set_ciphers("DEFAULT:@SECLEVEL=0")  # whether a key is too short is for the server to say
                context.load_cert_chain(certificate, key, password=_no_password)
            # Trusted in itself: what is then still wrong is wrong whoever signed it.
            self._judge.load_verify_locations(certificate)
        except _Encrypted:
            raise ValueError(f"{key}: the key is encrypted; give gRPC one without a password (openssl pkey)") from None
        except ssl.SSLError as error:
            if error.reason == "KEY_VALUES_MISMATCH":
                raise ValueError(f"{key}: this key does not belong to the certificate {certificate}") from None
            raise ValueError(f"{certificate} and {key} cannot be used: {error.reason or 'not PEM'}") from None
        self._judge.verify_mode = ssl.CERT_REQUIRED
        self._judge.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN

    def fault(self):
        """Why no server would take the certificate now, such as "certificate has expired"; "" where nothing is known.

        The judge is a handshake in memory, in which the certificate is shown to one who trusts it.
        """
        ours, theirs = ssl.MemoryBIO(), ssl.MemoryBIO()
        client, server = self._shown.wrap_bio(theirs, ours), self._judge.wrap_bio(ours, theirs, server_side=True)
        try:
            for side in (client, server, client, server):
                _step(side)
        except ssl.SSLCertVerificationError as error:
            return error.verify_message
        except ssl.SSLError:
            return ""
        return ""


def _step(side):
    with contextlib.suppress(ssl.SSLWantReadError):
        side.do_handshake()


class _Encrypted(Exception):
    """Raised where OpenSSL would ask the terminal for a password."""


def _no_password():
    raise _Encrypted
