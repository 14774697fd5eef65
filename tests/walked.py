"""Each task trained, proven and judged by the real command, once for all tests that look at what came of it."""

import dataclasses
import functools
import pathlib
import shutil

import pytest

from tests import tiny_reviews
from tests.commands import run_main
from tests.once import made_once
from tests.task_walks import WALKS, Walk

ROWS = {"train": 96, "dev": 40, "test": 40}
LEARN = ("--sequence_length=32", "--epochs=8", "--batch_size=8", "--learning_rate=1e-2", "--model_name=tiny")


@dataclasses.dataclass(frozen=True)
class Walked:
    """data: its folder of rows; flags: the command's but --workdir; workdir: leave its files as they are."""

    task: str
    walk: Walk
    data: pathlib.Path
    flags: tuple
    workdir: pathlib.Path

    def version(self):
        """The folder of the one version that the command exported."""
        (version,) = (self.workdir / "export").glob("[!.]*")
        return version


@pytest.fixture(scope="session")
def walked(bert_folder, tmp_path_factory):
    """walked(task) is the Walked of that task."""

    @functools.cache
    def of(task):
        folder = made_once(tmp_path_factory, f"walk-{task}", lambda folder: _train(task, folder, bert_folder))
        own = shutil.copytree(folder / "run", tmp_path_factory.mktemp(task) / "run")  # a workdir has one user at a time
        return Walked(WALKS[task].task or task, WALKS[task], folder / "data", _flags(task, folder, bert_folder), own)

    return of


def _flags(task, folder, encoder):
    named = WALKS[task].task or task
    return (f"--task={named}", f"--data={folder}/data", f"--encoder={encoder}", *LEARN, *WALKS[task].flags)


def _train(task, folder, encoder):
    walk = WALKS[task]
    for seed, (split, count) in enumerate(ROWS.items()):
        tiny_reviews.write(folder / "data" / f"{split}.jsonl", walk.rows(count, seed), walk.columns)
    done = run_main(*_flags(task, folder, encoder), f"--workdir={folder}/run", "--json")
    assert done.code == 0, done.err
