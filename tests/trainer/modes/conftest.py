"""One trained and exported workdir that the tests of this folder share or copy."""

import dataclasses
import json
import pathlib
import shutil

import pytest

from tests.commands import Done, main_process
from tests.once import made_once

LEARN = (
    *("--sequence_length=24", "--batch_size=8", "--epochs=4", "--learning_rate=1e-2", "--pooling=mean"),
    *("--device=cpu", "--precision=float32", "--proof_texts=8", "--seed=3"),
)


@dataclasses.dataclass(frozen=True)
class Trained:
    """flags: the command's flags but --workdir and --json; done: what it printed; given: the --workdir that it had."""

    workdir: pathlib.Path
    flags: tuple
    done: Done
    given: pathlib.Path | None = None

    @property
    def results(self):
        return json.loads((self.workdir / "results.json").read_text())


@pytest.fixture(scope="session")
def flags(bert_folder, reviews):
    """Flags of a run that learns in seconds."""
    return (f"--encoder={bert_folder}", f"--data={reviews}", *LEARN)


@pytest.fixture(scope="session")
def trained(flags, tmp_path_factory):
    """A run of the real command, from the first step to the proven version; leave its files as they are."""
    folder = made_once(tmp_path_factory, "modes", lambda folder: _train(flags, folder))
    own = shutil.copytree(folder / "reviews", tmp_path_factory.mktemp("runs") / "reviews")  # a workdir has one user
    return Trained(own, flags, Done(**json.loads((folder / "done.json").read_text())), folder / "reviews")


def _train(flags, folder):
    done = main_process(*flags, f"--workdir={folder}/reviews", "--json")
    assert done.code == 0, done.err
    (folder / "done.json").write_text(json.dumps(dataclasses.asdict(done)))


@pytest.fixture
def copied(trained, tmp_path):
    """The same workdir, to be spoilt or continued."""
    return dataclasses.replace(trained, workdir=pathlib.Path(shutil.copytree(trained.workdir, tmp_path / "copied")))
