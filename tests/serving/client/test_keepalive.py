"""A peer that vanished without a word."""

import socket
import threading

import pytest

from serving.client import Keepalive


class Relay:
    """A wire to `address`, whose connections may be silenced: what is sent on them is taken and goes nowhere."""

    def __init__(self, address):
        self._to, self._silent = address, set()
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._open = []
        threading.Thread(target=self._accept, daemon=True).start()

    def silence(self):
        """All connections that are open now."""
        self._silent.update(range(self.connections))

    def close(self):
        for each in [self._listener, *self._open]:
            each.close()

    def _accept(self):
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            host, _, port = self._to.rpartition(":")
            far = socket.create_connection((host, int(port)))
            self._open += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._copy, args=[self.connections, source, sink], daemon=True).start()
            self.connections += 1

    def _copy(self, number, source, sink):
        try:
            while piece := source.recv(2**16):
                if number not in self._silent:
                    sink.sendall(piece)
        except OSError:
            pass


@pytest.fixture
def relay(server):
    running = Relay(server.address)
    yield running
    running.close()


def test_a_call_to_a_peer_that_vanished_is_asked_over_a_new_connection(connect, server, relay):
    with connect(relay.address, "reviews", keepalive=Keepalive(0.2, 0.3), deadline=60) as client:
        client.predict("a")
        relay.silence()
        assert client.predict("0.25").label == "negative"
        assert relay.connections == 2 and client.stats.retries >= 1


def test_a_stock_server_takes_the_pings_of_the_default():
    options = dict(Keepalive().options)
    assert options["grpc.keepalive_time_ms"] > 300_000 and options["grpc.keepalive_permit_without_calls"] == 0
    assert options["grpc.keepalive_timeout_ms"] < 10_000, "the deadline of a call, which may then be tried again"


@pytest.mark.parametrize("settings", [(0, 1), (1, 0), (float("inf"), 1)])
def test_wrong_settings(settings):
    with pytest.raises(ValueError, match="keepalive takes positive seconds"):
        Keepalive(*settings)
