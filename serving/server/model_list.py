"""The models that a ModelServerConfig lists, and whether they may be served.

Sources: ValidateModelConfigList, ValidateNoModelsChangePlatforms, GetPlatform and CreateStoragePathRoutes in
tensorflow_serving/model_servers/server_core.cc, whose messages these are.
"""

import os

from tensorflow_serving.config import model_server_config_pb2

from serving.server.status import invalid

_PLATFORM = "tensorflow"


def checked(config):
    """The ModelConfigs of a config; INVALID_ARGUMENT for a name that comes twice, or a path that is not absolute."""
    if config.WhichOneof("config") == "custom_model_config":
        raise invalid("custom_model_config: Slipway's server knows model_config_list alone")
    listed, seen = config.model_config_list.config, set()
    for model in listed:
        if model.name in seen:
            raise invalid(f"Illegal to list model {model.name} multiple times in config list")
        seen.add(model.name)
    for model in listed:
        if not os.path.isabs(model.base_path):
            raise invalid(
                f"Expected model {model.name} to have an absolute path or URI; got base_path()={model.base_path}"
            )
    return listed


def check_changes(listed, before):
    """INVALID_ARGUMENT where a model changes its platform; before: `{name: platform}` of what is served."""
    for model in listed:
        if model.name in before and _platform(model) != before[model.name]:
            raise invalid(
                f"Illegal to change a model's platform. For model {model.name} platform was {before[model.name]} and "
                f"new platform requested is {_platform(model)}"
            )


def platforms(listed):
    """`{name: platform}`; INVALID_ARGUMENT for any but TensorFlow's."""
    found = {model.name: _platform(model) for model in listed}
    for name, platform in found.items():
        if platform != _PLATFORM:
            raise invalid(f"Model {name} requests unsupported platform {platform}")
    return found


def _platform(model):
    """The platform of a ModelConfig, which an old one tells by its model_type."""
    if model.model_type:
        if model.model_platform:
            raise invalid(
                "Illegal setting both ModelServerConfig::model_type (deprecated) and ModelServerConfig::model_platform."
            )
        if model.model_type != model_server_config_pb2.TENSORFLOW:
            raise invalid(f"ModelServerConfig::model_type choice {model.model_type} not supported.")
        return _PLATFORM
    if not model.model_platform:
        raise invalid(
            "Illegal setting neither ModelServerConfig::model_type (deprecated) nor ModelServerConfig::model_platform."
        )
    return model.model_platform
