"""Programs that look like tensorflow_model_server and docker from outside."""

import os
import pathlib
import sys

# Answers GetModelStatus as the real one: START at first, then version 7 AVAILABLE (wire bytes), until it is ended.
_MODEL_SERVER = """#!{python}
import concurrent.futures, json, os, sys, time
import grpc
arguments = dict((part[2:] + "=true").split("=")[:2] for part in sys.argv[1:])
with open({log!r}, "w") as file:
    json.dump(sys.argv[1:], file)
print("fake server: starting as", os.getpid(), flush=True)
if os.environ.get("FAKE_STATUS"):
    sys.exit(int(os.environ["FAKE_STATUS"]))
asked = []
def status(request, context):
    asked.append(request)
    if request != b"\\x0a" + bytes([len(name) + 2]) + b"\\x0a" + bytes([len(name)]) + name:
        context.abort(grpc.StatusCode.NOT_FOUND, "no such model")
    return b"\\x0a\\x04\\x08\\x07\\x10\\x1e" if len(asked) > 2 else b"\\x0a\\x04\\x08\\x07\\x10\\x0a"
name = arguments["model_name"].encode()
server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
handlers = {{"GetModelStatus": grpc.unary_unary_rpc_method_handler(status)}}
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("tensorflow.serving.ModelService", handlers),))
server.add_insecure_port("127.0.0.1:" + arguments["port"])
server.start()
time.sleep(float(os.environ.get("FAKE_SECONDS", "60")))
sys.exit(9)
"""

_DOCKER = """#!/bin/sh
echo "$@" >> {log}
case "$1" in
  info) {info} ;;
  image) exit {image} ;;
  pull) exit {pull} ;;
esac
"""


def model_server(folder):
    """Puts a tensorflow_model_server into `folder`; gives the file that will hold its arguments."""
    log = str(folder / "arguments.json")
    _program(folder / "tensorflow_model_server", _MODEL_SERVER.format(python=sys.executable, log=log))
    return pathlib.Path(log)


def docker(folder, info="exit 0", image=0, pull=0):
    """Puts a docker into `folder`: `info` is shell, `image` and `pull` exit statuses; gives the log of its calls."""
    log = folder / "docker.log"
    _program(folder / "docker", _DOCKER.format(log=log, info=info, image=image, pull=pull))
    return log


def only(folder):
    """An environment whose PATH holds nothing but `folder` and the system's own tools."""
    tools = folder / "tools"
    tools.mkdir(exist_ok=True)
    for name in ("sh", "sleep"):
        if not (tools / name).exists():
            (tools / name).symlink_to(f"/bin/{name}")
    return os.environ | {"PATH": f"{folder}:{tools}"}


def _program(path, text):
    path.write_text(text)
    path.chmod(0o755)
