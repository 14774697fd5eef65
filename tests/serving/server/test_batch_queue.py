import math

import grpc
import pytest

from serving.server.batch_queue import BatchQueue
from serving.server.batching_parameters import BatchingParameters
from serving.server.status import StatusError


def queue_of(**fields):
    return BatchQueue(BatchingParameters(**{"max_batch_size": 4, "max_enqueued_batches": 2, **fields}))


def cut(parts):
    return [(part.task, part.start, part.stop) for part in parts]


def refusal(queue, rows):
    with pytest.raises(StatusError) as caught:
        queue.put("late", rows, 0.0)
    return caught.value.code, caught.value.message


def test_tasks_share_a_batch_until_it_is_full():
    queue = queue_of(batch_timeout_micros=10**6)
    for name, rows in (("a", 1), ("b", 3), ("c", 2)):
        queue.put(name, rows, 0.0)
    assert cut(queue.take(0.0)) == [("a", 0, 1), ("b", 0, 3)]
    assert queue.take(0.0) is None, "the open batch has room, and time left"
    assert cut(queue.take(1.0)) == [("c", 0, 2)]


def test_a_task_that_does_not_fit_closes_the_open_batch():
    queue = queue_of(batch_timeout_micros=10**6)
    queue.put("a", 3, 0.0)
    queue.put("b", 2, 0.0)
    assert queue.due() == 0.0
    assert cut(queue.take(0.0)) == [("a", 0, 3)]


def test_the_time_runs_from_the_first_task_of_a_batch():
    queue = queue_of(batch_timeout_micros=500_000)
    assert queue.due() == math.inf
    queue.put("a", 1, 2.0)
    queue.put("b", 1, 2.4)
    assert queue.due() == 2.5
    assert queue.take(2.49) is None
    assert cut(queue.take(2.5)) == [("a", 0, 1), ("b", 0, 1)]


def test_without_a_timeout_every_batch_is_due_at_once():
    queue = queue_of()
    queue.put("a", 1, 7.0)
    assert cut(queue.take(7.0)) == [("a", 0, 1)]


def test_a_task_without_rows_waits_for_company():
    queue = queue_of()
    queue.put("empty", 0, 0.0)
    assert queue.due() == math.inf and queue.take(1e9) is None
    queue.put("a", 1, 1.0)
    assert cut(queue.take(1.0)) == [("empty", 0, 0), ("a", 0, 1)]


def test_a_closed_queue_gives_what_it_has():
    queue = queue_of(batch_timeout_micros=10**9)
    queue.put("empty", 0, 0.0)
    queue.closed = True
    assert cut(queue.take(0.0)) == [("empty", 0, 0)]
    assert not queue.is_empty(), "the batch runs"
    queue.running -= 1
    assert queue.is_empty()


def test_too_many_rows_are_refused_and_take_no_room():
    queue = queue_of()
    assert refusal(queue, 5) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "Task size 5 is larger than maximum input batch size 4",
    )
    assert queue.is_empty()


def test_a_full_queue_refuses_until_a_batch_is_taken():
    queue = queue_of(batch_timeout_micros=10**9)
    queue.put("a", 4, 0.0)
    queue.put("b", 3, 0.0)
    code, message = refusal(queue, 2)
    assert code == grpc.StatusCode.UNAVAILABLE
    assert message.endswith("is full; currently 2 batches enqueued and max_enqueued_batches is 2")
    queue.put("c", 1, 0.0)  # the open batch still has a row
    queue.take(0.0)
    queue.put("d", 4, 0.0)


SPLITTING = {"max_batch_size": 8, "max_execution_batch_size": 3, "enable_large_batch_splitting": True}


def test_a_large_task_fills_the_open_batch_and_goes_on_in_others():
    queue = queue_of(**SPLITTING, max_enqueued_batches=4, batch_timeout_micros=10**9)
    queue.put("a", 2, 0.0)
    queue.put("b", 6, 0.0)
    assert cut(queue.take(0.0)) == [("a", 0, 2), ("b", 0, 1)]
    assert cut(queue.take(0.0)) == [("b", 1, 4)]
    assert queue.take(0.0) is None
    assert cut(queue.take(1e6)) == [("b", 4, 6)]


def test_a_large_task_is_refused_where_its_parts_have_no_room():
    queue = queue_of(**SPLITTING)
    queue.put("a", 2, 0.0)
    code, message = refusal(queue, 5)
    assert code == grpc.StatusCode.UNAVAILABLE
    assert "task size is 5 but scheduling capacity is only 4 (num_enqueued_batches=1, max_enqueued_batches=2" in message
    queue.put("b", 4, 0.0)
