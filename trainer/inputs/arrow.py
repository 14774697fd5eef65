"""Rows of Arrow data: what Parquet files and Hugging Face `datasets` folders hold. Reads .arrow files itself."""

import contextlib
import json

import pyarrow as pa
import pyarrow.types as kinds

from trainer.config import UserError
from trainer.inputs import records

_FILE_MAGIC = b"ARROW1"  # with it the file has a footer; without, as `datasets` writes it, it is a stream


def read(path, wanted, fault):
    """Rows of an Arrow file or stream, mapped, a batch at a time. Raises UserError where it is neither."""
    with whole(path, "Arrow"), pa.memory_map(str(path)) as source:
        opened = pa.ipc.open_file if source.read(len(_FILE_MAGIC)) == _FILE_MAGIC else pa.ipc.open_stream
        source.seek(0)
        with opened(source) as reader:
            count = getattr(reader, "num_record_batches", None)
            batches = reader if count is None else map(reader.get_batch, range(count))
            yield from rows(reader.schema, batches, wanted, fault)


@contextlib.contextmanager
def whole(path, kind):
    """Turns what pyarrow raises into a UserError of one line; errors of the system stay what they are."""
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        if getattr(error, "errno", None):
            raise
        reason = records.first_line(str(error), error)
        raise UserError(f"{path}: not a whole {kind} file: {reason}; write it anew") from error


def rows(schema, batches, wanted, fault):
    """Rows of record batches of one schema; ClassLabel numbers of a Hugging Face schema become their names."""
    if not records.found(schema.names, wanted, fault):
        return
    classes, first = _class_names(schema), 1
    for batch in batches:
        columns = [_values(batch.column(schema.get_field_index(name))) for name in wanted]
        yield from records.rows(columns, wanted, fault, classes, first)
        first += batch.num_rows


def _values(column):
    """A column as values that cells.as_text takes."""
    if kinds.is_dictionary(column.type):
        column = column.dictionary_decode()
    if kinds.is_floating(column.type):
        return column.to_numpy(zero_copy_only=False)  # NumPy writes a float32 as short as it was; null becomes NaN
    if kinds.is_temporal(column.type):
        column = column.cast(pa.string())
    if kinds.is_string(column.type):  # as bytes: pyarrow would give up the whole batch for one that is not UTF-8
        column = column.cast(pa.binary())
    elif kinds.is_large_string(column.type):
        column = column.cast(pa.large_binary())
    return column.to_pylist()


def _class_names(schema):
    """{column: names of its class numbers} as `datasets` leaves them in a schema; {} where it did not write it."""
    written = (schema.metadata or {}).get(b"huggingface")
    try:
        features = json.loads(written)["info"]["features"] if written else None
    except (ValueError, KeyError, TypeError):  # not as `datasets` writes it
        features = None
    labels = {name: feature for name, feature in (features or {}).items() if isinstance(feature, dict)}
    return {name: feature["names"] for name, feature in labels.items() if feature.get("_type") == "ClassLabel"}
