"""HTTP connections to one server, kept between requests, through the proxy of the environment where it names one."""

import collections
import http.client
import socket
import ssl
import time
import urllib.parse
import urllib.request

from .targets import is_loopback

_CONNECT_SECONDS = 5.0  # longest, where the deadline is further off
_PIECE = 2**18  # bytes read at once


class Connections:
    """Threads may share it. `fault(code, details)` makes the exception of what goes wrong. security: tls.Security."""

    def __init__(self, address, security, fault):
        url = urllib.parse.urlsplit(address)
        self._host, self._prefix, self._fault = url.hostname, url.path.rstrip("/"), fault
        self._tls = _context(security.tls) if url.scheme == "https" else None
        self._name = (security.tls and security.tls.server_name) or url.hostname
        self._port = url.port or (443 if self._tls else 80)
        self._proxy = None if is_loopback(address) else _proxy(url)
        self._idle, self._busy, self._closed = collections.deque(), set(), False

    def close(self):
        """Closes what is idle and cuts off what is not."""
        self._closed = True
        for connection in [*self._idle, *self._busy]:
            _cut(connection)

    def ask(self, method, path, body, headers, until):
        """(HTTP status, content). until: the moment, of time.monotonic, by which the answer must be there."""
        path = f"{self._prefix}{path}"
        if self._proxy and not self._tls:
            path = f"http://{self._host}:{self._port}{path}"
        headers = headers | ({"Content-Type": "application/json"} if body is not None else {})
        while True:
            try:
                connection, fresh = self._idle.pop(), False
            except IndexError:
                connection, fresh = self._connected(until), True
            self._busy.add(connection)
            try:
                return self._exchange(connection, method, path, body, headers, until)
            except TimeoutError:
                raise self._fault("DEADLINE_EXCEEDED", "no answer in time") from None
            except (OSError, http.client.HTTPException) as error:
                if self._closed:
                    raise self._fault("CANCELLED", "this client was closed") from None
                if fresh or not isinstance(error, ConnectionError):
                    raise self._fault("UNAVAILABLE", f"Socket closed: {error!r}") from None
                self._idle.clear()  # the server closed them, which were idle for long: on over a new one
            finally:
                self._busy.discard(connection)

    def _exchange(self, connection, method, path, body, headers, until):
        connection.sock.settimeout(_left(until))
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            pieces = []
            while piece := response.read1(_PIECE):
                pieces.append(piece)
                if connection.sock:  # None once the last piece of a connection that is not kept is read
                    connection.sock.settimeout(_left(until))
            response.close()
        except BaseException:
            connection.close()
            raise
        if connection.sock and not self._closed:
            self._idle.append(connection)
        return response.status, b"".join(pieces)

    def _connected(self, until):
        """A new connection. What goes wrong is told in gRPC's words, which are understood already."""
        seconds = min(max(until - time.monotonic(), 0.001), _CONNECT_SECONDS)
        connection = http.client.HTTPConnection(*(self._proxy or (self._host, self._port)), timeout=seconds)
        connection.auto_open = False  # only here, where TLS is put on it
        if self._proxy and self._tls:
            connection.set_tunnel(self._host, self._port)
        try:
            connection.connect()
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls:
                connection.sock = self._tls.wrap_socket(connection.sock, server_hostname=self._name)
        except TimeoutError:
            connection.close()
            if time.monotonic() >= until:
                raise self._fault("DEADLINE_EXCEEDED", "no connection in time") from None
            raise self._fault("UNAVAILABLE", _not_connected("no connection in time")) from None
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise self._fault("UNAVAILABLE", _not_connected(_told(error))) from None
        return connection


def _left(until):
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _not_connected(told):
    return f"failed to connect to all addresses; last error: {told}"


def _told(error):
    """What went wrong, as handshake.diagnosis knows it of gRPC."""
    if isinstance(error, ssl.SSLCertVerificationError):
        if "mismatch" in error.verify_message:
            return "hostname verification check failed"
        return f"CERTIFICATE_VERIFY_FAILED: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return error.reason or str(error)
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _cut(connection):
    try:
        connection.sock.shutdown(socket.SHUT_RDWR)  # which wakes the thread that reads from it
        connection.sock.close()
    except (OSError, AttributeError):  # it is closed already
        pass


def _context(tls):
    context = ssl.create_default_context(cafile=tls and tls.ca)
    if tls and tls.certificate:
        context.load_cert_chain(tls.certificate, tls.key)
    return context


def _proxy(url):
    """(host, port) of the proxy that the environment names for this URL, or None."""
    proxy = urllib.request.getproxies().get(url.scheme)
    if not proxy or urllib.request.proxy_bypass(url.netloc):
        return None
    found = urllib.parse.urlsplit(proxy if "//" in proxy else f"http://{proxy}")
    return found.hostname, found.port or 80
