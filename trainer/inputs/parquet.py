"""Rows of Parquet files, a row group at a time, of the wanted columns alone."""

import pyarrow as pa
import pyarrow.parquet

from trainer.inputs import arrow, records

_BATCH = 4096  # rows that are decoded together


def read(path, wanted, fault):
    """Rows of a Parquet file. Raises UserError where it is none."""
    with arrow.whole(path, "Parquet"), pyarrow.parquet.ParquetFile(path) as file:
        schema = file.schema_arrow
        if records.found(schema.names, wanted, fault):
            names = list(dict.fromkeys(wanted))  # pyarrow takes a name that stands there twice for two columns
            picked = pa.schema([schema.field(name) for name in names], schema.metadata)
            yield from arrow.rows(picked, file.iter_batches(_BATCH, columns=names), wanted, fault)
