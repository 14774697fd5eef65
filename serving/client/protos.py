"""The few TensorFlow Serving messages that a client needs, in a descriptor pool of their own.

The stubs of tensorflow-serving-api import TensorFlow (seconds, half a gigabyte). The wire format is only field numbers
and types, so the messages are declared here, trimmed, under their real names. The pool is private: TensorFlow registers
the same names in the default pool, and both then live in one process in either import order.

Field names, numbers and types are those of TensorFlow (tensorflow/core/framework/{tensor,tensor_shape,types}.proto,
tensorflow/core/protobuf/meta_graph.proto) and TensorFlow Serving (tensorflow_serving/apis/*.proto), both Copyright The
TensorFlow Authors and The TensorFlow Serving Authors, Apache License 2.0, and of Protocol Buffers
(google/protobuf/{any,wrappers}.proto), Copyright Google Inc., BSD 3-Clause.
"""

import re

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_ENUMS = {
    "tensorflow.DataType": {
        "DT_INVALID": 0,
        "DT_FLOAT": 1,
        "DT_DOUBLE": 2,
        "DT_INT32": 3,
        "DT_UINT8": 4,
        "DT_INT16": 5,
        "DT_INT8": 6,
        "DT_STRING": 7,
        "DT_INT64": 9,
        "DT_BOOL": 10,
        "DT_BFLOAT16": 14,
        "DT_UINT16": 17,
        "DT_HALF": 19,
        "DT_UINT32": 22,
        "DT_UINT64": 23,
    },
    "tensorflow.serving.ModelVersionStatus.State": {
        "UNKNOWN": 0,
        "START": 10,
        "LOADING": 20,
        "AVAILABLE": 30,
        "UNLOADING": 40,
        "END": 50,
    },
}

# One field per line, as a .proto would have it; outer messages before those nested in them.
_MESSAGES = {
    "google.protobuf.Int64Value": "int64 value = 1",
    "google.protobuf.Any": """
        string type_url = 1
        bytes value = 2""",
    "tensorflow.TensorShapeProto": """
        repeated tensorflow.TensorShapeProto.Dim dim = 2
        bool unknown_rank = 3""",
    "tensorflow.TensorShapeProto.Dim": """
        int64 size = 1
        string name = 2""",
    "tensorflow.TensorProto": """
        tensorflow.DataType dtype = 1
        tensorflow.TensorShapeProto tensor_shape = 2
        int32 version_number = 3
        bytes tensor_content = 4
        repeated float float_val = 5
        repeated double double_val = 6
        repeated int32 int_val = 7
        repeated bytes string_val = 8
        repeated int64 int64_val = 10
        repeated bool bool_val = 11
        repeated int32 half_val = 13
        repeated uint32 uint32_val = 16
        repeated uint64 uint64_val = 17""",
    "tensorflow.TensorInfo": """
        string name = 1
        tensorflow.DataType dtype = 2
        tensorflow.TensorShapeProto tensor_shape = 3""",
    "tensorflow.SignatureDef": """
        map tensorflow.TensorInfo inputs = 1
        map tensorflow.TensorInfo outputs = 2
        string method_name = 3""",
    "tensorflow.serving.ModelSpec": """
        string name = 1
        oneof version_choice google.protobuf.Int64Value version = 2
        oneof version_choice string version_label = 4
        string signature_name = 3""",
    "tensorflow.serving.PredictRequest": """
        tensorflow.serving.ModelSpec model_spec = 1
        map tensorflow.TensorProto inputs = 2
        repeated string output_filter = 3""",
    "tensorflow.serving.PredictResponse": """
        map tensorflow.TensorProto outputs = 1
        tensorflow.serving.ModelSpec model_spec = 2""",
    "tensorflow.serving.GetModelMetadataRequest": """
        tensorflow.serving.ModelSpec model_spec = 1
        repeated string metadata_field = 2""",
    "tensorflow.serving.GetModelMetadataResponse": """
        tensorflow.serving.ModelSpec model_spec = 1
        map google.protobuf.Any metadata = 2""",
    "tensorflow.serving.SignatureDefMap": "map tensorflow.SignatureDef signature_def = 1",
    "tensorflow.serving.GetModelStatusRequest": "tensorflow.serving.ModelSpec model_spec = 1",
    "tensorflow.serving.GetModelStatusResponse": """
        repeated tensorflow.serving.ModelVersionStatus model_version_status = 1""",
    # In the original error_code is the enum tensorflow.error.Code, which an int32 equals on the wire.
    "tensorflow.serving.StatusProto": """
        int32 error_code = 1
        string error_message = 2""",
    "tensorflow.serving.ModelVersionStatus": """
        int64 version = 1
        tensorflow.serving.ModelVersionStatus.State state = 2
        tensorflow.serving.StatusProto status = 3""",
}

_FIELD = re.compile(r"(?:(repeated|map|oneof (?P<oneof>\w+)) )?(?P<type>[\w.]+) (?P<name>\w+) = (?P<number>\d+)")
_Field = descriptor_pb2.FieldDescriptorProto


def _package(full_name):
    """The lower-case head of a name: `tensorflow.serving` of `tensorflow.serving.ModelSpec`."""
    return ".".join(part for part in full_name.split(".") if part[0].islower())


def _add_field(message, full_name, line):
    """Adds the field that `line` declares to the DescriptorProto `message`."""
    match = _FIELD.fullmatch(line.strip())
    kind = match[1] or ""
    field = message.field.add(name=match["name"], number=int(match["number"]), label=_Field.LABEL_OPTIONAL)
    type_name = match["type"]
    if kind == "map":
        type_name = f"{full_name}.{_add_map_entry(message, match)}"
    if kind in ("repeated", "map"):
        field.label = _Field.LABEL_REPEATED
    if match["oneof"]:
        if not message.oneof_decl:
            message.oneof_decl.add(name=match["oneof"])
        field.oneof_index = 0
    _set_type(field, type_name)


def _add_map_entry(message, match):
    """The nested message {string key, value} by which protobuf spells map<string, value>; returns its name."""
    name = match["name"].title().replace("_", "") + "Entry"
    entry = message.nested_type.add(name=name)
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, label=_Field.LABEL_OPTIONAL, type=_Field.TYPE_STRING)
    _set_type(entry.field.add(name="value", number=2, label=_Field.LABEL_OPTIONAL), match["type"])
    return name


def _set_type(field, type_name):
    if "." not in type_name:
        field.type = getattr(_Field, f"TYPE_{type_name.upper()}")
        return
    field.type = _Field.TYPE_ENUM if type_name in _ENUMS else _Field.TYPE_MESSAGE
    field.type_name = f".{type_name}"


def _files():
    """One FileDescriptorProto per package, in order of dependence."""
    files, messages = {}, {}
    for full_name, fields in _MESSAGES.items():
        package = _package(full_name)
        if package not in files:
            name = f"slipway/client/{package}.proto"
            depends = [file.name for file in files.values()]
            files[package] = descriptor_pb2.FileDescriptorProto(
                name=name, package=package, syntax="proto3", dependency=depends
            )
        outer, _, short_name = full_name.rpartition(".")
        home = messages[outer].nested_type if outer in messages else files[package].message_type
        messages[full_name] = home.add(name=short_name)
        for line in fields.strip().splitlines():
            _add_field(messages[full_name], full_name, line)
    for full_name, values in _ENUMS.items():
        outer, _, short_name = full_name.rpartition(".")
        enum = (messages[outer] if outer in messages else files[_package(full_name)]).enum_type.add(name=short_name)
        for name, number in values.items():
            enum.value.add(name=name, number=number)
    return files.values()


_pool = descriptor_pool.DescriptorPool()
for _file in _files():
    _pool.AddSerializedFile(_file.SerializeToString())


def _message(full_name):
    return message_factory.GetMessageClass(_pool.FindMessageTypeByName(full_name))


DataType = _ENUMS["tensorflow.DataType"]
VersionState = {number: name for name, number in _ENUMS["tensorflow.serving.ModelVersionStatus.State"].items()}
TensorProto = _message("tensorflow.TensorProto")
ModelSpec = _message("tensorflow.serving.ModelSpec")
PredictRequest = _message("tensorflow.serving.PredictRequest")
PredictResponse = _message("tensorflow.serving.PredictResponse")
GetModelMetadataRequest = _message("tensorflow.serving.GetModelMetadataRequest")
GetModelMetadataResponse = _message("tensorflow.serving.GetModelMetadataResponse")
SignatureDefMap = _message("tensorflow.serving.SignatureDefMap")
GetModelStatusRequest = _message("tensorflow.serving.GetModelStatusRequest")
GetModelStatusResponse = _message("tensorflow.serving.GetModelStatusResponse")
