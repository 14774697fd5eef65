"""The same rows in every format that is read: what --data may name."""

import csv
import gzip
import json

COLUMNS = ("text", "label")
SPLITS = {"train": "train", "dev": "validation", "test": "test"}  # as catalogues call them


def _open(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    opener = gzip.open if path.suffix == ".gz" else open
    return opener(path, "wt", encoding="utf-8", newline="")


def write_csv(path, rows):
    with _open(path) as file:
        csv.writer(file).writerows([COLUMNS, *rows])


def write_tsv(path, rows):
    with _open(path) as file:
        file.writelines("\t".join(row) + "\n" for row in (COLUMNS, *rows))


def write_jsonl(path, rows):
    with _open(path) as file:
        file.writelines(json.dumps(dict(zip(COLUMNS, row, strict=True)), ensure_ascii=False) + "\n" for row in rows)


def write_parquet(path, rows, **columns):
    """Text and label, and further columns, a row group for every five rows."""
    import pyarrow.parquet

    path.parent.mkdir(parents=True, exist_ok=True)
    values = {name: [row[i] for row in rows] for i, name in enumerate(COLUMNS)} | columns
    pyarrow.parquet.write_table(pyarrow.table({"id": list(range(len(rows))), **values}), path, row_group_size=5)


def write_tfrecord(path, rows, **values):
    """A tf.Example per row; `values`: further features, {name: tf.train.Feature}."""
    import tensorflow as tf

    path.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(path), "GZIP" if path.suffix == ".gz" else "") as writer:
        for row in rows:
            cells = {name: bytes_feature(cell) for name, cell in zip(COLUMNS, row, strict=True)} | values
            writer.write(tf.train.Example(features=tf.train.Features(feature=cells)).SerializeToString())


def bytes_feature(*texts):
    import tensorflow as tf

    raw = [text if isinstance(text, bytes) else text.encode() for text in texts]
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=raw))


WRITERS = {
    ".csv": write_csv,
    ".tsv": write_tsv,
    ".jsonl": write_jsonl,
    ".csv.gz": write_csv,
    ".tsv.gz": write_tsv,
    ".jsonl.gz": write_jsonl,
    ".parquet": write_parquet,
    ".tfrecord": write_tfrecord,
    ".tfrecords.gz": write_tfrecord,
}


def write_shards(folder, splits, shards=3):
    """Each split as Parquet files train-00000-of-00003.parquet and so on."""
    for name, rows in splits.items():
        size = -(-len(rows) // shards)
        for i in range(shards):
            part = rows[i * size : (i + 1) * size]
            write_parquet(folder / f"{name}-{i:05}-of-{shards:05}.parquet", part)
    return str(folder)


def write_hf(folder, splits, shards=2, kept_back=()):
    """A DatasetDict whose labels are ClassLabels; `kept_back`: splits whose labels are all -1."""
    import datasets

    names = sorted({label for rows in splits.values() for _, label in rows})
    kinds = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=names)})
    found = datasets.DatasetDict()
    for name, rows in splits.items():
        labels = [-1 if name in kept_back else names.index(label) for _, label in rows]
        columns = {"text": [text for text, _ in rows], "label": labels}
        found[SPLITS[name]] = datasets.Dataset.from_dict(columns, features=kinds)
    datasets.disable_progress_bars()
    found.save_to_disk(str(folder), num_shards=dict.fromkeys(found, shards))
    return str(folder)


def write_tfds(folder, splits, name="tiny_reviews", kept_back=(), config=None):
    """A data set of TFDS as its own library prepares it, labels as ClassLabels; returns what --data names."""
    import tensorflow as tf
    import tensorflow_datasets as tfds

    names = sorted({label for rows in splits.values() for _, label in rows})
    data = {}
    for split, rows in splits.items():
        labels = [-1 if split in kept_back else names.index(label) for _, label in rows]
        columns = {"idx": tf.range(len(rows)), "text": [text for text, _ in rows], "label": labels}
        data[SPLITS[split]] = tf.data.Dataset.from_tensor_slices(columns)
    tfds.dataset_builders.store_as_tfds_dataset(
        name=name,
        version="1.0.0",
        config=config,
        features=tfds.features.FeaturesDict(
            {"idx": tf.int32, "text": tfds.features.Text(), "label": tfds.features.ClassLabel(names=names)}
        ),
        split_datasets=data,
        data_dir=str(folder),
        disable_shuffling=True,
    )
    return f"tfds:{name}"


def write_all(folder, kind, splits):
    """The splits in one format; returns the flags that name them, {field of DataConfig: value}."""
    if kind in WRITERS:
        for name, rows in splits.items():
            WRITERS[kind](folder / (name + kind), rows)
        return {"data": str(folder)}
    if kind == "tfds":
        return {"data": write_tfds(folder, splits), "tfds_dir": str(folder)}
    return {"data": {"hf": write_hf, "shards": write_shards}[kind](folder, splits)}


KINDS = (*WRITERS, "shards", "hf", "tfds")
