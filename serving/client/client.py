"""Asks a model in TensorFlow Serving: text in, typed results out."""

import time

from . import protos
from .batches import columns_of, split
from .channel import Channel, Deadline
from .described import SERVING_DEFAULT, Described
from .errors import SlipwayError, refused
from .results import VersionStatus, rows_of
from .tensors import decode, encode, strings_proto

_MAX_BATCH_BYTES = 4 * 2**20
_NOT_YET = {"UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED", "RESOURCE_EXHAUSTED", "NOT_FOUND"}
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0  # seconds between two looks of ready()
_SHORTEST_LOOK = 0.5  # seconds that one look may take, even where ready(0) is asked


class Client:
    """One model at one server. Threads may share a client; close it, or use it as a context manager.

    target: "HOST:PORT" of the gRPC port. model: its name there. version or label: which one answers, else the newest.
    deadline: seconds for each request, unless a call is given a deadline of its own. max_batch_size: most texts in one
    request; a server that batches refuses more than its own max_batch_size. credentials: grpc.ChannelCredentials for a
    TLS port.
    """

    def __init__(self, target, model, *, version=None, label=None, deadline=10.0, max_batch_size=64, credentials=None):
        if version is not None and label is not None:
            raise ValueError("give version or label, not both")
        if not model:
            raise ValueError("give the model's name, as in the server's --model_name")
        if version is not None and not (isinstance(version, int) and 0 <= version < 2**63):
            raise ValueError(f"version must be a whole number, as in the server's folder, not {version!r}")
        if max_batch_size < 1:
            raise ValueError(f"max_batch_size must be 1 or more, not {max_batch_size}")
        self.target, self.model, self.deadline = target, model, Deadline(deadline).seconds
        self._version, self._label, self._max_rows = version, label, max_batch_size
        self._channel = Channel(target, model, credentials)
        self._described = Described(self._channel, model, self._spec)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Gives back the connection; calls under way are cut off."""
        self._channel.close()

    def predict(self, texts, *, text_pairs=None, signature=None, deadline=None):
        """Results of `texts` in their order: a list for a list, [] for [], one result for one str.

        The default signature of a classification model gives `Classification`, everything else `Outputs`. Many texts go
        in several requests; a `deadline` given here is for all of them together. An empty text is asked like any other;
        a lone surrogate goes as U+FFFD.
        Raises TypeError for what is not str, ValueError for pairs of another number, SlipwayError where no answer came.
        """
        columns, one = columns_of(texts, text_pairs)
        signature, whole = signature or SERVING_DEFAULT, None if deadline is None else Deadline(deadline)
        results = [None] * len(columns[0])
        done = 0
        for batch in split(columns, self._max_rows, _MAX_BATCH_BYTES):
            deadline = whole or self._deadline(None)
            try:
                names = self._described.text_inputs(signature, len(columns), deadline)
                rows = ([column[row] for row in batch] for column in columns)
                answers = self._predict_batch(signature, dict(zip(names, rows, strict=True)), len(batch), deadline)
            except SlipwayError as error:
                raise _after(error, done, len(results)) from None
            for row, answer in zip(batch, answers, strict=True):
                results[row] = answer
            done += len(batch)
        return results[0] if one else results

    def raw(self, inputs, *, signature=None, deadline=None):
        """Output arrays of any signature for input arrays or lists, in one request; strings come back as bytes.

        Python floats go as float32 and ints as int32; arrays keep their dtype.
        """
        tensors = {name: encode(value) for name, value in inputs.items()}
        return self._predict(signature or SERVING_DEFAULT, tensors, self._deadline(deadline))[0]

    @property
    def contract(self):
        """The model's contract.json as a dict; {} for a model that Slipway did not make."""
        described = self._described.current(self._deadline(None))
        return described if "schema_version" in described else {}

    def status(self, *, deadline=None):
        """VersionStatus of every version that the server knows (of the one asked for, with `version`), newest first."""
        request = protos.GetModelStatusRequest(model_spec=self._spec())
        response = self._channel.call("GetModelStatus", request, self._deadline(deadline))
        found = [
            VersionStatus(
                entry.version, protos.VersionState.get(entry.state, str(entry.state)), entry.status.error_message
            )
            for entry in response.model_version_status
        ]
        return sorted(found, key=lambda entry: -entry.version)

    def ready(self, timeout=1.0):
        """Waits up to `timeout` seconds until the model (its version or label) can be asked; looks once at least.

        Raises SlipwayError only for what waiting does not mend, such as a port that is not TensorFlow Serving's.
        """
        until, pause = time.monotonic() + timeout, _FIRST_PAUSE
        while not self._is_available(Deadline(max(until - time.monotonic(), _SHORTEST_LOOK))):
            if time.monotonic() + pause > until:
                return False
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        return True

    def _is_available(self, deadline):
        try:
            if not any(entry.state == "AVAILABLE" for entry in self.status(deadline=deadline.left())):
                return False
            if self._label:  # of which GetModelStatus takes no notice
                self._described.current(deadline)
            return True
        except SlipwayError as error:
            if error.code not in _NOT_YET and not self._label:
                raise
            return False

    def _deadline(self, seconds):
        return Deadline(self.deadline if seconds is None else seconds)

    def _spec(self, signature="", version=None):
        """The ModelSpec of this client, or of `version`."""
        spec = protos.ModelSpec(name=self.model, signature_name=signature)
        version = self._version if version is None else version
        if version is not None:
            spec.version.value = version
        elif self._label is not None:
            spec.version_label = self._label
        return spec

    def _predict_batch(self, signature, columns, count, deadline):
        tensors = {name: strings_proto(values) for name, values in columns.items()}
        outputs, version = self._predict(signature, tensors, deadline)
        contract = self._described.of(version, deadline)
        task = contract.get("task", "") if signature == SERVING_DEFAULT else ""
        try:
            return rows_of(outputs, count, task, contract.get("labels", ()))
        except ValueError as error:
            raise refused(str(error), self.model, self.target, "DATA_LOSS") from None

    def _predict(self, signature, tensors, deadline):
        """(output arrays by name, version that answered) of one request."""
        request = protos.PredictRequest(model_spec=self._spec(signature))
        for name, tensor in tensors.items():
            request.inputs[name].CopyFrom(tensor)
        try:
            response = self._channel.call("Predict", request, deadline)
            outputs = {name: decode(tensor) for name, tensor in response.outputs.items()}
        except SlipwayError as error:
            if error.exit_code == 2:  # the version may have changed under a contract that is no longer true
                self._described.forget()
            raise
        except ValueError as error:
            raise refused(str(error), self.model, self.target, "DATA_LOSS") from None
        return outputs, response.model_spec.version.value


def _after(error, done, total):
    """`error`, which also says how many texts had been answered."""
    if not done:
        return error
    message = f"{error}; {done} of {total} texts had been answered"
    return SlipwayError(message, error.code, error.model, error.address, error.retryable)
