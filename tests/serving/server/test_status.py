"""Whatever goes wrong becomes a status, in words that a caller may see."""

import grpc
import pytest
from absl import logging

from serving.server.status import StatusError, invalid, logged, status_of

INVALID, INTERNAL = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.INTERNAL


def raised(error):
    """The error as it is in an except clause."""
    try:
        raise error
    except type(error) as caught:
        return caught


def test_words_of_the_session_that_are_no_utf8_stay_its_words():
    said = b"Could not parse example input, value: '\xed\xa0'"
    with pytest.raises(UnicodeDecodeError) as caught:
        said.decode()
    status = status_of(caught.value)
    assert (status.code, status.message) == (INVALID, "Could not parse example input, value: '\ufffd\ufffd'")


@pytest.mark.parametrize(
    ("error", "lines"),
    [
        (StatusError(INTERNAL, "Exception deserializing request!"), 0),
        (invalid("Missing ModelSpec"), 0),
        (ValueError("shape"), 0),
        (KeyError("text"), 1),
    ],
)
def test_only_what_nobody_meant_is_logged(monkeypatch, error, lines):
    told = []
    monkeypatch.setattr(logging, "error", lambda *_, **__: told.append(1))
    logged(raised(error))
    assert len(told) == lines
