"""Messages of TensorFlow Serving's configuration files that tensorflow-serving-api leaves out, in a pool of their own.

They are read from the text format alone, so that only names and types matter, not field numbers. Sources:
tensorflow_serving/servables/tensorflow/session_bundle_config.proto, tensorflow_serving/config/monitoring_config.proto.
"""

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, wrappers_pb2

_Field = descriptor_pb2.FieldDescriptorProto
_INT, _TRUTH, _TEXT = (f".google.protobuf.{name}Value" for name in ("Int64", "Bool", "String"))
# message: {field: its message, or "repeated int64" or a scalar type of proto3}
_MESSAGES = {
    "BatchingParameters": {
        "max_batch_size": _INT,
        "batch_timeout_micros": _INT,
        "max_enqueued_batches": _INT,
        "num_batch_threads": _INT,
        "thread_pool_name": _TEXT,
        "allowed_batch_sizes": "repeated int64",
        "pad_variable_length_inputs": "bool",
        "enable_large_batch_splitting": _TRUTH,
        "max_execution_batch_size": _INT,
    },
    "PrometheusConfig": {"enable": "bool", "path": "string"},
    "MonitoringConfig": {"prometheus_config": ".slipway.config.PrometheusConfig"},
}


def new(name):
    """An empty message of that name, for example BatchingParameters."""
    return _CLASSES[name]()


def _add_field(message, name, kind):
    label = _Field.LABEL_REPEATED if kind.startswith("repeated ") else _Field.LABEL_OPTIONAL
    field = message.field.add(name=name, number=len(message.field) + 1, label=label)
    kind = kind.removeprefix("repeated ")
    if kind.startswith("."):
        field.type, field.type_name = _Field.TYPE_MESSAGE, kind
    else:
        field.type = getattr(_Field, f"TYPE_{kind.upper()}")


def _classes():
    file = descriptor_pb2.FileDescriptorProto(name="slipway/config.proto", package="slipway.config", syntax="proto3")
    file.dependency.append(wrappers_pb2.DESCRIPTOR.name)
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, kind in fields.items():
            _add_field(message, field, kind)
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(file.SerializeToString())
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"slipway.config.{name}"))
        for name in _MESSAGES
    }


_CLASSES = _classes()
