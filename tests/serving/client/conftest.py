"""A fake server and a client of it."""

import pytest

from serving.client import Client

from .fake_server import FakeServer


@pytest.fixture
def server():
    with FakeServer() as running:
        yield running


@pytest.fixture
def client(server):
    with Client(server.address, "reviews") as open_client:
        yield open_client
