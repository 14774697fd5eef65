"""Config: every field can become a flag, and what no run could use is refused before TensorFlow loads."""

import dataclasses
import math
import pathlib
import subprocess
import sys

import pytest

from trainer.config import (
    _BOUNDS,
    FREE_TO_CHANGE,
    GROUPS,
    METRICS,
    Config,
    UserError,
    cache_dir,
    carried_path,
    labels_in,
)

ROOT = pathlib.Path(__file__).parent.parent.parent
FIELDS = [field for group in GROUPS.values() for field in dataclasses.fields(group)]
RUNNABLE = {"workdir": "runs/x", "data": "pip:movie-snippets"}


def test_field_names_are_unique_over_all_groups():
    names = [field.name for field in FIELDS]
    assert len(names) == len(set(names))


def test_groups_are_the_fields_of_config():
    assert list(GROUPS) == [field.name for field in dataclasses.fields(Config)]
    assert all(type(getattr(Config(), name)) is group for name, group in GROUPS.items())


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_every_field_has_a_type_a_default_of_that_type_and_help(field):
    assert field.type in (bool, int, float, str)
    assert type(field.default) is field.type
    assert field.metadata["help"].endswith(".")
    assert not field.metadata["choices"] or field.default in field.metadata["choices"]


def test_names_listed_beside_the_fields_exist():
    names = {field.name for field in FIELDS}
    assert FREE_TO_CHANGE <= names
    assert {name for name, *_ in _BOUNDS} <= names


def test_flat_and_from_flat_are_inverse():
    config = Config.from_flat({**RUNNABLE, "learning_rate": 3e-5, "export": False})
    assert Config.from_flat(config.flat()) == config
    assert config.optimizer.learning_rate == 3e-5 and config.export.export is False


def test_defaults_validate_once_workdir_and_data_are_given():
    Config.from_flat(RUNNABLE).validate()


@pytest.mark.parametrize("field", [f for f in FIELDS if f.metadata["choices"]], ids=lambda field: field.name)
def test_a_value_that_is_no_choice_is_refused_by_name(field):
    with pytest.raises(UserError, match=f"--{field.name}=nonsense"):
        Config.from_flat({**RUNNABLE, field.name: "nonsense"}).validate()


@pytest.mark.parametrize("name, low, high", _BOUNDS, ids=[name for name, *_ in _BOUNDS])
def test_bounds_hold_and_nan_is_refused(name, low, high):
    outside = [low - 1, math.nan, math.inf, *([] if high is None else [high + 1])]
    for value in outside:
        with pytest.raises(UserError, match=f"--{name}="):
            Config.from_flat({**RUNNABLE, name: value}).validate()


@pytest.mark.parametrize(
    "values, named",
    [
        ({"data": "pip:x"}, "--workdir"),
        ({"workdir": "w"}, "--data"),
        ({"workdir": "w", "data": "nowhere/at/all"}, "nowhere/at/all"),
        ({"workdir": "w", "mode": "predict"}, "--predict_input"),
        ({**RUNNABLE, "dev_fraction": 0.5, "test_fraction": 0.5}, "--dev_fraction"),
    ],
)
def test_missing_paths_and_impossible_splits_are_refused(values, named):
    with pytest.raises(UserError, match=named) as caught:
        Config.from_flat(values).validate()
    assert caught.value.exit_code == 2 and "\n" not in str(caught.value)


def test_cache_folder_is_the_flag_then_the_environment_then_home(monkeypatch):
    monkeypatch.setenv("SLIPWAY_CACHE", "/from/environment")
    assert str(cache_dir("/from/flag")) == "/from/flag"
    assert str(cache_dir()) == "/from/environment"
    monkeypatch.delenv("SLIPWAY_CACHE")
    monkeypatch.setenv("HOME", "/home/somebody")
    assert str(cache_dir()) == "/home/somebody/.cache/slipway"
    assert str(carried_path("pip:thing", "/c")) == "/c/carried/thing"


def test_config_is_standard_library_only():
    code = (
        "import sys, trainer.config; print([m for m in sys.modules if m in ('numpy', 'absl', 'tensorflow', 'keras')])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


NEEDED = {  # besides what every task needs
    "multi": {"heads": "a:; b:"},
    "embedding": {"text_pair_column": "answer"},
    "span_qa": {"text_pair_column": "context", "sequence_length": 256},
}


@pytest.mark.parametrize("task", METRICS)
def test_each_task_has_its_own_metrics(task):
    for metric in METRICS[task]:
        Config.from_flat({**RUNNABLE, **NEEDED.get(task, {}), "task": task, "metric": metric}).validate()
    other = next(name for names in METRICS.values() for name in names if name not in METRICS[task])
    with pytest.raises(UserError, match=f"--metric={other}: --task={task} has {METRICS[task][0]}, "):
        Config.from_flat({**RUNNABLE, "task": task, "metric": other}).validate()
    assert Config.from_flat({"task": task}).metric() == METRICS[task][0]


@pytest.mark.parametrize(
    "task, flag, value",
    [
        ("multi_label", "label_smoothing", 0.1),
        ("multi_label", "abstain_precision", 0.9),
        ("regression", "focal_gamma", 2.0),
        ("regression", "label_smoothing", 0.1),
    ],
)
def test_what_a_task_has_not_is_refused(task, flag, value):
    with pytest.raises(UserError, match=f"--{flag}={value}: --task={task} has none; leave it out"):
        Config.from_flat({**RUNNABLE, "task": task, flag: value}).validate()
    Config.from_flat({**RUNNABLE, flag: value}).validate()


QA = {**RUNNABLE, "task": "span_qa", "text_pair_column": "context", "sequence_length": 128}


@pytest.mark.parametrize(
    "flags, said",
    [
        ({"text_pair_column": ""}, "--text_pair_column is empty: --task=span_qa reads there the text that holds the a"),
        (
            {"window_overlap": 61},
            "--window_overlap=61: a window of --sequence_length=128 has 61 tokens of its text beh",
        ),
        ({"question_tokens": 200}, "--window_overlap=32: a window of --sequence_length=128 has 0 tokens of its text b"),
        ({"answer_tokens": 0}, "--answer_tokens=0: allowed is 1 to 1024"),
        ({"question_tokens": 0}, "--question_tokens=0: allowed is 1 or more"),
        ({"focal_gamma": 1.0}, "--focal_gamma=1.0: --task=span_qa has none; leave it out"),
        ({"label_smoothing": 0.1}, "--label_smoothing=0.1: --task=span_qa has none; leave it out"),
    ],
)
def test_windows_of_questions_have_room_for_their_text(flags, said):
    Config.from_flat({**QA, "window_overlap": 60}).validate()
    with pytest.raises(UserError) as caught:
        Config.from_flat({**QA, **flags}).validate()
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize("separator", ["", " ", "\t"])
def test_a_separator_is_seen(separator):
    with pytest.raises(UserError, match="--label_separator is empty or white space"):
        Config.from_flat({**RUNNABLE, "label_separator": separator}).validate()


def test_labels_in_a_cell():
    assert labels_in(" b |a|| b", "|") == ("b", "a") and labels_in(" ", "|") == ()
