"""What --data may name besides one file and three: shards, patterns, folders of `datasets`; and what it may not."""

import json
import os
import pathlib
import shutil
import tempfile
import zlib

import pyarrow.parquet
import pytest
import tensorflow as tf

from tests import tiny_reviews, written
from trainer.config import DataConfig, UserError
from trainer.inputs.labels import fingerprint
from trainer.inputs.sources import read_chunks, read_table
from trainer.inputs.splits import load_splits

ROWS = tiny_reviews.rows(36)
SPLITS = {"train": ROWS[:20], "dev": ROWS[20:30], "test": ROWS[30:]}


def load(data, **options):
    return load_splits(DataConfig(data=str(data), **options), "nowhere")


def refusal(data, **options):
    with pytest.raises(UserError) as caught:
        load(data, **options)
    assert caught.value.exit_code == 2 and len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def test_a_pattern_is_one_source_in_the_order_of_names_and_kinds_may_mix(tmp_path):
    written.write_csv(tmp_path / "one.csv", ROWS)
    (tmp_path / "logs" / "c.jsonl").mkdir(parents=True)
    written.write_parquet(tmp_path / "logs" / "b.parquet", ROWS[10:20])
    written.write_jsonl(tmp_path / "logs" / "a.jsonl.gz", ROWS[:10])
    written.write_tsv(tmp_path / "logs" / "d.tsv", ROWS[20:])
    written.write_tsv(tmp_path / "logs" / "e.tsv", [])
    table = read_table(str(tmp_path / "logs" / "*"))
    assert list(zip(table.texts, table.labels, strict=True)) == ROWS and table.path.endswith("logs/*")
    places = [pathlib.Path(table.where(row)).name for row in (0, 9, 10, 19, 20, 35)]
    assert places == ["a.jsonl.gz:1", "a.jsonl.gz:10", "b.parquet:1", "b.parquet:10", "d.tsv:2", "d.tsv:17"]
    assert [pathlib.Path(table.take([20, 0]).where(row)).name for row in (0, 1)] == ["d.tsv:2", "a.jsonl.gz:1"]
    assert fingerprint(load(tmp_path / "logs" / "*")) == fingerprint(load(tmp_path / "one.csv"))


def test_a_pattern_reaches_below_and_a_name_that_exists_is_no_pattern(tmp_path):
    written.write_csv(tmp_path / "a" / "b" / "[1].csv", ROWS)
    assert len(read_table(str(tmp_path / "**" / "*.csv"))) == 36
    assert read_table(tmp_path / "a" / "b" / "[1].csv").where(0).endswith("[1].csv:2")


def test_chunks_of_many_files_never_hold_rows_of_two(tmp_path):
    written.write_shards(tmp_path, {"train": ROWS})
    chunks = list(read_chunks(str(tmp_path / "*.parquet"), size=8))
    assert [len(chunk) for chunk in chunks] == [8, 4] * 3 and chunks[2].where(0).endswith("00001-of-00003.parquet:1")


def test_the_label_that_is_in_no_training_row_is_found_in_its_file(tmp_path):
    from trainer.inputs.labels import splits_vocabulary

    splits = SPLITS | {"dev": [*SPLITS["dev"][:-1], ("a film", "postive")]}
    written.write_shards(tmp_path, splits)
    with pytest.raises(UserError, match=r"dev-00002-of-00003.parquet:2: label 'postive' of dev is in no training row"):
        splits_vocabulary(load(tmp_path))


def test_patterns_that_match_nothing_or_what_is_no_data(tmp_path):
    assert "*.jsonl: no file matches this pattern; quote it" in refusal(tmp_path / "*.jsonl")
    (tmp_path / "notes.md").write_text("# notes")
    written.write_csv(tmp_path / "a.csv", ROWS)
    assert "notes.md: unknown kind of file; allowed are .csv" in refusal(tmp_path / "*")
    (tmp_path / "b.csv").write_text("text,lable\na,b\n")
    assert "b.csv:1: no column 'label'; did you mean 'lable'?" in refusal(tmp_path / "*.csv")
    written.write_csv(tmp_path / "empty" / "a.csv", [])
    written.write_csv(tmp_path / "empty" / "b.csv", [])
    assert "empty/*.csv: holds no rows" in refusal(tmp_path / "empty" / "*.csv")


def test_shards_that_are_not_all_there_and_files_that_could_be_both(tmp_path):
    written.write_shards(tmp_path, SPLITS)
    (tmp_path / "train-00001-of-00003.parquet").rename(tmp_path / "aside")
    assert "train has 2 of 3 shards; number 00001 is missing" in refusal(tmp_path)
    (tmp_path / "aside").rename(tmp_path / "train-00001-of-00003.parquet")
    written.write_csv(tmp_path / "train.csv", ROWS)
    assert "both train-00000-of-00003.parquet and train.csv could be train; keep one" in refusal(tmp_path)
    (tmp_path / "train.csv").unlink()
    written.write_parquet(tmp_path / "train-00001-of-00002.parquet", ROWS)
    assert "train-00000-of-00003.parquet and train-00001-of-00002.parquet could be train" in refusal(tmp_path)
    (tmp_path / "train-00001-of-00002.parquet").rename(tmp_path / "train-00002-of-00003.tfrecord")
    assert "both train-00000-of-00003.parquet and train-00002-of-00003.tfrecord" in refusal(tmp_path)


def test_folders_of_datasets_give_their_splits_and_one_split_is_split(tmp_path):
    folder = pathlib.Path(written.write_hf(tmp_path / "saved", SPLITS))
    splits = load(folder)
    assert {name: len(table) for name, table in splits.named().items()} == {"train": 20, "dev": 10, "test": 6}
    assert splits.dev.where(9).endswith("validation/data-00001-of-00002.arrow:5")
    assert len(load(folder / "train", test_fraction=0.2).test) == 4
    written.write_hf(tmp_path / "alone", {"train": ROWS})
    assert {name: len(table) for name, table in load(tmp_path / "alone").named().items()}.keys() == SPLITS.keys()
    assert len(read_table(folder / "test", need_labels=False)) == 6


def test_labels_that_are_kept_back_are_no_test_rows(tmp_path, capsys):
    splits = load(written.write_hf(tmp_path / "saved", SPLITS, kept_back=("test",)))
    assert splits.test is None and len(splits.dev) == 10
    said = capsys.readouterr().err
    assert "note: " in said and "saved/test: every label is -1, that is kept back: no test rows" in said
    written.write_csv(tmp_path / "csv" / "train.csv", [(f"a film {i}", ("-1", "1")[i % 2]) for i in range(40)])
    written.write_csv(tmp_path / "csv" / "test.csv", [("a", "-1")])
    assert len(load(tmp_path / "csv").test) == 1 and not capsys.readouterr().err


def test_folders_of_datasets_that_are_not_whole(tmp_path):
    folder = pathlib.Path(written.write_hf(tmp_path / "saved", SPLITS))
    (folder / "train" / "data-00001-of-00002.arrow").rename(tmp_path / "aside")
    assert "data-00001-of-00002.arrow: no such file, though " in refusal(folder)
    (folder / "train" / "data-00001-of-00002.arrow").write_bytes((tmp_path / "aside").read_bytes()[:-200])
    assert "data-00001-of-00002.arrow: not a whole Arrow file" in refusal(folder)
    (folder / "train" / "state.json").write_text("{")
    assert "state.json: not what `datasets` writes" in refusal(folder)
    (folder / "train" / "state.json").write_text(json.dumps({"_data_files": [], "_indices_data_files": ["x"]}))
    assert "rows picked by a list of indices" in refusal(folder)
    shutil.rmtree(folder / "train")
    assert "names the split 'train', but train/state.json is missing" in refusal(folder)
    (folder / "dataset_dict.json").write_text('{"splits": ["validation"]}')
    assert "no split 'train' among validation" in refusal(folder)


def not_records(path):
    path.write_bytes(b"text,label\na film,good\n")


def cut(path):
    written.write_parquet(path, ROWS)
    path.write_bytes(path.read_bytes()[:-300])


def cut_tfrecord(path, size):
    written.write_tfrecord(path, ROWS[:1])
    whole = path.stat().st_size
    written.write_tfrecord(path, ROWS)
    path.write_bytes(path.read_bytes()[: whole + size])


def cut_gzip(path, *, ended):
    """A gzip-compressed TFRecord cut in a record's header: before it was compressed (`ended`), or after."""
    cut_tfrecord(path, 9)
    packer = zlib.compressobj(wbits=31)
    packed = packer.compress(path.read_bytes()) + packer.flush(zlib.Z_FINISH if ended else zlib.Z_SYNC_FLUSH)
    path.write_bytes(packed)


def flipped(path):
    written.write_tfrecord(path, ROWS)
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)


def no_example(path):
    with tf.io.TFRecordWriter(str(path)) as writer:
        writer.write(b"\xff\xff\xff")


def renamed(path):
    columns = pyarrow.table({"text": ["a"], "lable": ["b"]})
    pyarrow.parquet.write_table(columns, path)


def null(path):
    pyarrow.parquet.write_table(pyarrow.table({"text": ["a", None], "label": ["b", "c"]}), path)


def nested(path):
    pyarrow.parquet.write_table(pyarrow.table({"text": [["a"], ["b"]], "label": ["b", "c"]}), path)


BAD = {
    "parquet without the column": ("a.parquet", renamed, "a.parquet:1: no column 'label'; did you mean 'lable'? (col"),
    "parquet with null": ("a.parquet", null, "a.parquet:2: column 'text' is null; it must be a string"),
    "parquet with lists": ("a.parquet", nested, "a.parquet:1: column 'text' is an array; it must be a string"),
    "no parquet": ("a.parquet", not_records, "a.parquet: not a whole Parquet file: "),
    "half a parquet": ("a.parquet", cut, "a.parquet: not a whole Parquet file: "),
    "no arrow": ("a.arrow", not_records, "a.arrow: not a whole Arrow file: "),
    "no tfrecord": ("a.tfrecord", not_records, "a.tfrecord:1: not a TFRecord file: the record's length"),
    "tfrecord of something else": ("a.tfrecord", no_example, "a.tfrecord:1: the record is no tf.Example"),
    "tfrecord cut in a header": ("a.tfrecord", lambda p: cut_tfrecord(p, 9), "a.tfrecord:2: the file is cut or spoilt"),
    "tfrecord cut in a text": ("a.tfrecord", lambda p: cut_tfrecord(p, 30), "a.tfrecord:2: the file is cut or spoilt"),
    "gz tfrecord cut in a header": (
        "a.tfrecord",
        lambda p: cut_gzip(p, ended=True),
        "a.tfrecord:2: the file is cut or",
    ),
    "cut gz of a tfrecord": ("a.tfrecord", lambda p: cut_gzip(p, ended=False), "a.tfrecord: not a whole gzip file"),
    "a bit of a tfrecord": ("a.tfrecord", flipped, "the file is cut or spoilt from this record on"),
    "tfrecord without records": ("a.tfrecord", lambda p: written.write_tfrecord(p, []), "a.tfrecord: holds no rows"),
    "parquet without rows": ("a.parquet", lambda p: written.write_parquet(p, []), "a.parquet: holds no rows"),
}


@pytest.mark.parametrize("name", BAD)
def test_one_line_for_every_file_of_records_that_cannot_be_read(tmp_path, name):
    file, spoil, said = BAD[name]
    spoil(tmp_path / file)
    assert said in refusal(tmp_path / file)


def test_tfrecord_with_other_features(tmp_path):
    written.write_tfrecord(tmp_path / "a.tfrecord", ROWS)
    said = refusal(tmp_path / "a.tfrecord", text_column="texts", label_column="lable")
    assert "a.tfrecord:1: no column 'texts'; did you mean 'text'? (columns: 'label', 'text')" in said


@pytest.fixture
def locked():
    """A folder that this process may not list; root gives its rights up for as long."""
    root = os.geteuid() == 0
    with tempfile.TemporaryDirectory() as outer:
        os.chmod(outer, 0o755)
        inner = pathlib.Path(outer) / "data"
        written.write_csv(inner / "train.csv", ROWS)
        os.chmod(inner, 0)
        if root:
            os.seteuid(65534)
        yield inner
        if root:
            os.seteuid(0)
        os.chmod(inner, 0o755)


def test_a_folder_that_may_not_be_read(locked):
    assert f"{locked}: Permission denied; give a folder that can be read" in refusal(locked)


@pytest.mark.parametrize("kind", [".csv", ".parquet", ".arrow", ".tfrecord"])
def test_a_file_that_may_not_be_read(tmp_path, monkeypatch, kind):
    from trainer.inputs import sources

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    (tmp_path / ("a" + kind)).write_bytes(b"x")
    monkeypatch.setattr(sources, "_readable_kind", refuse)
    assert f"a{kind}: Permission denied; give a file that can be read" in refusal(tmp_path / ("a" + kind))
