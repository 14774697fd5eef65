"""A version whose runs wait for others of the same tensors and are made together.

Source: BatchingSession in tensorflow_serving/batching/batching_session.cc. As there, each set of input and output
tensors has a queue of its own, so that requests with an output filter are batched among themselves.
"""

import concurrent.futures
import contextlib
import threading

import numpy as np

from serving.server import deadline, merged
from serving.server.batch_queue import BatchQueue
from serving.server.warmed_version import WarmedVersion


class Task:
    """One run: its inputs `{tensor name: array}` and, in `outputs`, the arrays that become of them."""

    def __init__(self, inputs, rows):
        self.inputs, self.rows = inputs, rows
        self.outputs = concurrent.futures.Future()
        self._done, self._lock = {}, threading.Lock()

    def finish(self, start, arrays):
        """Takes the outputs of the rows that begin at `start`."""
        with self._lock:
            self._done[start] = arrays
            whole = sum(len(each[0]) for each in self._done.values()) == self.rows
        if whole and not self.outputs.done():
            parts = [self._done[key] for key in sorted(self._done)]
            self._settle(parts[0] if len(parts) == 1 else [np.concatenate(each) for each in zip(*parts, strict=True)])

    def fail(self, error):
        """Ends the run with an error."""
        self._settle(error)

    def _settle(self, result):
        settle = self.outputs.set_exception if isinstance(result, Exception) else self.outputs.set_result
        # Settled before: the caller has gone, or another part has failed.
        with contextlib.suppress(concurrent.futures.InvalidStateError):
            settle(result)


class BatchedVersion(WarmedVersion):
    """A ServedVersion whose runs go through a BatchScheduler, batched by BatchingParameters."""

    def __init__(self, version_dir, scheduler, parameters):
        self._scheduler, self._parameters = scheduler, parameters
        self._queues, self._making = {}, threading.Lock()
        super().__init__(version_dir)

    def run_tensors(self, feeds, names):
        """As of ServedVersion, and StatusError where the queue is full or the caller's time is up."""
        wanted = sorted(set(names))
        task = Task(feeds, merged.rows_of(feeds))
        self._scheduler.put(self._queue(tuple(sorted(feeds)), tuple(wanted)), task, task.rows)
        try:
            arrays = task.outputs.result(deadline.left())
        except TimeoutError:
            task.outputs.cancel()  # nobody waits for it any more
            raise deadline.exceeded() from None
        found = dict(zip(wanted, arrays, strict=True))
        return [found[name] for name in names]

    def close(self):
        """Lets the queues run empty, then frees the session."""
        for queue in self._queues.values():
            self._scheduler.remove(queue)
        super().close()

    def _queue(self, inputs, outputs):
        with self._making:
            key = inputs, outputs
            if key not in self._queues:
                self._queues[key] = BatchQueue(self._parameters)
                self._scheduler.add(self._queues[key], lambda parts: self._process(parts, outputs))
            return self._queues[key]

    def _process(self, parts, names):
        parts = [part for part in parts if not part.task.outputs.done()]
        if not parts:
            return
        try:
            results = self._run_parts(parts, names)
        except Exception as error:
            for part in parts:
                part.task.fail(error)
            return
        for part, arrays in zip(parts, results, strict=True):
            part.task.finish(part.start, arrays)

    def _run_parts(self, parts, names):
        """For each part the arrays of its rows, a list in the order of `names`."""
        sizes = [part.stop - part.start for part in parts]
        rows = self._parameters.padded(sum(sizes))
        cut = [{name: array[part.start : part.stop] for name, array in part.task.inputs.items()} for part in parts]
        inputs = merged.merged(cut, rows, self._parameters.pad_variable_length_inputs)
        return merged.split(super().run_tensors(inputs, list(names)), sizes, rows)
