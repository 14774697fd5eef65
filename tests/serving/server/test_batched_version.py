import concurrent.futures
import threading
import time

import grpc
import numpy as np
import pytest
import tensorflow as tf

from serving.exchange import strings
from serving.loader import ServedVersion
from serving.server import deadline
from serving.server.batch_scheduler import BatchScheduler
from serving.server.batched_version import BatchedVersion
from serving.server.batching_parameters import BatchingParameters
from serving.server.status import StatusError

CALLERS = 12


@pytest.fixture
def scheduler():
    scheduler = BatchScheduler(1)
    yield scheduler
    scheduler.close()


@pytest.fixture
def runs(monkeypatch):
    """Numbers of rows of every run of a session, as they happen."""
    seen, plain = [], ServedVersion.run_tensors

    def run_tensors(self, feeds, names):
        seen.append(len(next(iter(feeds.values()))))
        return plain(self, feeds, names)

    monkeypatch.setattr(ServedVersion, "run_tensors", run_tensors)
    return seen


def asked(version, text):
    return version.run("serving_default", {"text": strings([text])})


def test_requests_at_the_same_time_run_together_and_get_their_own_rows(versions, scheduler, runs):
    parameters = BatchingParameters(max_batch_size=CALLERS, batch_timeout_micros=60_000_000)
    texts = ["x" * length for length in range(CALLERS)]
    with (
        ServedVersion(versions["a"]) as plain,
        BatchedVersion(versions["a"], scheduler, parameters) as version,
        concurrent.futures.ThreadPoolExecutor(CALLERS) as pool,
    ):
        together = list(pool.map(lambda text: asked(version, text), texts))
        assert runs == [CALLERS]
        for text, found in zip(texts, together, strict=True):
            alone = asked(plain, text)
            assert found.keys() == alone.keys()
            np.testing.assert_allclose(found["probabilities"], alone["probabilities"], atol=1e-6)
            assert found["label"].tolist() == alone["label"].tolist()


def test_a_batch_is_filled_up_to_an_allowed_size(versions, scheduler, runs):
    parameters = BatchingParameters(max_batch_size=8, allowed_batch_sizes=(2, 8))
    with BatchedVersion(versions["a"], scheduler, parameters) as version:
        assert version.run("serving_default", {"text": strings(["a", "b", "c"])})["score"].shape == (3,)
        asked(version, "a")
    assert runs == [8, 2]


def test_a_large_request_is_cut_and_put_together_again(versions, scheduler, runs):
    parameters = BatchingParameters(max_batch_size=20, enable_large_batch_splitting=True, max_execution_batch_size=3)
    texts = strings(["x" * length for length in range(8)])
    with ServedVersion(versions["a"]) as plain, BatchedVersion(versions["a"], scheduler, parameters) as version:
        cut = version.run("serving_default", {"text": texts})
        assert runs == [3, 3, 2]
        whole = plain.run("serving_default", {"text": texts})
        np.testing.assert_allclose(cut["probabilities"], whole["probabilities"], atol=1e-6)


def test_other_outputs_are_batched_among_themselves(versions, scheduler, runs):
    parameters = BatchingParameters(max_batch_size=2, batch_timeout_micros=0)
    with BatchedVersion(versions["a"], scheduler, parameters) as version:
        signature = version.signatures["serving_default"]
        feed = {signature.inputs["text"].name: strings(["a"])}
        score, label = signature.outputs["score"].name, signature.outputs["label"].name
        assert version.run_tensors(feed, [score, label, score])[1].tolist() == [b"positive"]
        assert len(version.run_tensors(feed, [score])) == 1


def test_the_error_of_a_run_reaches_all_who_waited_for_it(versions, scheduler):
    parameters = BatchingParameters(max_batch_size=2, batch_timeout_micros=60_000_000)
    with (
        BatchedVersion(versions["a"], scheduler, parameters) as version,
        concurrent.futures.ThreadPoolExecutor(2) as pool,
    ):
        ask = {"text": strings(["no number"])}
        for future in [pool.submit(version.run, "spin", ask) for _ in range(2)]:
            with pytest.raises(tf.errors.InvalidArgumentError, match="StringToNumberOp"):
                future.result()


def test_who_waits_no_more_is_not_worked_for_and_closing_does_not_hang(versions, scheduler, runs):
    parameters = BatchingParameters(max_batch_size=8)
    version = BatchedVersion(versions["a"], scheduler, parameters)
    with deadline.until(time.monotonic() + 0.05), pytest.raises(StatusError) as late:
        version.run("serving_default", {"text": strings([])})
    assert late.value.code == grpc.StatusCode.DEADLINE_EXCEEDED
    closing = threading.Thread(target=version.close)
    closing.start()
    closing.join(30)
    assert not closing.is_alive() and runs == []
