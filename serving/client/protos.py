"""The few TensorFlow Serving messages that a client needs, in a descriptor pool of their own.

The stubs of tensorflow-serving-api import TensorFlow (seconds, half a gigabyte). The wire format is only field numbers
and types, so the messages are declared here, trimmed, under their real names. The pool is private: TensorFlow registers
the same names in the default pool, and both then live in one process in either import order. A class is made when it is
first asked for, not at import: with what it needs of protobuf that would be a quarter of the client's import time.

Field names, numbers and types are those of TensorFlow (tensorflow/core/framework/{tensor,tensor_shape,types}.proto,
tensorflow/core/protobuf/meta_graph.proto) and TensorFlow Serving (tensorflow_serving/apis/*.proto), both Copyright The
TensorFlow Authors and The TensorFlow Serving Authors, Apache License 2.0, and of Protocol Buffers
(google/protobuf/{any,wrappers}.proto), Copyright Google Inc., BSD 3-Clause.
"""

ENUMS = {
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
MESSAGES = {
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

DataType = ENUMS["tensorflow.DataType"]
VersionState = {number: name for name, number in ENUMS["tensorflow.serving.ModelVersionStatus.State"].items()}


def __getattr__(name):
    """The class of the message called `name`, for example `PredictRequest`."""
    if name not in _NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .message_classes import CLASSES  # once, under the import lock: threads must not get classes of two pools

    return CLASSES[name]


_NAMES = {full_name.rpartition(".")[2] for full_name in MESSAGES}
