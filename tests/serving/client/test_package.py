"""The client shipped alone, as slipway_client."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

import serving.client

_SOURCE = pathlib.Path(serving.client.__file__).parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder that the wheel was installed into; built without the network from a copy of the source."""
    root = tmp_path_factory.mktemp("slipway_client")
    source = shutil.copytree(_SOURCE, root / "source", ignore=shutil.ignore_patterns("__pycache__"))
    pip("wheel", "--no-build-isolation", f"--wheel-dir={root}", str(source))
    (wheel,) = root.glob("slipway_client-*.whl")
    pip("install", "--no-compile", f"--target={root / 'site'}", str(wheel))
    return root / "site"


def pip(command, *args):
    offline = [command, "--quiet", "--no-deps", "--no-index", "--disable-pip-version-check"]
    done = subprocess.run([sys.executable, "-m", "pip", *offline, *args], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def run(installed, *args):
    """A fresh process away from the checkout, with only the wheel on its path."""
    environment = os.environ | {"PYTHONPATH": str(installed)}
    return subprocess.run(args, capture_output=True, text=True, cwd=installed.parent, env=environment)


@pytest.mark.slow
def test_the_wheel_holds_every_file_and_no_other(installed):
    packed = {path.name: path.read_bytes() for path in (installed / "slipway_client").iterdir() if path.is_file()}
    assert packed == {path.name: path.read_bytes() for path in _SOURCE.glob("*.py")}
    assert {path.name.partition("-")[0] for path in installed.iterdir()} == {"slipway_client", "bin"}


@pytest.mark.slow
def test_it_works_without_slipway_and_without_tensorflow(installed, server):
    program = f"""import sys
import slipway_client
with slipway_client.Client("{server.address}", "reviews") as client:
    print(client.predict("0.25").label)
assert slipway_client.__file__.startswith({str(installed)!r}), slipway_client.__file__
assert not {{"tensorflow", "serving", "absl"}} & set(sys.modules)
"""
    done = run(installed, sys.executable, "-c", program)
    assert done.stdout == "negative\n", done.stderr


@pytest.mark.slow
def test_its_command_works(installed, server):
    command = str(installed / "bin" / "slipway-client")
    done = run(installed, command, f"--target={server.address}", "--model=reviews", "0.25")
    assert "negative" in done.stdout, done.stderr
    done = run(installed, command, "--model=reviews")
    assert done.returncode == 2 and done.stderr.startswith("error: no text given")
    assert "usage: slipway-client" in run(installed, command, "--help").stdout
