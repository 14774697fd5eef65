"""How REST of the embedded server begins and ends; what it answers is held to tests/conformance."""

import socket

from tests.serving.server.running import Server

BODY = b'{"inputs": ["100000"], "signature_name": "spin"}'
HEAD = (
    b"POST /v1/models/reviews:predict HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\n"
    b"Content-Length: %d\r\n\r\n" % len(BODY)
)


def test_sigterm_lets_requests_finish(place):
    with Server(place(1, "a"), "--engine=embedded", "--port=0") as server:
        host, _, port = server.ready()["rest"].rpartition(":")
        with socket.create_connection((host, int(port)), timeout=60) as connection:
            connection.sendall(HEAD)
            assert connection.recv(100).startswith(b"HTTP/1.1 100 ")  # from here on it is under way
            connection.sendall(BODY)
            assert server.stop() == 0
            received = b"".join(iter(lambda: connection.recv(1 << 16), b""))
        assert received.startswith(b"HTTP/1.1 200 ") and b"100000" in received
        assert "Traceback" not in server.log_text()


def test_rest_can_be_left_out(place):
    with Server(place(1, "a"), "--engine=embedded", "--port=0", "--rest_api_port=0") as server:
        assert "rest" not in server.ready()
        assert server.stop() == 0
