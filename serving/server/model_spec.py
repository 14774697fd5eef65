"""Which servable a request means, and which one answered.

Sources: tensorflow_serving/model_servers/server_core.cc; MakeModelSpec in servables/tensorflow/util.cc.
"""

import contextlib

import grpc

from serving.server.status import StatusError, invalid

DEFAULT_SIGNATURE = "serving_default"


def spec_of(request):
    """The request's ModelSpec; INVALID_ARGUMENT where it has none."""
    if not request.HasField("model_spec"):
        raise invalid("Missing ModelSpec")
    return request.model_spec


def signature_of(spec):
    """Name of the signature that a ModelSpec asks."""
    return spec.signature_name or DEFAULT_SIGNATURE


@contextlib.contextmanager
def servable_of(models, spec):
    """The Servable that a ModelSpec names, kept loaded until the block ends; `models`: Models."""
    if not spec.name:
        raise invalid("ModelSpec has no name specified.")
    if spec.WhichOneof("version_choice") == "version_label":
        number = models.labelled(spec.name, spec.version_label)
    else:
        number = spec.version.value if spec.HasField("version") else None
    if spec.name not in models:
        wanted = f"Latest({spec.name})" if number is None else f"Specific({spec.name}, {number})"
        raise StatusError(grpc.StatusCode.NOT_FOUND, f"Servable not found for request: {wanted}")
    with models[spec.name].use(number) as servable:
        yield servable


def fill(answered, asked, number, signature=True):
    """Fills the ModelSpec of an answer from that of the request and the version's number."""
    answered.name = asked.name
    answered.version.value = number
    if signature:
        answered.signature_name = signature_of(asked)
