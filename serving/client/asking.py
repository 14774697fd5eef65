"""What is asked of a model in TensorFlow Serving, once for both clients: text in, typed results out."""

import time

from . import protos
from .batches import columns_of, split
from .channel import Deadline
from .described import SERVING_DEFAULT, Described
from .errors import SlipwayError, refused
from .limits import Limits
from .micro_batching import Joining
from .results import VersionStatus
from .rows import rows_of
from .tensors import decode, encode, put_strings

_MAX_BATCH_BYTES = 4 * 2**20
_NOT_YET = {"UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED", "RESOURCE_EXHAUSTED", "NOT_FOUND"}
_UNKNOWN_LABEL = {"INVALID_ARGUMENT", "FAILED_PRECONDITION"}
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0  # seconds between two looks of ready()
_SHORTEST_LOOK = 0.5  # seconds that one look may take, even where ready(0) is asked


class Asking:
    """One model at the server of a channel.Channel, asked in coroutines that wait only through that channel.

    The arguments are those of `Client`, which also says what each method does.
    """

    def __init__(self, channel, version, label, deadline, max_batch_size, micro_batching=None):
        if version is not None and label is not None:
            raise ValueError("give version or label, not both")
        if not channel.model:
            raise ValueError("give the model's name, as in the server's --model_name")
        if version is not None and not (isinstance(version, int) and 0 <= version < 2**63):
            raise ValueError(f"version must be a whole number, as in the server's folder, not {version!r}")
        if max_batch_size < 1:
            raise ValueError(f"max_batch_size must be 1 or more, not {max_batch_size}")
        self._channel, self._seconds = channel, Deadline(deadline).seconds
        self._version, self._label, self._limits = version, label, Limits(max_batch_size, _MAX_BATCH_BYTES)
        self._described = Described(channel, self._spec)
        self._joining = None if micro_batching is None else Joining(channel, micro_batching, self._results)

    async def predict(self, texts, text_pairs, signature, deadline):
        columns, one = columns_of(texts, text_pairs)
        signature, whole = signature or SERVING_DEFAULT, None if deadline is None else Deadline(deadline)
        if self._joining and self._joining.takes(columns):
            results = await self._joining.results(signature, columns, whole or self._deadline(None))
        else:
            results = await self._results(signature, columns, whole)
        return results[0] if one else results

    async def _results(self, signature, columns, whole):
        """The results of all rows, in as many requests as they need. whole: the Deadline of all of them, or None."""
        results, done = [None] * len(columns[0]), 0

        async def ask(batch):
            nonlocal done
            within = whole or self._deadline(None)
            names = await self._described.text_inputs(signature, len(columns), within)
            all_rows = len(batch) == len(results)  # and then in their order
            rows = columns if all_rows else [[column[row] for row in batch] for column in columns]
            answers = await self._within_limits(signature, names, rows, within)
            if all_rows:
                results[:] = answers
            else:
                for row, answer in zip(batch, answers, strict=True):
                    results[row] = answer
            done += len(batch)

        try:
            await self._channel.each(ask, split(columns, self._limits.rows, self._limits.bytes))
        except SlipwayError as error:
            raise _after(error, done, len(results)) from None
        return results

    async def _within_limits(self, signature, names, rows, deadline):
        """The results of rows that were meant for one request; of parts of them where the server takes smaller ones."""
        count = len(rows[0])
        if count <= self._limits.rows:
            try:
                return await self._predict_batch(signature, dict(zip(names, rows, strict=True)), count, deadline)
            except SlipwayError as error:
                if not self._limits.learn(error, count, sum(sum(map(len, column)) for column in rows)):
                    raise
                self._channel.stats.count("halvings")
        size, results = min(self._limits.rows, (count + 1) // 2), []
        for first in range(0, count, size):
            part = [column[first : first + size] for column in rows]
            results += await self._within_limits(signature, names, part, deadline)
        return results

    async def raw(self, inputs, signature, deadline):
        request = self._request(signature or SERVING_DEFAULT)
        for name, value in inputs.items():
            request.inputs[name].CopyFrom(encode(value))
        response = await self._predict(request, self._deadline(deadline))
        try:
            return {name: decode(tensor) for name, tensor in response.outputs.items()}
        except ValueError as error:
            raise self._unreadable(error) from None

    async def contract(self):
        described = await self._described.current(self._deadline(None))
        return described if "schema_version" in described else {}

    async def status(self, deadline):
        request = protos.GetModelStatusRequest(model_spec=self._spec())
        response = await self._channel.call("GetModelStatus", request, self._deadline(deadline))
        found = [
            VersionStatus(
                entry.version, protos.VersionState.get(entry.state, str(entry.state)), entry.status.error_message
            )
            for entry in response.model_version_status
        ]
        return sorted(found, key=lambda entry: -entry.version)

    async def ready(self, timeout):
        until, pause = time.monotonic() + timeout, _FIRST_PAUSE
        while not await self._is_available(Deadline(max(until - time.monotonic(), _SHORTEST_LOOK))):
            if time.monotonic() + pause > until:
                return False
            await self._channel.pause(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        return True

    async def _is_available(self, deadline):
        not_yet = _NOT_YET
        try:
            if not any(entry.state == "AVAILABLE" for entry in await self.status(deadline.left())):
                return False
            if self._label:  # of which GetModelStatus takes no notice
                not_yet = _NOT_YET | _UNKNOWN_LABEL
                self._described.forget()
                await self._described.current(deadline)
            return True
        except SlipwayError as error:
            if error.code == "UNAVAILABLE" and not error.retryable:  # a handshake that can never succeed
                raise
            if error.code not in not_yet:
                raise
            return False

    def _deadline(self, seconds):
        return Deadline(self._seconds if seconds is None else seconds)

    def _spec(self, signature="", version=None):
        """The ModelSpec of this client, or of `version`."""
        spec = protos.ModelSpec(name=self._channel.model, signature_name=signature)
        version = self._version if version is None else version
        if version is not None:
            spec.version.value = version
        elif self._label is not None:
            spec.version_label = self._label
        return spec

    async def _predict_batch(self, signature, columns, count, deadline):
        request = self._request(signature)
        for name, values in columns.items():
            put_strings(request.inputs[name], values)
        response = await self._predict(request, deadline)
        contract = await self._described.of(response.model_spec.version.value, deadline)
        stated = contract if signature == SERVING_DEFAULT else {}
        search = "search" if signature == "search" and "index" in contract else ""
        told = stated.get("task", search), stated.get("labels", ()), stated.get("heads")
        try:
            return rows_of(response.outputs, count, *told)
        except ValueError as error:
            raise self._unreadable(error) from None

    def _unreadable(self, error):
        return refused(str(error), self._channel.model, self._channel.address, "DATA_LOSS")

    def _request(self, signature):
        """A PredictRequest that has no inputs yet."""
        return protos.PredictRequest(model_spec=self._spec(signature))

    async def _predict(self, request, deadline):
        """The PredictResponse to a PredictRequest."""
        try:
            return await self._channel.call("Predict", request, deadline)
        except SlipwayError as error:
            if error.exit_code == 2:  # the version may have changed under a contract that is no longer true
                self._described.forget()
            raise


def _after(error, done, total):
    """`error`, which also says how many texts had been answered."""
    if not done:
        return error
    message = f"{error}; {done} of {total} texts had been answered"
    return SlipwayError(message, error.code, error.model, error.address, error.retryable)
