"""models.config, the file of TF Serving's --model_config_file: models, version policies and labels.

Source: tensorflow_serving/config/model_server_config.proto. The messages come without TensorFlow.
"""

import os

from google.protobuf import text_format

from serving.contract import ServingError

_PLATFORM = "tensorflow"


def read(path):
    """The ModelServerConfig of a file; ServingError, with file:line, where it is none."""
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


def of_one(name, base_path):
    """The ModelServerConfig of one model that serves its newest version."""
    from tensorflow_serving.config import model_server_config_pb2

    config = model_server_config_pb2.ModelServerConfig()
    config.model_config_list.config.add(name=name, base_path=os.path.abspath(base_path), model_platform=_PLATFORM)
    return config
