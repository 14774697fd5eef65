"""A fake server and a client of it; every test that takes `connect` or `client` runs with both clients."""

import pytest

from .fake_server import FakeServer
from .twins import TWINS


@pytest.fixture
def server():
    with FakeServer() as running:
        yield running


@pytest.fixture(params=TWINS)
def connect(request):
    """Client, or AsyncClient behind the same face."""
    return TWINS[request.param]


@pytest.fixture
def one_at_a_time(connect):
    """Settings with which both clients have one request under way, so that their order is known."""
    return {"max_in_flight": 1} if connect is TWINS["AsyncClient"] else {}


@pytest.fixture
def client(server, connect):
    with connect(server.address, "reviews") as open_client:
        yield open_client
