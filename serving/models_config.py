"""models.config, the file of TF Serving's --model_config_file: models, version policies and labels.

Source: tensorflow_serving/config/model_server_config.proto. The messages come without TensorFlow.
"""

import contextlib
import fcntl
import os

from google.protobuf import text_format

from serving import text_proto
from serving.contract import ServingError

_PLATFORM = "tensorflow"


def read(path):
    """The ModelServerConfig of a file; ServingError, with file:line, where it is none."""
    from tensorflow_serving.config import model_server_config_pb2

    message = model_server_config_pb2.ModelServerConfig()
    return text_proto.read(path, message, f"--model_config_file={path}", "a models.config")


def of_one(name, base_path):
    """The ModelServerConfig of one model that serves its newest version."""
    from tensorflow_serving.config import model_server_config_pb2

    config = model_server_config_pb2.ModelServerConfig()
    config.model_config_list.config.add(name=name, base_path=os.path.abspath(base_path), model_platform=_PLATFORM)
    return config


@contextlib.contextmanager
def changing(path, name, base_path):
    """The entry of a model in a file, made where it is absent, to be changed; then the file is replaced in one rename.

    One command at a time; who reads sees the old file or the new one. ServingError for a file that is no models.config,
    whose model of that name has another folder, or whose model of that folder has another name.
    """
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with open(f"{path}.lock", "ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        config = read(path) if os.path.exists(path) else of_one(name, base_path)
        yield _entry(config, path, name, base_path)
        unfinished = f"{path}.new"
        with open(unfinished, "w", encoding="utf-8") as file:
            file.write(text_format.MessageToString(config, as_utf8=True))
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)


def _entry(config, path, name, base_path):
    if config.WhichOneof("config") == "custom_model_config":
        raise ServingError(f"{path}: has a custom_model_config; labels stand in a model_config_list")
    models, folder = config.model_config_list.config, os.path.abspath(base_path)
    for model in models:
        if model.name == name:
            if os.path.abspath(model.base_path) != folder:
                raise ServingError(
                    f"{path}: model '{name}' has the base_path {model.base_path}; give it as --model_base_path, or "
                    "another --model_name"
                )
            return model
    for model in models:
        if os.path.abspath(model.base_path) == folder:
            raise ServingError(
                f"{path}: has no model '{name}', but {base_path} is its model '{model.name}'; give "
                f"--model_name={model.name}, or write an entry of that name first"
            )
    models.append(of_one(name, base_path).model_config_list.config[0])
    return models[-1]
