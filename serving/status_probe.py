"""Which versions a server serves: GetModelStatus, asked without TensorFlow's stubs (2.7 s, half a gigabyte).

The wire holds only field numbers and types, so the two messages are declared here, trimmed, in a pool of their own
(tensorflow_serving/apis/{get_model_status,model}.proto, Apache License 2.0).
"""

import contextlib
import socket
import ssl

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_METHOD = "/tensorflow.serving.ModelService/GetModelStatus"
_AVAILABLE = 30
_ASK_SECONDS = 5
# a server that loads for minutes is found within a second of its start, not at the end of gRPC's own long back-off
_PATIENT = [("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 1000)]
_Field = descriptor_pb2.FieldDescriptorProto
# message: (field, number, type; a message's name where it is one, repeated where it ends in *)
_MESSAGES = {
    "ModelSpec": [("name", 1, "string")],
    "Request": [("model_spec", 1, "ModelSpec")],
    "VersionStatus": [("version", 1, "int64"), ("state", 2, "int32")],
    "Response": [("statuses", 1, "VersionStatus*")],
}


class StatusProbe:
    """One channel to a server that may not be up yet; a context manager."""

    def __init__(self, address, model_name):
        self._channel = grpc.insecure_channel(address, options=_PATIENT)
        self._ask = self._channel.unary_unary(
            _METHOD, lambda message: message.SerializeToString(), _Response.FromString
        )
        self._request = _Request(model_spec=_ModelSpec(name=model_name))

    def available(self):
        """The AVAILABLE versions, a set; None while the server does not answer, or knows nothing of the model."""
        try:
            statuses = self._ask(self._request, timeout=_ASK_SECONDS).statuses
        except grpc.RpcError:
            return None
        return {each.version for each in statuses if each.state == _AVAILABLE}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._channel.close()


def speaks_tls(address):
    """Whether HOST:PORT answers a TLS handshake, which a probe in plain text cannot ask over."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    host, _, port = address.rpartition(":")
    with contextlib.suppress(OSError, ValueError):  # ValueError: what gRPC dials, and a socket does not
        with socket.create_connection((host.strip("[]"), int(port)), _ASK_SECONDS) as one:
            context.wrap_socket(one).close()
            return True
    return False


def _build_pool():
    file = descriptor_pb2.FileDescriptorProto(name="slipway/probe.proto", package="slipway.probe", syntax="proto3")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field_name, number, kind in fields:
            label = _Field.LABEL_REPEATED if kind.endswith("*") else _Field.LABEL_OPTIONAL
            field = message.field.add(name=field_name, number=number, label=label)
            if kind.rstrip("*") in _MESSAGES:
                field.type, field.type_name = _Field.TYPE_MESSAGE, f".slipway.probe.{kind.rstrip('*')}"
            else:
                field.type = getattr(_Field, f"TYPE_{kind.upper()}")
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return pool


_pool = _build_pool()
_ModelSpec, _Request, _Response = (
    message_factory.GetMessageClass(_pool.FindMessageTypeByName(f"slipway.probe.{name}"))
    for name in ("ModelSpec", "Request", "Response")
)
