"""Which versions of a model a models.config names, and so nobody may take away."""

import os

from serving import models_config


def named(path, base_path):
    """{number: "labelled 'stable'" or "served by number"} of the versions below base_path that a file names.

    ServingError, with file:line, where it is no models.config.
    """
    found = {}
    for model in models_config.read(path).model_config_list.config:
        if os.path.abspath(model.base_path) == os.path.abspath(base_path):
            found |= dict.fromkeys(model.model_version_policy.specific.versions, "served by number")
            found |= {number: f"labelled '{label}'" for label, number in sorted(model.version_labels.items())}
    return found
