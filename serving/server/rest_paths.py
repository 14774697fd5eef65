"""What a method and a path of REST ask for: a model, its version or label, and what of it.

Source: ParseModelInfo and the two expressions above it in tensorflow_serving/model_servers/http_rest_api_util.cc, and
ProcessRequest in http_rest_api_handler.cc there. The path comes as it was sent, with its query: as in the real server,
one behind a model's name is part of the name, and one behind a method makes the path malformed.
"""

import re
import urllib.parse

import grpc
from tensorflow_serving.apis import model_pb2

from serving.server.status import StatusError, invalid

OURS = re.compile("/v1/.*", re.IGNORECASE)
_VERSION = r"(?:/versions/(\d+)|/labels/([^/:]+))?"
_POST = re.compile(rf"/v1/models/([^/:]+){_VERSION}:(classify|regress|predict)", re.IGNORECASE | re.ASCII)
_GET = re.compile(rf"/v1/models(?:/([^/:]+))?{_VERSION}(?:/(metadata))?", re.IGNORECASE | re.ASCII)
_LARGEST = 2**63 - 1


class UnreadableVersion(StatusError):
    """INVALID_ARGUMENT for a version that is no int64; the real server answers it without a body."""


def asked(method, path):
    """(predict, classify, regress, metadata or status; ModelSpec); INVALID_ARGUMENT where the path asks for nothing."""
    found = {"POST": _POST, "GET": _GET}[method].fullmatch(path) if method in ("POST", "GET") else None
    if not found:
        raise malformed(method, path)
    name, version, label, what = found.groups()
    spec = model_pb2.ModelSpec(name=_decoded(name or ""))
    if version:
        spec.version.value = _number(version)
    if label:
        spec.version_label = _decoded(label)
    if method == "GET":
        what = "metadata" if what == "metadata" else "status"
        if not spec.name:
            raise invalid("Missing model name in request.")
    elif not what.islower():  # the expressions know no case, what follows them does
        raise malformed(method, path)
    return what, spec


def malformed(method, path):
    """What is answered to a path, or a method, that asks for nothing."""
    return invalid(f"Malformed request: {method} {path}")


def _decoded(part):
    return urllib.parse.unquote(part, errors="replace")


def _number(digits):
    digits = digits.lstrip("0") or "0"
    if len(digits) > len(str(_LARGEST)) or int(digits) > _LARGEST:
        message = f"Failed to convert version: {digits} to numeric."
        raise UnreadableVersion(grpc.StatusCode.INVALID_ARGUMENT, message)
    return int(digits)
