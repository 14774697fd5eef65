"""What --batching_parameters_file and a version's batching_params.pbtxt say, with the real server's checks.

Sources: tensorflow_serving/servables/tensorflow/{session_bundle_config.proto,bundle_factory_util.h,
bundle_factory_util.cc}; tensorflow/core/kernels/batching_util/shared_batch_scheduler.h.
"""

import dataclasses
import os

from serving import text_proto
from serving.server import config_protos
from serving.server.status import invalid

PER_MODEL_FILE = "batching_params.pbtxt"
_VALUES = ("max_batch_size", "batch_timeout_micros", "max_enqueued_batches", "num_batch_threads")


@dataclasses.dataclass(frozen=True)
class BatchingParameters:
    """One field per field of the proto, with its meaning there; sizes count rows, None: as max_batch_size."""

    max_batch_size: int = 1000
    batch_timeout_micros: int = 0
    max_enqueued_batches: int = 10
    num_batch_threads: int = dataclasses.field(default_factory=lambda: os.cpu_count() or 1)
    allowed_batch_sizes: tuple = ()
    pad_variable_length_inputs: bool = False
    enable_large_batch_splitting: bool = False
    max_execution_batch_size: int | None = None

    @property
    def most_rows(self):
        """Most rows that run at once."""
        if self.enable_large_batch_splitting:
            return self.max_execution_batch_size or self.max_batch_size
        return self.max_batch_size

    def padded(self, rows):
        """The next allowed size; `rows` itself where every size is allowed, or none is large enough."""
        return next((size for size in self.allowed_batch_sizes if size >= rows), rows)


def read(path, given):
    """The BatchingParameters of a file that was named as `given`; ServingError or StatusError for what is wrong."""
    message = text_proto.read(path, config_protos.new("BatchingParameters"), given, "a BatchingParameters text proto")
    fields = {name: getattr(message, name).value for name in _VALUES if message.HasField(name)}
    fields["allowed_batch_sizes"] = tuple(message.allowed_batch_sizes)
    fields["pad_variable_length_inputs"] = message.pad_variable_length_inputs
    fields["enable_large_batch_splitting"] = message.enable_large_batch_splitting.value
    if message.HasField("max_execution_batch_size"):
        fields["max_execution_batch_size"] = message.max_execution_batch_size.value
    return checked(BatchingParameters(**fields))


def of_version(version_dir):
    """The BatchingParameters that a version brings along; None where it brings none."""
    path = os.path.join(version_dir, PER_MODEL_FILE)
    return read(path, path) if os.path.exists(path) else None


def checked(given):
    """The parameters themselves; INVALID_ARGUMENT, in the real server's words, for those that cannot be."""
    if given.num_batch_threads < 1:
        raise invalid(f"num_batch_threads must be positive; was {given.num_batch_threads}")
    if given.max_batch_size < 1:
        raise invalid(f"input_batch_size_limit must be positive; was {given.max_batch_size}")
    if given.batch_timeout_micros < 0:
        raise invalid(f"batch_timeout_micros must be non-negative; was {given.batch_timeout_micros}")
    if given.max_enqueued_batches < 1:
        raise invalid(f"max_enqueued_batches must be positive; was {given.max_enqueued_batches}")
    if given.most_rows > given.max_batch_size:
        raise invalid(
            "When enable_large_batch_splitting is true, input_batch_size_limit must be greater than or equal to "
            "max_execution_batch_size."
        )
    if given.allowed_batch_sizes and given.allowed_batch_sizes[-1] != given.max_batch_size:
        raise invalid(
            "Last entry in allowed_batch_sizes must match max_batch_size; last entry was "
            f"{given.allowed_batch_sizes[-1]}; expected {given.max_batch_size}"
        )
    return given
