"""models.config, what TF Serving's --model_config_file reads: which versions of a model it names.

Source: tensorflow_serving/config/model_server_config.proto, sources/storage_path/file_system_storage_path_source.proto.
"""

import os

from google.protobuf import text_format

from serving.contract import ServingError


def named(path, base_path):
    """{number: "labelled 'stable'" or "served by number"} of the versions below base_path that a file names.

    ServingError, with file:line, where it is no models.config.
    """
    found = {}
    for model in _read(path).model_config_list.config:
        if os.path.abspath(model.base_path) == os.path.abspath(base_path):
            found |= dict.fromkeys(model.model_version_policy.specific.versions, "served by number")
            found |= {number: f"labelled '{label}'" for label, number in sorted(model.version_labels.items())}
    return found


def _read(path):
    from tensorflow_serving.config import model_server_config_pb2

    try:
        with open(path, encoding="utf-8") as file:
            return text_format.Parse(file.read(), model_server_config_pb2.ModelServerConfig())
    except text_format.ParseError as error:
        reason = str(error).split(" : ", 1)[-1].strip()
        raise ServingError(f"{path}:{error.GetLine() or 1}: not a models.config: {reason}") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        raise ServingError(f"--model_config_file={path}: {reason}; give a models.config") from None
