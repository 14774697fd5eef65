"""The models of a server by name, with the labels of their versions: what a ModelServerConfig lists.

Sources: ServerCore::ReloadConfig, WaitUntilModelsAvailable and UpdateModelVersionLabelMap
(tensorflow_serving/model_servers/server_core.cc), whose messages these are.
"""

import threading

import grpc

from serving.server import model_list
from serving.server.status import StatusError, invalid
from serving.server.versions import Versions


class Models:
    """{name: Versions}; `load(version_dir)` gives a serving.loader.ServedVersion.

    label_ahead: whether a new label may name a version that is not loaded.
    checks_methods: whether a signature answers only the RPC that its method_name names; the real server's own default.
    settings: further arguments of each Versions.
    """

    def __init__(self, load, label_ahead=False, checks_methods=False, **settings):
        self._load, self._label_ahead, self._settings = load, label_ahead, settings
        self.checks_methods = checks_methods
        self._changing = threading.Lock()  # one reload or look at a time
        self._models, self._labels, self._platforms = {}, {}, {}
        self._gone = {}  # what is served no more keeps its states

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

    def states(self, name):
        """The VersionState of every version of a model, newest first; also of one that is gone."""
        known = {}
        for versions in (self._gone.get(name), self._models.get(name)):
            known |= {each.number: each for each in versions.states()} if versions else {}
        return [known[number] for number in sorted(known, reverse=True)]

    def poll(self):
        """Looks once for new versions of every model."""
        with self._changing:
            for versions in list(self._models.values()):
                versions.poll()

    def reload(self, config):
        """Serves what a ModelServerConfig lists, and nothing else; StatusError for one that cannot be served.

        Labels move first, so that none can name a version that the same config brings: as the real server has it.
        """
        with self._changing:
            before = set(self._models)
        self.load(config)
        with self._changing:
            silent = [each for each in self._models.values() if each.name not in before and each.newest() is None]
        if silent:
            told = "".join(f"{{{_fault(each)}}}, " for each in silent)
            raise StatusError(grpc.StatusCode.UNKNOWN, f"{len(silent)} model(s) did not become available: {{{told}}}")

    def load(self, config):
        """The same, whether or not something could be loaded."""
        listed = model_list.checked(config)
        with self._changing:
            model_list.check_changes(listed, self._platforms)
            self._label(config)
            platforms = model_list.platforms(listed)
            kept = {}
            for model in listed:
                found = self._models.get(model.name)
                if found is None or found.base_path != model.base_path:
                    found = Versions(model.name, model.base_path, self._load, **self._settings)
                found.policy = model.model_version_policy
                kept[model.name] = found
            dropped = [each for each in self._models.values() if each not in kept.values()]
            for versions in kept.values():
                versions.poll()
            self._gone |= {each.name: each for each in dropped}
            self._models, self._platforms = kept, platforms
            for versions in dropped:
                versions.close()

    def give_up(self):
        """Lets no version be tried again; may be called while one is being loaded."""
        self._settings["retries"] = 0
        for versions in list(self._models.values()):
            versions.give_up()

    def close(self):
        """Lets go of every model."""
        with self._changing:
            for versions in self._models.values():
                versions.close()

    def _label(self, config):
        """Gives the versions the labels of a ModelServerConfig; FAILED_PRECONDITION for one that is not loaded."""
        labels = {}
        for model in config.model_config_list.config:
            for label, number in sorted(model.version_labels.items()):
                self._check_label(model.name, label, number)
            labels[model.name] = dict(model.version_labels)
        self._labels = labels

    def _check_label(self, name, label, number):
        ahead = self._label_ahead and self._labels.get(name, {}).get(label, number) == number
        serving = self._models[name].serving() if name in self._models else ()
        if not ahead and number not in serving:
            raise StatusError(
                grpc.StatusCode.FAILED_PRECONDITION,
                f"Request to assign label to version {number} of model {name}, which is not currently available for "
                "inference",
            )


def _fault(versions):
    failed = [each for each in versions.states() if each.error]
    if not failed:  # there the call would wait for ever
        return f"name: {versions.name} due to error: no version is below {versions.base_path}"
    said = f"{failed[0].error.code.name}: {failed[0].error.message}"
    return f"{{name: {versions.name} version: {failed[0].number}}} due to error: {said}"
