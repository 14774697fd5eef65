"""The client brings in nothing but the standard library, numpy, grpcio and protobuf."""

import ast
import pathlib
import subprocess
import sys

import serving.client

_FOLDER = pathlib.Path(serving.client.__file__).parent
_ALLOWED = {"grpc", "numpy", "google"} | set(sys.stdlib_module_names)


def test_a_client_process_that_predicts_never_loads_tensorflow(server):
    program = f"""import sys
from serving.client import Client
import serving.client.cli
with Client("{server.address}", "reviews") as client:
    assert client.ready() and client.status() and client.contract
    client.predict(["a"])
    client.raw({{"x": [1.0]}}, signature="numbers")
heavy = {{"tensorflow", "tensorflow_serving", "keras", "absl", "serving.contract", "trainer"}} & set(sys.modules)
assert not heavy, heavy
print("light")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "light\n", done.stderr


def test_every_import_is_allowed_and_relative():
    for path in _FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                roots = {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                roots = {node.module.partition(".")[0]}
            else:
                assert getattr(node, "level", 1) == 1, f"{path.name} reaches above its own package"
                continue
            assert roots <= _ALLOWED, f"{path.name} imports {roots - _ALLOWED}"
