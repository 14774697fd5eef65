"""The models of a server by name, with the labels of their versions: what a ModelServerConfig lists.

Sources: ServerCore::ReloadConfig, ValidateModelConfigList, GetPlatform and UpdateModelVersionLabelMap
(tensorflow_serving/model_servers/server_core.cc), whose messages these are. Unlike there, a model that answers and is
no longer listed goes only when all that are listed answer: one wrong config must not empty a server.
"""

import os
import threading

import grpc
from tensorflow_serving.config import model_server_config_pb2

from serving.server.status import StatusError, invalid
from serving.server.versions import Versions

_PLATFORM = "tensorflow"


class Models:
    """{name: Versions}; `load(version_dir)` gives a serving.loader.ServedVersion.

    label_ahead: whether a new label may name a version that is not loaded.
    """

    def __init__(self, load, label_ahead=False):
        self._load, self._label_ahead = load, label_ahead
        self._changing = threading.Lock()  # one reload or look at a time
        self._models, self._labels = {}, {}

    def __contains__(self, name):
        return name in self._models

    def __getitem__(self, name):
        return self._models[name]

    def __iter__(self):
        return iter(list(self._models))

    def labelled(self, name, label):
        """Number of the version that a label stands for; INVALID_ARGUMENT without one."""
        number = self._labels.get(name, {}).get(label)
        if number is None:
            raise invalid(f"Unrecognized servable version label: {label}")
        return number

    def poll(self):
        """Looks once for new versions of every model."""
        with self._changing:
            for versions in list(self._models.values()):
                versions.poll()

    def reload(self, config):
        """Serves what a ModelServerConfig lists, and nothing else; StatusError for one that cannot be served.

        Labels move last, when the versions that they name are loaded.
        """
        if silent := self.load(config):
            told = "}, {".join(f"{each.name} due to error: {_fault(each)}" for each in silent)
            raise StatusError(
                grpc.StatusCode.UNKNOWN, f"{len(silent)} servable(s) did not become available: {{{told}}}"
            )
        self.label(config)

    def load(self, config):
        """The same without labels, whether or not something could be loaded; gives the Versions that serve nothing."""
        listed = _checked(config)
        with self._changing:
            kept = {}
            for model in listed:
                found = self._models.get(model.name)
                if found is None or found.base_path != model.base_path:
                    found = Versions(model.name, model.base_path, self._load)
                found.policy = model.model_version_policy
                kept[model.name] = found
            for versions in kept.values():
                versions.poll()
            silent = [each for each in kept.values() if each.newest() is None]
            before = list(self._models.values())
            self._models = kept | (_answering(self._models, unless=kept) if silent else {})
            for versions in before:
                if versions not in self._models.values():
                    versions.close()
            return silent

    def label(self, config):
        """Gives the versions the labels of a ModelServerConfig; FAILED_PRECONDITION for one that is not loaded."""
        with self._changing:
            labels = {}
            for model in config.model_config_list.config:
                for label, number in sorted(model.version_labels.items()):
                    self._check_label(model.name, label, number)
                labels[model.name] = dict(model.version_labels)
            self._labels = labels

    def close(self):
        """Lets go of every model."""
        with self._changing:
            for versions in self._models.values():
                versions.close()

    def _check_label(self, name, label, number):
        ahead = self._label_ahead and label not in self._labels.get(name, {})
        if not ahead and number not in self._models[name].serving():
            raise StatusError(
                grpc.StatusCode.FAILED_PRECONDITION,
                f"Request to assign label to version {number} of model {name}, which is not currently available for "
                "inference",
            )


def _answering(models, unless):
    """Those of the models that answer, except where `unless` has one of the same name that does."""
    replaced = {name for name, versions in unless.items() if versions.newest() is not None}
    return {name: each for name, each in models.items() if name not in replaced and each.newest() is not None}


def _checked(config):
    if config.WhichOneof("config") == "custom_model_config":
        raise invalid("custom_model_config: Slipway's server knows model_config_list alone")
    listed, seen = config.model_config_list.config, set()
    for model in listed:
        if model.name in seen:
            raise invalid(f"Illegal to list model {model.name} multiple times in config list")
        seen.add(model.name)
        if not os.path.isabs(model.base_path):
            raise invalid(
                f"Expected model {model.name} to have an absolute path or URI; got base_path()={model.base_path}"
            )
        if (platform := _platform(model)) != _PLATFORM:
            raise invalid(f"Model {model.name} requests unsupported platform {platform}")
    return listed


def _platform(model):
    kind = model_server_config_pb2.ModelType
    if model.model_type not in (kind.MODEL_TYPE_UNSPECIFIED, kind.TENSORFLOW):
        name = kind.Name(model.model_type) if model.model_type in kind.values() else ""
        raise invalid(f"ModelServerConfig::model_type choice {name} not supported.")
    if not model.model_type and not model.model_platform:
        raise invalid(
            "Illegal setting neither ModelServerConfig::model_type (deprecated) nor ModelServerConfig::model_platform."
        )
    return _PLATFORM if model.model_type else model.model_platform


def _fault(versions):
    failed = [each.error.message for each in versions.states() if each.error]
    return failed[0] if failed else f"no version is below {versions.base_path}"
