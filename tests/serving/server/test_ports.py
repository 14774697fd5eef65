import socket

import pytest

from serving.contract import ServingError
from serving.server import ports


def test_chooses_a_free_port_for_0():
    assert ports.claim("127.0.0.1", 0) > 0


@pytest.mark.parametrize("shared", [False, True])
def test_a_taken_port_is_an_error_even_where_the_other_would_share_it(shared):
    with socket.socket() as other:
        if shared:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ServingError, match=f"--port={port} on 127.0.0.1") as refused:
            ports.claim("127.0.0.1", port)
    assert refused.value.exit_code == 5
    assert ports.claim("127.0.0.1", port) == port


def test_a_taken_rest_port_is_named_by_its_flag():
    with ports.listener("127.0.0.1", 0, "--port") as other:
        port = other.getsockname()[1]
        said = f"^--rest_api_port={port} on .*--rest_api_port=0 does without"
        with pytest.raises(ServingError, match=said) as refused:
            ports.listener("127.0.0.1", port, "--rest_api_port")
    assert refused.value.exit_code == 5


def test_an_unknown_host_is_an_error():
    with pytest.raises(ServingError, match="--host=no-such-host: "):
        ports.claim("no-such-host", 0)


def test_addresses_that_can_be_dialled():
    assert ports.address("0.0.0.0", 8500) == "127.0.0.1:8500"
    assert ports.address("::", 8500) == "[::1]:8500"
    assert ports.address("10.0.0.7", 8500) == "10.0.0.7:8500"
