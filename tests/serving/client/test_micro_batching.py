"""Calls that come at once in requests that they share: own rows, own errors, own deadlines."""

import asyncio
import concurrent.futures

import grpc
import pytest

from serving.client import AsyncClient, MicroBatching, SlipwayError

CALLERS = 32
TEXTS = [f"0.{number:04d}" for number in range(CALLERS)]
PATIENT = MicroBatching(max_rows=CALLERS, max_wait=30)  # a request leaves when it is full


def score(answer):
    return f"{answer.probabilities['positive']:.4f}"


def sizes(server):
    return [len(request.inputs["text"].string_val) for request in server.asked("serving_default")]


@pytest.fixture
def callers():
    with concurrent.futures.ThreadPoolExecutor(CALLERS) as pool:
        yield pool


def test_callers_at_once_share_one_request_and_get_their_own(connect, server, callers):
    with connect(server.address, "reviews", micro_batching=PATIENT, deadline=60) as client:
        assert [score(answer) for answer in callers.map(client.predict, TEXTS)] == TEXTS
        assert sizes(server) == [CALLERS]


def test_a_caller_may_bring_several_texts(connect, server, callers):
    calls = [TEXTS[first : first + 4] for first in range(0, CALLERS, 4)]
    with connect(server.address, "reviews", micro_batching=PATIENT, deadline=60) as client:
        answers = list(callers.map(client.predict, calls))
        assert [[score(answer) for answer in each] for each in answers] == calls and sizes(server) == [CALLERS]
        assert len(client.predict(TEXTS + ["0.5"])) == CALLERS + 1 and client.predict([]) == []


def test_nobody_waits_longer_than_told_for_others(connect, server):
    with connect(server.address, "reviews", micro_batching=MicroBatching(max_rows=64, max_wait=0.01)) as client:
        assert score(client.predict("0.2500")) == "0.2500" and sizes(server) == [1]


def test_signatures_do_not_mix(connect, server, callers):
    with connect(server.address, "reviews", micro_batching=MicroBatching(2, 30), deadline=60) as client:
        told = [{"signature": "embed"}, {}, {"signature": "embed"}, {}]
        first, second, third, fourth = callers.map(lambda settings: client.predict("0.25", **settings), told)
    assert first.to_dict() == third.to_dict() == {"embedding": [4, 1]} and second == fourth


def test_one_bad_text_fails_nobody_else(connect, server, callers):
    server.poison = b"bad"

    def ask(text):
        try:
            return score(client.predict(text))
        except SlipwayError as error:
            return error.code

    with connect(server.address, "reviews", micro_batching=PATIENT, deadline=60) as client:
        assert list(callers.map(ask, [*TEXTS[:-1], "bad"])) == [*TEXTS[:-1], "INVALID_ARGUMENT"]
    assert sizes(server) == [CALLERS] + [1] * CALLERS


def test_an_error_of_the_server_is_each_callers_own(connect, server, callers):
    def ask(text):
        with pytest.raises(SlipwayError) as caught:
            client.predict(text)
        return caught.value

    with connect(server.address, "reviews", micro_batching=PATIENT, deadline=60) as client:
        server.failures = [None, grpc.StatusCode.RESOURCE_EXHAUSTED]
        errors = list(callers.map(ask, TEXTS))
    assert {error.code for error in errors} == {"RESOURCE_EXHAUSTED"} and sizes(server) == [CALLERS]
    assert len(set(map(id, errors))) == CALLERS, "a traceback grows on each of its own"


def test_each_waits_for_its_own_deadline(connect, server, callers):
    with connect(server.address, "reviews", micro_batching=MicroBatching(2, 30), deadline=60) as client:
        client.predict(["a", "b"])
        server.seconds = 0.6
        hasty = callers.submit(client.predict, "0.1000", deadline=0.2)
        patient = callers.submit(client.predict, "0.2000")
        with pytest.raises(SlipwayError, match="no answer within 0.2 s"):
            hasty.result()
        assert score(patient.result()) == "0.2000"


def test_a_server_that_takes_fewer_rows_is_asked_in_fewer(connect, server, callers):
    server.max_rows = 5
    with connect(server.address, "reviews", micro_batching=PATIENT, deadline=60) as client:
        assert [score(answer) for answer in callers.map(client.predict, TEXTS)] == TEXTS


def test_a_task_that_is_cancelled_takes_nobody_with_it(server):
    async def ask():
        settings = {"micro_batching": MicroBatching(2, 30), "deadline": 60}
        async with AsyncClient(server.address, "reviews", **settings) as client:
            await client.predict(["a", "b"])
            server.seconds = 0.3
            gone, stays = asyncio.create_task(client.predict("0.1")), asyncio.create_task(client.predict("0.2000"))
            await asyncio.sleep(0.1)
            gone.cancel()
            return score(await stays), gone.cancelled() or gone.cancelling()

    assert asyncio.run(ask()) == ("0.2000", 1)


def test_one_client_in_two_event_loops(server, callers):
    client = AsyncClient(server.address, "reviews", micro_batching=MicroBatching(8, 0.02))

    async def ask(texts):
        return [score(answer) for answer in await asyncio.gather(*map(client.predict, texts))]

    halves = [TEXTS[:16], TEXTS[16:]]
    assert list(callers.map(lambda texts: asyncio.run(ask(texts)), halves)) == halves


def test_a_closed_client_says_so(connect, server):
    with connect(server.address, "reviews", micro_batching=MicroBatching()) as client:
        client.predict("a")
        client.close()
        with pytest.raises(ValueError, match="is closed; make a new one"):
            client.predict("a")


@pytest.mark.parametrize(
    ("settings", "message"), [({"max_rows": 0}, "max_rows must be 1 or more"), ({"max_wait": -1}, "max_wait must be")]
)
def test_wrong_settings(connect, settings, message):
    with pytest.raises(ValueError, match=message):
        MicroBatching(**settings)
    with pytest.raises(TypeError, match="micro_batching is bool; give MicroBatching"):
        connect("localhost:8500", "reviews", micro_batching=True)
