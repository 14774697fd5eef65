"""The newest versions stay, and those that models.config names; what goes is in the history and never comes again."""

import os
import shutil

import pytest

from serving.contract import ServingError
from serving.release import collect as module
from serving.release import history, listing
from serving.release.collect import collect
from serving.release.label import label
from serving.release.publish import publish
from tests.serving.tiny_version import fake_version

CONFIG = """model_config_list {{
  config {{
    name: "reviews" base_path: "{base}" model_platform: "tensorflow"
    model_version_policy {{ specific {{ versions: 2 versions: 1 }} }}
    version_labels {{ key: "stable" value: 1 }}
  }}
  config {{ name: "other" base_path: "/elsewhere" version_labels {{ key: "stable" value: 3 }} }}
}}
"""


@pytest.fixture
def base(tmp_path):
    """Versions 1 to 5 with different files."""
    for name in "abcde":
        publish(fake_version(tmp_path / name, name.encode()), tmp_path / "reviews")
    return tmp_path / "reviews"


def numbers(base):
    return sorted(int(name) for name in os.listdir(base) if name.isdigit())


def test_all_but_the_newest_go_and_their_numbers_are_never_given_again(tmp_path, base):
    done = collect(base, keep=2, reason="disk")
    assert (done["removed"], done["kept"], numbers(base)) == ([1, 2, 3], [4, 5], [4, 5])
    assert done["bytes"] > 0 and not [name for name in os.listdir(base) if name.startswith(".staging")]
    assert [(each["action"], each["version"], each["reason"]) for each in history.read(base)[5:]] == [
        ("gc", number, "disk") for number in (1, 2, 3)
    ]
    assert [row["present"] for row in listing.versions(base)] == [False] * 3 + [True] * 2
    assert collect(base, keep=2)["removed"] == []
    assert publish(tmp_path / "a", base).version == 6


def test_a_dry_run_removes_nothing(base):
    assert collect(base, keep=1, dry_run=True)["removed"] == [1, 2, 3, 4]
    assert numbers(base) == [1, 2, 3, 4, 5] and len(history.read(base)) == 5


def test_what_models_config_names_stays(tmp_path, base):
    config = tmp_path / "models.config"
    config.write_text(CONFIG.format(base=base))
    assert collect(base, keep=1, config_file=config)["removed"] == [3, 4]
    for number, said in ((1, "labelled 'stable'"), (2, "served by number")):
        with pytest.raises(ServingError, match=f"--version={number} is {said} in models.config"):
            collect(base, version=number, config_file=config)
    assert numbers(base) == [1, 2, 5]


def test_without_models_config_the_history_says_what_is_labelled(tmp_path, base):
    config = tmp_path / "models.config"
    for name, number in (("stable", 1), ("stable", 2), ("canary", 3)):
        label(config, None, base, name, number)
    assert collect(base, keep=1)["removed"] == [1, 4]
    with pytest.raises(ServingError, match=r"--version=2 is labelled 'stable', says the history .*; take that away"):
        collect(base, version=2)
    config.write_text(CONFIG.format(base=base))  # the file knows better: nothing is labelled canary there
    assert collect(base, version=3, config_file=config)["removed"] == [3]
    assert numbers(base) == [2, 5]


def test_one_version_by_its_number_but_not_the_newest(base):
    assert collect(base, version=4)["removed"] == [4] and numbers(base) == [1, 2, 3, 5]
    with pytest.raises(ServingError, match="--version=5 is the newest, which servers take"):
        collect(base, version=5)


def test_killed_between_two_versions_shows_whole_ones_and_then_finishes(base, monkeypatch):
    def killed(path):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(module.shutil, "rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            collect(base, keep=2)
    assert numbers(base) == [2, 3, 4, 5] and [each["action"] for each in history.read(base)[5:]] == ["gc"]
    assert collect(base, keep=2)["removed"] == [2, 3]
    assert not [name for name in os.listdir(base) if name.startswith(".staging")]


def test_a_version_that_was_put_there_by_hand_goes_too(tmp_path, base):
    shutil.copytree(base / "1", base / "007")
    assert collect(base, keep=1)["removed"] == [1, 2, 3, 4, 5] and not (base / "5").exists()
