"""Labels in models.config: a version is named for serving first, and labelled once the server has loaded it.

In the other order TF Serving refuses the file: a label may only name what is loaded. What the label named before stays
loaded until it moves again: requests that came by it are answered, and moving back takes no load.
"""

import os
import time

from serving import models_config
from serving.contract import ServingError, check_proven
from serving.nearest import did_you_mean
from serving.release import base_path as folder
from serving.release import history, source
from serving.status_probe import StatusProbe, speaks_tls

_POLL_SECONDS = 0.2


def label(config_file, model_name, base_path, name, version, target=None, wait_seconds=60, reason=""):
    """Lets `name` stand for `version`; returns {"label", "version", "before": number or None}.

    The file is made where it is absent, and replaced by one rename. target: HOST:PORT of the server that reads it; then
    the label moves when the version is AVAILABLE there. ServingError: 2 a version that is not there, 3 one that is not
    proven, 4 a server that does not load it within wait_seconds; the labels are then as they were.
    """
    base_path = os.path.abspath(base_path)
    present = folder.versions_there(base_path)
    if version not in present:
        raise ServingError(f"--version={version} is not there; there are {folder.listed(present)}")
    check_proven(os.path.join(base_path, present[version]))
    model_name = model_name or os.path.basename(base_path)
    with folder.locked(base_path):
        with models_config.changing(config_file, model_name, base_path) as model:
            _serve(model, {*model.version_labels.values(), version})
        if target:
            _wait(target, model_name, version, wait_seconds)
        with models_config.changing(config_file, model_name, base_path) as model:
            before = model.version_labels.get(name)
            model.version_labels[name] = version
            _serve(model, {*model.version_labels.values(), before or version})
        entries = history.read(base_path)
        print_of = source.fingerprint(os.path.join(base_path, present[version]))
        entries.append(history.entry("label", version, print_of, reason) | {"label": name, "before": before})
        history.commit(history.prepare(base_path, entries))
    return {"label": name, "version": version, "before": before}


def before(base_path, name):
    """The version that a label stood for before it was moved last; ServingError where it was never moved."""
    folder.versions_there(base_path)
    entries = [each for each in history.read(base_path) if each.get("label")]
    moves = [each for each in entries if each["label"] == name and each["before"]]
    if not moves:
        raise ServingError(f"--label={name} was never moved here; {_known(name, {each['label'] for each in entries})}")
    return moves[-1]["before"]


def _known(name, labels):
    if not labels:
        return "there is no label"
    return f"{did_you_mean(name, labels - {name})} labels are {', '.join(sorted(labels))}".strip()


def _serve(model, numbers):
    model.model_version_policy.Clear()
    model.model_version_policy.specific.versions.extend(sorted(numbers))


def _wait(target, model_name, version, seconds):
    until = time.monotonic() + seconds
    with StatusProbe(target, model_name) as server:
        while True:
            loaded = server.available()
            if loaded is not None and version in loaded:
                return
            if loaded is None and speaks_tls(target):
                raise ServingError(
                    f"--target={target} speaks TLS, and label asks in plain text; the label was not moved. Once "
                    f"python -m serving.client --tls … is answered by version {version}, label again without --target",
                    exit_code=4,
                )
            if time.monotonic() > until:
                told = "does not answer" if loaded is None else f"serves {folder.listed(loaded) or 'nothing'}"
                raise ServingError(
                    f"--target={target}: {model_name} {told}, not version {version}, after {seconds:g} s; the label "
                    "was not moved. Does the server read that models.config (--model_config_file_poll_wait_seconds)?",
                    exit_code=4,
                )
            time.sleep(_POLL_SECONDS)
