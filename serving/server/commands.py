"""Command lines that serve the same folder with the real TensorFlow Serving."""

import dataclasses
import math
import os

from serving import contract
from serving.server.options import Options, present_versions
from serving.server.ports import joined

DEBIAN_SOURCE = (
    "deb [arch=amd64] https://storage.googleapis.com/tensorflow-serving-apt "
    "stable tensorflow-model-server tensorflow-model-server-universal"
)
_FILES = ("batching_parameters_file", "monitoring_config_file", "ssl_config_file")
_SWITCHES = (
    "enable_batching",
    "enable_per_model_batching_parameters",
    "rest_api_enable_cors_support",
    "enable_grpc_healthcheck_service",
    "enable_signature_method_name_check",
)
_VALUES = ("rest_api_num_threads", "rest_api_timeout_in_ms", "load_retry_interval_micros", *_FILES)
_IN_DOCKER = "/etc/slipway"
_IMAGE_TAGS = {"2.19": "2.19.1", "2.20": "2.20.0"}


def model_server_command(options):
    """Arguments that start `tensorflow_model_server`; it listens on every address of the machine."""
    return [
        "tensorflow_model_server",
        f"--port={options.port}",
        f"--rest_api_port={options.rest_api_port}",
        *_models(options),
        *_tuning(options),
    ]


def _models(options):
    if not options.model_config_file:
        return [f"--model_name={options.model_name}", f"--model_base_path={options.model_base_path}"]
    return [
        f"--model_config_file={options.model_config_file}",
        f"--model_config_file_poll_wait_seconds={math.ceil(options.model_config_file_poll_wait_seconds)}",
        *(["--allow_version_labels_for_unavailable_models"] * options.allow_version_labels_for_unavailable_models),
    ]


def docker_command(options):
    """Arguments that start stock TensorFlow Serving in a container, the folder and the files mounted read-only."""
    target = f"/models/{options.model_name}"
    files = {name: path for name in _FILES if (path := getattr(options, name))}
    ports = [(options.port, 8500)] + ([(options.rest_api_port, 8501)] if options.rest_api_port else [])
    # --init: the image's shell is process 1 and would ignore SIGTERM.
    return [
        *("docker", "run", "--rm", "--init"),
        *(part for port, inside in ports for part in ("-p", f"{joined(options.host, port)}:{inside}")),
        *_mount(options.model_base_path, target),
        *(part for name, path in files.items() for part in _mount(path, f"{_IN_DOCKER}/{name}")),
        *("-e", f"MODEL_NAME={options.model_name}"),
        image(options),
        *_tuning(dataclasses.replace(options, **{name: f"{_IN_DOCKER}/{name}" for name in files})),
    ]


def image(options):
    """The image asked for, or stock TensorFlow Serving of the newest release that the newest version was proven for."""
    if options.docker_image:
        return options.docker_image
    present = present_versions(options.model_base_path)
    version = os.path.join(options.model_base_path, present[max(present)] if present else "")
    try:
        targets = contract.read_contract(version)["serving_target"]
    except contract.ServingError:
        targets = []  # a version that Slipway did not make
    known = [target for target in _IMAGE_TAGS if target in targets] or list(_IMAGE_TAGS)
    return f"tensorflow/serving:{_IMAGE_TAGS[known[-1]]}"


def _tuning(options):
    return [
        f"--grpc_max_threads={options.grpc_max_threads}",
        f"--max_num_load_retries={options.max_num_load_retries}",
        f"--file_system_poll_wait_seconds={math.ceil(options.file_system_poll_wait_seconds)}",
        *(f"--{name}" for name in _SWITCHES if getattr(options, name)),
        *(["--enable_model_warmup=false"] * (not options.enable_model_warmup)),
        *(f"--{name}={getattr(options, name)}" for name in _VALUES if getattr(options, name) != getattr(Options, name)),
    ]


def _mount(source, target):
    return "--mount", ",".join(map(_csv, ("type=bind", f"source={source}", f"target={target}", "readonly")))


def _csv(field):
    """One field of docker's --mount, which is read as a line of CSV."""
    return '"' + field.replace('"', '""') + '"' if set(field) & set(',"') else field
