"""Tokens: what is sent, what is refused, and where they never stand."""

import itertools
import logging

import grpc
import pytest

from serving.client import SlipwayError

from .certificates import Certificates
from .fake_server import FakeServer

SECRET = "s3cr3t.of-the~house"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certificates"))


def test_a_token_goes_with_every_call(connect, server):
    with connect(server.address, "reviews", token=SECRET) as client:
        client.predict("a")
    assert server.tokens == [f"Bearer {SECRET}"] * 2


def test_a_callable_is_asked_at_every_try(connect, server):
    turns = itertools.count()
    with connect(server.address, "reviews", token=lambda: f"t{next(turns)}") as client:
        server.failures = [None, grpc.StatusCode.UNAVAILABLE]
        client.predict("a")
    assert server.tokens == ["Bearer t0", "Bearer t1", "Bearer t2"]


@pytest.mark.parametrize("target", ["models.example:8500", "localhost:8500,10.0.0.7:8500", "127.example:8500"])
def test_a_token_is_not_sent_in_clear(connect, target):
    with pytest.raises(ValueError, match=r"would go to \S+ in clear; give tls=True .* or say token_in_clear") as caught:
        connect(target, "reviews", token=SECRET)
    assert SECRET not in str(caught.value) and "\n" not in str(caught.value)
    connect(target, "reviews", token=SECRET, token_in_clear=True).close()
    connect(target, "reviews", token=SECRET, tls=True).close()


def test_a_token_goes_over_tls(connect, certificates):
    with certificates.server() as server:
        with connect(server.address, "reviews", tls=certificates.tls(), token=SECRET) as client:
            client.predict("a")
        assert server.tokens == [f"Bearer {SECRET}"] * 2


def test_no_error_and_no_log_holds_the_token(connect, caplog):
    caplog.set_level(logging.DEBUG)
    with Echo() as server, connect(server.address, "reviews", token=lambda: SECRET) as client:
        with pytest.raises(SlipwayError) as caught:
            client.predict("a")
        assert "no such caller: Bearer [token]" in str(caught.value) and caught.value.code == "UNAUTHENTICATED"
        assert SECRET not in repr(caught.value) + caplog.text + client.stats.prometheus() + repr(vars(client))


class Echo(FakeServer):
    """A server that repeats what it was shown."""

    def Predict(self, request, context):
        shown = dict(context.invocation_metadata())["authorization"]
        context.abort(grpc.StatusCode.UNAUTHENTICATED, f"no such caller: {shown}")


@pytest.mark.parametrize("token", ["", "a b", "a\nb", "é"])
def test_a_token_that_no_header_carries(connect, server, token):
    with pytest.raises(ValueError, match="token is empty or holds spaces, line ends or characters beyond ASCII"):
        connect(server.address, "reviews", token=token)
    with connect(server.address, "reviews", token=lambda: token) as client, pytest.raises(ValueError, match="token is"):
        client.predict("a")
    with connect(server.address, "reviews", token=lambda: 3) as client, pytest.raises(TypeError, match="token is int"):
        client.predict("a")
