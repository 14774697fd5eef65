"""An export that is killed leaves nothing that looks like a version, and the same command then finishes."""

import os
import signal
import subprocess
import sys
import time

import pytest

from serving.contract import check_proven

# What lies in the hidden folder at the moment of each kill: from its first file to the finished proof.
MOMENTS = [
    "version",
    "version/variables/variables.index",
    "version/contract.json",
    "*/requests.npz",
    "version/proof.json",
]
EXPORT = "import sys; from tests.trainer.export.conftest import train; train(sys.argv[1]).export(sys.argv[2])"


def export(encoder, folder):
    return subprocess.Popen([sys.executable, "-c", EXPORT, encoder, folder], start_new_session=True)


def kill_when(process, folder, pattern):
    """Kills the export and its clean process as soon as a file of the pattern is there; False where it ended first."""
    while process.poll() is None:
        if list(folder.glob(f".staging-*/{pattern}")):
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return True
        time.sleep(0.001)
    return False


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_killed_export_is_never_seen(bert_folder, tmp_path):
    killed = 0
    for moment in MOMENTS:
        killed += kill_when(export(bert_folder, tmp_path), tmp_path, moment)
        for version in tmp_path.glob("[!.]*"):  # the last kill may come after the rename
            check_proven(version)
    assert killed >= len(MOMENTS) - 1
    assert export(bert_folder, tmp_path).wait() == 0
    assert not list(tmp_path.glob(".staging-*"))
    (version,) = tmp_path.glob("[!.]*")
    check_proven(version)
