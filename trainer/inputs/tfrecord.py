"""Rows of TFRecord files of tf.Example, plain or gzip-compressed: told apart by their first bytes."""

import gzip
import os

import tensorflow as tf

from trainer.config import UserError
from trainer.inputs import records
from trainer.inputs.columns import unknown_column
from trainer.inputs.readers import Fault

_GZIP = b"\x1f\x8b\x08"
_SPOILT = (tf.errors.DataLossError, tf.errors.InvalidArgumentError)
_BATCH = 512  # records that are read together
_FRAME = 16  # bytes of length and checksums round a record


def read(path, wanted, fault):
    """Rows of a TFRecord file; what follows a broken record cannot be read.

    A feature is one string, number or list of one; bytes are UTF-8. Raises UserError where it holds no tf.Example.
    """
    for number, record in enumerate(_records(path, fault), 1):
        features = _features(path, record, number)
        try:
            values = [_value(features, name) for name in wanted]
        except ValueError as error:
            fault(Fault(number, "value" if set(wanted) <= set(features) else "columns", str(error)))
            continue
        yield from records.rows([[value] for value in values], wanted, fault, {}, number)


def _records(path, fault):
    """The records' bytes, read through once."""
    with open(path, "rb") as file:
        packed = file.read(len(_GZIP)) == _GZIP
    dataset = tf.data.TFRecordDataset(str(path), "GZIP" if packed else "")
    number, size, whole = 0, 0, True
    for record in _until_spoilt(dataset):
        if record is None:
            whole = False
        else:
            number, size = number + 1, size + len(record) + _FRAME
            yield record
    # TensorFlow takes a file that is cut within a record's first twelve bytes for a whole one
    if not whole or size != _size(path, packed):
        what = "the file is cut or spoilt from this record on" if number else "not a TFRecord file"
        fault(Fault(number + 1, "record", f"{what}: the record's length or checksum is wrong; write the file anew"))


def _size(path, packed):
    """Bytes of the records and their frames. Raises EOFError for a gzip stream that is cut."""
    if not packed:
        return os.path.getsize(path)
    with gzip.open(path) as file:
        return sum(map(len, iter(lambda: file.read(1 << 20), b"")))


def _until_spoilt(dataset):
    """Yields each record, and None where one is spoilt; hundreds at a time, for one by one they take far longer."""
    done, size = 0, _BATCH
    while size:
        try:
            for batch in dataset.skip(done).batch(size).as_numpy_iterator():
                yield from batch.tolist()
                done += len(batch)
            return
        except _SPOILT:
            size //= _BATCH  # once more, one by one, up to the spoilt one
    yield None


def _features(path, record, number):
    """{name: tf.train.Feature} of a serialized tf.Example."""
    try:
        return dict(tf.train.Example.FromString(record).features.feature)
    except Exception as error:  # DecodeError, whose module depends on the protobuf that is installed
        raise UserError(f"{path}:{number}: the record is no tf.Example; write one per row") from error


def _value(features, name):
    """The one value of a feature: bytes, int or np.float32. Raises ValueError."""
    if name not in features:
        raise ValueError(unknown_column(name, sorted(features)))
    feature = features[name]
    kind = feature.WhichOneof("kind")
    values = getattr(feature, kind).value if kind else ()
    if len(values) != 1:
        raise ValueError(f"feature '{name}' holds {len(values)} values; it must hold one")
    return tf.float32.as_numpy_dtype(values[0]) if kind == "float_list" else values[0]
