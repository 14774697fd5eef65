"""Asks a version in a process of its own, which loads it as TF Serving does and knows nothing of the training."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

import serving
from serving import exchange, loader
from trainer.config import EnvironmentFault
from trainer.export.inspection import ProofRefused

TIMEOUT = 3600  # seconds; a process that hangs must not hang the export for ever
# What would make its arithmetic another one than a stock server's.
_LEFT_OUT = (
    "TF_XLA_FLAGS",
    "TF_ENABLE_AUTO_MIXED_PRECISION",
    "ONEDNN_DEFAULT_FPMATH_MODE",
    "TF_SET_ONEDNN_FPMATH_MODE",
)


def answers(version_dir, requests, scratch, mixed_precision=False):
    """(status, answers) of requests `{key: (signature, {input: array})}`, answers `{key: {output: array}}`.

    Raises ProofRefused where the version fails, else as `ask`.
    """
    status, found = ask(version_dir, list(requests.values()), scratch, mixed_precision)
    if status["status"] != "ok":
        raise ProofRefused(f"{status['stage']}: {status['culprit']}")
    return status, dict(zip(requests, (arrays for _, arrays in found), strict=True))


def ask(version_dir, requests, scratch, mixed_precision=False):
    """Runs every request, a list of (signature, {input: array}).

    Args:
        scratch: existing folder for the files that go to the process and come back.
        mixed_precision: bool; as under TF Serving's --mixed_precision=bfloat16.

    Returns:
        (status, answers): status as serving.loader prints it; answers a list like `requests`, None after a failure.

    Raises:
        EnvironmentFault: the process died of something that says nothing about the version.
    """
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        asked, answered = (os.path.join(folder, name) for name in ("requests.npz", "answers.npz"))
        exchange.write(asked, requests)
        # -P: what lies in the current folder must not stand in for our modules.
        command = [sys.executable, "-P", "-m", "serving.loader", str(version_dir), asked, answered]
        command += [loader.MIXED_PRECISION] if mixed_precision else []
        form = {"capture_output": True, "text": True, "errors": "replace"}
        try:
            ended = subprocess.run(command, env=_environment(), timeout=TIMEOUT, check=False, **form)
        except subprocess.TimeoutExpired:
            raise EnvironmentFault(
                f"the process that proves the version did not end within {TIMEOUT} seconds; export again"
            ) from None
        status = _status(ended)
        return status, exchange.read(answered) if status["status"] == "ok" else None


def _environment():
    environment = {name: value for name, value in os.environ.items() if name not in _LEFT_OUT}
    house = str(pathlib.Path(serving.__file__).parent.parent)
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [house, environment.get("PYTHONPATH")]))
    environment["CUDA_VISIBLE_DEVICES"] = "-1"  # TensorFloat-32 on a GPU would not be the float32 that is compared
    environment["TF_CPP_MIN_LOG_LEVEL"] = "3"
    return environment


def _status(ended):
    lines = ended.stdout.strip().splitlines()
    if ended.returncode in (0, 3) and lines:
        return json.loads(lines[-1])
    said = ([line for line in ended.stderr.splitlines() if line.strip()] or ["nothing was said"])[-1]
    died = f"signal {-ended.returncode}" if ended.returncode < 0 else f"exit code {ended.returncode}"
    reason = "out of memory is the usual cause" if ended.returncode == -9 else said.strip()[:300]
    raise EnvironmentFault(f"the process that proves the version ended with {died} ({reason}); export again")
