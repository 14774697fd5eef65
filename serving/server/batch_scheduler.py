"""The threads that make batches of every queue, one queue after the other.

Source: SharedBatchScheduler in tensorflow/core/kernels/batching_util/shared_batch_scheduler.h.
"""

import threading
import time


class BatchScheduler:
    """`num_batch_threads` threads, shared by all models; close it when no queue is left."""

    def __init__(self, num_batch_threads):
        self._changed = threading.Condition()
        self._queues = []  # (BatchQueue, what makes its batches), the next to be looked at first
        self._closed = False
        self._threads = [
            threading.Thread(target=self._work, name=f"batch_{number}", daemon=True)
            for number in range(num_batch_threads)
        ]
        for thread in self._threads:
            thread.start()

    def add(self, queue, process):
        """Serves a BatchQueue: `process(parts)` is called with each of its batches and must not raise."""
        with self._changed:
            self._queues.append((queue, process))

    def put(self, queue, task, rows):
        """Adds a task to a queue; StatusError where the queue does not take it."""
        with self._changed:
            queue.put(task, rows, time.monotonic())
            self._changed.notify_all()

    def remove(self, queue):
        """Returns when every task of the queue is done; no more may be put."""
        with self._changed:
            queue.closed = True
            self._changed.notify_all()
            self._changed.wait_for(queue.is_empty)
            self._queues = [each for each in self._queues if each[0] is not queue]

    def close(self):
        """Ends the threads."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _work(self):
        while (found := self._next()) is not None:
            queue, process, parts = found
            process(parts)
            with self._changed:
                queue.running -= 1
                self._changed.notify_all()

    def _next(self):
        """(queue, process, parts) of a batch that is due, once there is one; None when the scheduler is closed."""
        with self._changed:
            while not self._closed:
                now = time.monotonic()
                for index, (queue, process) in enumerate(self._queues):
                    if (parts := queue.take(now)) is not None:
                        self._queues = [*self._queues[index + 1 :], *self._queues[: index + 1]]
                        return queue, process, parts
                due = min((queue.due() for queue, _ in self._queues), default=float("inf"))
                self._changed.wait(None if due == float("inf") else max(due - now, 0))
        return None
