"""A version whose warm-up is answered as requests are, by the same functions and with the same status.

Sources: RunWarmupRequest in tensorflow_serving/servables/tensorflow/saved_model_warmup.cc, RunSavedModelWarmup in
saved_model_warmup_util.cc there.
"""

import grpc
import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow_serving.apis import prediction_log_pb2

from serving.contract import WARMUP_FILE
from serving.loader import MAX_WARMUP_RECORDS, ServedVersion
from serving.server import inference, predict
from serving.server.status import StatusError, invalid

_ANSWERS = {
    "predict_log": predict.run,
    "classify_log": inference.run_classify,
    "regress_log": inference.run_regress,
    "multi_inference_log": inference.run_multi_inference,
}
_SESSION_RUN = "session_run_log"


class WarmedVersion(ServedVersion):
    """A ServedVersion; checks_methods: as of Models."""

    checks_methods = False

    def replay_warmup(self):
        """Answers every warm-up record and returns their number; StatusError for what spoils it."""
        path, count = self.version_dir / WARMUP_FILE, 0
        for count, record in enumerate(_records(path), start=1):
            log = _log(record, path)
            kind = log.WhichOneof("log_type")
            if kind == _SESSION_RUN:
                number = log.DESCRIPTOR.fields_by_name[kind].number
                raise StatusError(grpc.StatusCode.UNIMPLEMENTED, f"Unsupported log_type for warmup: {number}")
            if kind in _ANSWERS:
                _ANSWERS[kind](self, getattr(log, kind).request, self.checks_methods)
            if count > MAX_WARMUP_RECORDS:
                raise invalid(f"Number of warmup records exceeds the maximum ({MAX_WARMUP_RECORDS}) at {path}")
        return count


def _records(path):
    if not path.exists():
        return
    try:
        yield from tf.data.TFRecordDataset(str(path)).as_numpy_iterator()
    except tf.errors.DataLossError as error:
        message = f"{error.message}. Please verify your warmup data is in TFRecord format."
        raise StatusError(grpc.StatusCode.DATA_LOSS, message) from error


def _log(record, path):
    try:
        return prediction_log_pb2.PredictionLog.FromString(record)
    except DecodeError:
        shown = record.decode(errors="backslashreplace")
        raise invalid(f"Failed to parse warmup record: {shown} from {path}") from None
