"""Runs of one kind that wait to be made together: a queue of batches, of which the last one is still open.

Source: Queue in tensorflow/core/kernels/batching_util/shared_batch_scheduler.h. Not for several threads at once.
"""

import collections
import dataclasses

import grpc

from serving.server.status import StatusError, invalid

_FULL = "The batch scheduling queue to which this task was submitted is full; "


@dataclasses.dataclass(frozen=True)
class Part:
    """Rows start … stop of a task."""

    task: object
    start: int
    stop: int


class _Batch:
    def __init__(self):
        self.parts, self.rows, self.since = [], 0, None


class BatchQueue:
    """Tasks go in with their number of rows, batches of Parts come out; times are seconds of one clock."""

    def __init__(self, parameters):
        """parameters: BatchingParameters."""
        self._parameters = parameters
        self._batches = collections.deque([_Batch()])
        self.running = 0  # batches that were taken and are not done
        self.closed = False

    def put(self, task, rows, now):
        """Adds a task. INVALID_ARGUMENT for one that is too large, UNAVAILABLE where the queue is full."""
        self._check_room(rows)
        room = self._parameters.most_rows - self._batches[-1].rows
        start = 0
        for size in self._sizes(rows, room):
            if self._batches[-1].rows + size > self._parameters.most_rows:
                self._batches.append(_Batch())
            batch = self._batches[-1]
            if not batch.parts:
                batch.since = now
            batch.parts.append(Part(task, start, start + size))
            batch.rows += size
            start += size

    def take(self, now):
        """The Parts of the next batch that is due; None where there is none."""
        if len(self._batches) == 1 and self.due() <= now:
            self._batches.append(_Batch())
        if len(self._batches) < 2:
            return None
        self.running += 1
        return self._batches.popleft().parts

    def due(self):
        """When the first batch may run; infinity where there are no rows: one without any waits for company."""
        first = self._batches[0]
        if len(self._batches) > 1 or first.rows >= self._parameters.most_rows:
            return 0.0
        if not first.rows:
            return 0.0 if self.closed and first.parts else float("inf")
        return 0.0 if self.closed else first.since + self._parameters.batch_timeout_micros / 1e6

    def is_empty(self):
        """Whether nothing waits and nothing runs."""
        return not self.running and len(self._batches) == 1 and not self._batches[0].parts

    def _sizes(self, rows, room):
        """Rows of each part of a task, of which the open batch has `room` for the first."""
        most = self._parameters.most_rows
        if rows <= room or not self._parameters.enable_large_batch_splitting:
            return [rows]
        first = [room] if room else []
        rest = rows - room
        return first + [most] * (rest // most) + ([rest % most] if rest % most else [])

    def _check_room(self, rows):
        limits, open_rows = self._parameters, self._batches[-1].rows
        if rows > limits.max_batch_size:
            raise invalid(f"Task size {rows} is larger than maximum input batch size {limits.max_batch_size}")
        count, most = len(self._batches), limits.max_enqueued_batches
        if limits.enable_large_batch_splitting:
            capacity = (most - count) * limits.most_rows + limits.most_rows - open_rows
            if rows > capacity:
                raise _full(
                    f"task size is {rows} but scheduling capacity is only {capacity} (num_enqueued_batches={count}, "
                    f"max_enqueued_batches={most}, open_batch_size={open_rows}, "
                    f"max_execution_batch_size={limits.most_rows})"
                )
        elif open_rows + rows > limits.max_batch_size and count >= most:
            raise _full(f"currently {count} batches enqueued and max_enqueued_batches is {most}")


def _full(reason):
    return StatusError(grpc.StatusCode.UNAVAILABLE, _FULL + reason)
