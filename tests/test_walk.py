"""What the client is asked and answers over a served version that was trained: many texts, odd ones, none.

That it answers as the trained model does is asserted of every task in tests/test_tasks.py.
"""

import numpy as np
import pytest

from serving.client import Client
from serving.release.publish import publish
from tests.serving.server.running import Server


@pytest.fixture(scope="module")
def address(walked, tmp_path_factory):
    """Address of a server over the published version."""
    base_path = tmp_path_factory.mktemp("models") / "tiny"
    publish(walked("classification").workdir, base_path)
    with Server(base_path, "--port=0", "--engine=embedded") as server:
        ready = server.ready()
        assert (ready["model"], ready["version"]) == ("tiny", "1")
        yield ready["grpc"]
        assert server.stop() == 0


@pytest.fixture(scope="module")
def client(address):
    with Client(address, model="tiny", deadline=120) as client:
        yield client


def test_ten_thousand_texts_keep_their_order(client):
    words = ("good", "bad", "great", "awful", "the film is dull", "a bright plot of life")
    texts = [f"{words[i % 6]} {'x' * (i % 11)}" for i in range(10_000)]
    scores = np.array([answer.score for answer in client.predict(texts)])
    alone = {text: client.predict(text).score for text in texts[:66]}
    np.testing.assert_allclose(scores, [alone[text] for text in texts], atol=1e-5)


@pytest.mark.parametrize(
    ("text", "truncated"),
    [
        ("", False),
        ("good\x00 film", False),
        ("good \ud800 film", False),
        ("good film " * 100_000, True),
        ("x" * 1_000_000, False),  # one word, and one unknown token
        (" " * 1_100_000 + "good", True),  # beyond 1 MiB
    ],
    ids=["empty", "NUL", "lone surrogate", "1 MB of words", "1 MB word", "beyond 1 MiB"],
)
def test_odd_texts_are_answered(client, text, truncated):
    answer = client.predict(text)
    assert answer.truncated is truncated
    assert sum(answer.probabilities.values()) == pytest.approx(1, abs=1e-5)


def test_nothing_asked_nothing_sent(address):
    with Client("127.0.0.1:1", model="reviews") as nowhere:
        assert nowhere.predict([]) == []


def test_characters_without_meaning_change_nothing(client):
    plain = client.predict("good film").probabilities
    assert client.predict("good\x00 film").probabilities == pytest.approx(plain, abs=1e-6)
    assert client.predict("good \ud800film").probabilities == pytest.approx(plain, abs=1e-6)
