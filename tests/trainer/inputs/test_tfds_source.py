"""TensorFlow Datasets: prepared ones are read, others downloaded, and what cannot be had is one line."""

import functools
import http.server
import logging
import pathlib
import threading
import time

import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

from tests import tiny_reviews, written
from tests.commands import main_process, run_main
from trainer.config import DataConfig, EnvironmentFault, UserError
from trainer.inputs.sources import read_chunks, read_rows, read_table
from trainer.inputs.splits import load_splits
from trainer.inputs.tfds_source import all_splits

ROWS = tiny_reviews.rows(36)
SPLITS = {"train": ROWS[:20], "dev": ROWS[20:30], "test": ROWS[30:]}


def load(data, folder, **options):
    return load_splits(DataConfig(data=data, tfds_dir=str(folder), **options), "nowhere")


def refusal(data, folder, kind=UserError, **options):
    with pytest.raises(UserError) as caught:
        load(data, folder, **options)
    assert type(caught.value) is kind and len(str(caught.value).splitlines()) == 1
    return str(caught.value)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A data folder with tiny_reviews, kept/back (test labels -1), and one that has nothing but train."""
    folder = tmp_path_factory.mktemp("tfds")
    written.write_tfds(folder, SPLITS)
    written.write_tfds(folder, SPLITS, name="kept", config="back", kept_back=("test",))
    written.write_tfds(folder, {"train": ROWS}, name="alone")
    return folder


def test_every_split_of_a_prepared_data_set(prepared, caplog, capsys):
    splits = load("tfds:tiny_reviews", prepared)
    warned = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert warned == [] and capsys.readouterr() == ("", "")
    for name, table in splits.named().items():
        assert list(zip(table.texts, table.labels, strict=True)) == SPLITS[name]
    assert splits.dev.where(9) == "tfds:tiny_reviews:1.0.0@validation:10"
    assert load("tfds:tiny_reviews:1.0.0", prepared).train.texts == splits.train.texts


def test_one_split_is_split_as_one_file_is_and_so_is_a_data_set_of_train_alone(prepared, tmp_path):
    written.write_csv(tmp_path / "all.csv", ROWS)
    expected = load(str(tmp_path / "all.csv"), "")
    for data in ("tfds:alone", "tfds:alone@train"):
        found = load(data, prepared)
        assert {n: (t.texts, t.labels) for n, t in found.named().items()} == {
            n: (t.texts, t.labels) for n, t in expected.named().items()
        }
    assert len(load("tfds:alone@train[:50%]", prepared).train) < 18


def test_labels_that_are_kept_back_are_no_test_rows(prepared, capsys):
    assert load("tfds:kept/back", prepared).test is None
    assert "note: tfds:kept/back:1.0.0@test: every label is -1" in capsys.readouterr().err


def test_one_split_is_what_prediction_takes(prepared, monkeypatch):
    monkeypatch.setattr(tfds.core.constants, "DATA_DIR", str(prepared))
    builder = tfds.builder
    monkeypatch.setattr(tfds, "builder", lambda name, data_dir: builder(name, data_dir=data_dir or str(prepared)))
    assert len(read_table("tfds:tiny_reviews@test", need_labels=False)) == 6
    assert [len(chunk) for chunk in read_chunks("tfds:tiny_reviews@train", size=8)] == [8, 8, 4]
    with pytest.raises(UserError, match="name one of its splits: .*tfds:tiny_reviews@train"):
        read_table("tfds:tiny_reviews")


def test_values_that_are_no_text(tmp_path):
    features = {
        "text": tfds.features.Text(),
        "whole": tf.int64,
        "part": tf.float32,
        "yes": tf.bool,
        "raw": tf.string,
        "many": tfds.features.Sequence(tf.int64),
    }
    data = {
        "text": ["a", "é"],
        "whole": tf.constant([-1, 2**40], tf.int64),
        "part": [0.1, 2.0],
        "yes": [True, False],
        "raw": [b"x", b"caf\xe9"],
        "many": tf.constant([[1], [2]], tf.int64),
    }
    tfds.dataset_builders.store_as_tfds_dataset(
        name="kinds",
        version="1.0.0",
        features=tfds.features.FeaturesDict(features),
        split_datasets={"train": tf.data.Dataset.from_tensor_slices(data)},
        data_dir=str(tmp_path),
        disable_shuffling=True,
    )
    split, faults = all_splits("tfds:kinds", str(tmp_path))["train"], []
    rows = list(read_rows(split, ["text", "whole", "part", "yes", "raw"], faults.append))
    assert rows == [(1, ["a", "-1", "0.1", "true", "x"]), (2, ["é", str(2**40), "2.0", "false", "caf\udce9"])]
    assert [(fault.line, fault.kind) for fault in faults] == [(2, "encoding")]
    said = refusal("tfds:kinds", tmp_path, label_column="many")
    assert said.startswith("tfds:kinds:1.0.0@train:1: no column 'many'") and "'whole'" in said


def test_mocked_data_of_the_catalogue(tmp_path):
    """The features of a real data set, with rows that TFDS makes up."""
    features = tfds.builder_cls("glue")(config="sst2", data_dir=str(tmp_path)).info.features
    columns = {"sentence": ["a"], "label": tf.constant([0], tf.int64), "idx": [0]}
    tfds.dataset_builders.store_as_tfds_dataset(
        name="glue",
        config="sst2",
        version="2.0.0",
        features=features,
        split_datasets=dict.fromkeys(("train", "validation"), tf.data.Dataset.from_tensor_slices(columns)),
        data_dir=str(tmp_path),
    )
    with tfds.testing.mock_data(num_examples=40, data_dir=str(tmp_path)):
        splits = load("tfds:glue/sst2", "anywhere", text_column="sentence")
    assert {name: len(table) for name, table in splits.named().items()} == {"train": 40, "dev": 40}
    assert set(splits.train.labels) == {"negative", "positive"} and len(set(splits.train.texts)) > 30


@pytest.mark.parametrize(
    "data, said",
    [
        ("tfds:glu", "tfds:glu: TensorFlow Datasets 4.9.10 has no such data set; did you mean 'glue'?"),
        ("tfds:imdb_review", "did you mean 'imdb_reviews'?"),
        ("tfds:tiny_review", "did you mean 'tiny_reviews'?"),
        ("tfds:glue/sst3", "tfds:glue/sst3: no configuration 'sst3'; did you mean 'sst2'?"),
        ("tfds:glue/sst2:9.9.9", "tfds:glue/sst2:9.9.9: no version '9.9.9' (versions: 1.0.0, 1.0.1, 2.0.0)"),
        ("tfds:tiny_reviews@train[:10", "tfds:tiny_reviews@train[:10: no part of a split, as in @train[:10%]: "),
        ("tfds:tiny_reviews@tset", "no split 'tset'; did you mean 'test'? (test, train, validation)"),
        ("tfds:tiny_reviews:2.0.0", "TensorFlow Datasets"),
        ("tfds:huggingface:imdb", "allowed is tfds:NAME[/CONFIG][:VERSION][@SPLIT], as in tfds:glue/sst2"),
        ("tfds:", "allowed is tfds:NAME"),
    ],
)
def test_names_that_mean_nothing(prepared, data, said):
    assert said.replace("4.9.10", tfds.__version__) in refusal(data, prepared)


def test_columns_are_the_features_of_the_data_set(prepared):
    said = refusal("tfds:tiny_reviews", prepared, text_column="sentence", label_column="lable")
    assert "@train:1: no column 'sentence'" in said and "(columns: 'idx', 'label', 'text')" in said


def test_a_data_set_without_train(tmp_path):
    written.write_tfds(tmp_path, {"dev": ROWS[:10], "test": ROWS[10:]}, name="trainless")
    said = refusal("tfds:trainless", tmp_path)
    assert "no split 'train' among validation, test; give one of them to split, as in tfds:trainless@" in said


def test_files_that_are_gone_or_cut(tmp_path):
    written.write_tfds(tmp_path, SPLITS, name="holes")
    (shard,) = pathlib.Path(tmp_path).rglob("holes-train.tfrecord*")
    shard.write_bytes(shard.read_bytes()[:-9])
    assert "tfds:holes:1.0.0@train: cannot be read: " in refusal("tfds:holes", tmp_path)
    shard.unlink()
    assert "tfds:holes:1.0.0@train: cannot be read: " in refusal("tfds:holes", tmp_path)


BLOCKED = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9")


def test_a_download_without_a_network_ends_at_once(tmp_path, monkeypatch):
    for name, value in BLOCKED.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("NO_PROXY", "")
    began = time.monotonic()
    said = refusal("tfds:glue/sst2", tmp_path / "tfds", EnvironmentFault)
    assert time.monotonic() - began < 20
    assert "cannot be downloaded: bit.ly, dl.fbaipublicfiles.com" in said and "give its folder with --tfds_dir" in said
    assert not (tmp_path / "tfds").exists()


@pytest.mark.slow
def test_the_command_without_a_network(tmp_path, bert_folder):
    flags = ("--mode=train", f"--encoder={bert_folder}", f"--workdir={tmp_path}/run", f"--tfds_dir={tmp_path}/tfds")
    began = time.monotonic()
    done = main_process("--data=tfds:glue/sst2", "--text_column=sentence", *flags, NO_PROXY="", **BLOCKED)
    assert done.code == 5 and "error: tfds:glue/sst2 is not in " in done.error() and time.monotonic() - began < 60
    assert list(tmp_path.iterdir()) == []


def test_the_command_says_what_it_does_not_know(tmp_path, bert_folder):
    done = run_main("--data=tfds:glu", f"--encoder={bert_folder}", f"--workdir={tmp_path}/run")
    assert done.code == 2 and "did you mean 'glue'?" in done.error() and list(tmp_path.iterdir()) == []


class TinyServed(tfds.core.GeneratorBasedBuilder):
    """A data set that is fetched from `url`."""

    VERSION = tfds.core.Version("1.0.0")
    url = ""
    pkg_dir_path = pathlib.Path(__file__).parent  # where TFDS looks for a data set's checksums

    def _info(self):
        features = tfds.features.FeaturesDict({"text": tfds.features.Text(), "label": tfds.features.Text()})
        return tfds.core.DatasetInfo(builder=self, features=features, disable_shuffling=True)

    def _split_generators(self, downloads):
        return {"train": self._generate_examples(downloads.download(self.url))}

    def _generate_examples(self, path):
        for i, line in enumerate(pathlib.Path(path).read_text().splitlines()):
            text, label = line.split("\t")
            yield i, {"text": text, "label": label}


@pytest.fixture
def served(tmp_path):
    """The address of a file of rows on a server of this machine."""
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "rows.tsv").write_text("".join(f"{text}\t{label}\n" for text, label in ROWS))
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path / "served"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/rows.tsv"
        server.shutdown()
        thread.join()


def test_a_data_set_that_is_not_there_yet_is_downloaded_once(tmp_path, served, monkeypatch, capsys):
    monkeypatch.setattr(TinyServed, "url", served)
    for _ in range(2):
        splits = load("tfds:tiny_served", tmp_path / "tfds")
        assert sorted(text for table in splits.named().values() for text in table.texts) == sorted(t for t, _ in ROWS)
        monkeypatch.setattr(TinyServed, "url", "http://127.0.0.1:9/gone")
    out, err = capsys.readouterr()
    assert out == "" and err.count("tfds:tiny_served is not in ") == 1 and "downloading and preparing it" in err


def test_a_download_that_fails_leaves_nothing_that_looks_prepared(tmp_path, served, monkeypatch):
    monkeypatch.setattr(TinyServed, "url", served + ".gone")
    said = refusal("tfds:tiny_served", tmp_path, EnvironmentFault)
    assert "tfds:tiny_served: TensorFlow Datasets cannot prepare it: " in said and "404" in said
    assert not list(tmp_path.rglob("dataset_info.json"))
