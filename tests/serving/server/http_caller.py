"""HTTP requests as a client makes them, and some that none should make."""

import http.client
import json
import socket


class HttpCaller:
    """Calls `host:port`; each call is a connection of its own."""

    def __init__(self, address):
        self.host, _, self.port = address.rpartition(":")

    def ask(self, method, path, body=None, headers=None):
        """(status code, headers, body) of the answer."""
        connection = http.client.HTTPConnection(self.host, int(self.port), timeout=60)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    def post(self, path, document):
        """(status code, answer) of a JSON document, or of a body as it stands."""
        body = document if isinstance(document, bytes) else json.dumps(document, ensure_ascii=False).encode()
        code, _, answer = self.ask("POST", path, body)
        return code, json.loads(answer)

    def get(self, path):
        """(status code, answer) of a GET."""
        code, _, answer = self.ask("GET", path)
        return code, json.loads(answer)

    def send(self, raw, end=True):
        """All that comes back for bytes that may be no HTTP; end: no more are sent, and the server can see it."""
        with socket.create_connection((self.host, int(self.port)), timeout=60) as connection:
            connection.sendall(raw)
            if end:
                connection.shutdown(socket.SHUT_WR)
            received = b""
            while piece := connection.recv(1 << 16):
                received += piece
            return received
