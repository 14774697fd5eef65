"""Command lines that serve the same folder with the real TensorFlow Serving."""

import math
import os

from serving import contract
from serving.server.options import Options, present_versions
from serving.server.ports import joined

DEBIAN_SOURCE = (
    "deb [arch=amd64] https://storage.googleapis.com/tensorflow-serving-apt "
    "stable tensorflow-model-server tensorflow-model-server-universal"
)
_BATCHING_IN_DOCKER = "/etc/slipway/batching_parameters.pbtxt"
_MONITORING_IN_DOCKER = "/etc/slipway/monitoring.config"
_IMAGE_TAGS = {"2.19": "2.19.1", "2.20": "2.20.0"}


def model_server_command(options):
    """Arguments that start `tensorflow_model_server`; it listens on every address of the machine."""
    return [
        "tensorflow_model_server",
        f"--port={options.port}",
        f"--rest_api_port={options.rest_api_port}",
        *_models(options),
        *_tuning(options),
        *_batching(options, options.batching_parameters_file),
        *_rest(options, options.monitoring_config_file),
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
    """Arguments that start stock TensorFlow Serving in a container, the folder mounted read-only."""
    target = f"/models/{options.model_name}"
    ports = [(options.port, 8500)] + ([(options.rest_api_port, 8501)] if options.rest_api_port else [])
    # --init: the image's shell is process 1 and would ignore SIGTERM.
    return [
        *("docker", "run", "--rm", "--init"),
        *(part for port, inside in ports for part in ("-p", f"{joined(options.host, port)}:{inside}")),
        *_mount(options.model_base_path, target),
        *(_mount(options.batching_parameters_file, _BATCHING_IN_DOCKER) if options.batching_parameters_file else ()),
        *(_mount(options.monitoring_config_file, _MONITORING_IN_DOCKER) if options.monitoring_config_file else ()),
        *("-e", f"MODEL_NAME={options.model_name}"),
        image(options),
        *_tuning(options),
        *_batching(options, _BATCHING_IN_DOCKER),
        *_rest(options, _MONITORING_IN_DOCKER),
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
    interval = options.load_retry_interval_micros
    return [
        f"--grpc_max_threads={options.grpc_max_threads}",
        f"--max_num_load_retries={options.max_num_load_retries}",
        *([f"--load_retry_interval_micros={interval}"] if interval != Options.load_retry_interval_micros else []),
        f"--file_system_poll_wait_seconds={math.ceil(options.file_system_poll_wait_seconds)}",
        *(["--enable_grpc_healthcheck_service=true"] * options.enable_grpc_healthcheck_service),
        *(["--enable_signature_method_name_check=true"] * options.enable_signature_method_name_check),
        *(["--enable_model_warmup=false"] * (not options.enable_model_warmup)),
    ]


def _batching(options, parameters_file):
    return [
        *(["--enable_batching"] * options.enable_batching),
        *([f"--batching_parameters_file={parameters_file}"] if options.batching_parameters_file else []),
        *(["--enable_per_model_batching_parameters"] * options.enable_per_model_batching_parameters),
    ]


def _rest(options, monitoring_config_file):
    threads, milliseconds = options.rest_api_num_threads, options.rest_api_timeout_in_ms
    return [
        *([f"--rest_api_num_threads={threads}"] if threads else []),
        *([f"--rest_api_timeout_in_ms={milliseconds}"] if milliseconds != Options.rest_api_timeout_in_ms else []),
        *(["--rest_api_enable_cors_support"] * options.rest_api_enable_cors_support),
        *([f"--monitoring_config_file={monitoring_config_file}"] if options.monitoring_config_file else []),
    ]


def _mount(source, target):
    return "--mount", ",".join(map(_csv, ("type=bind", f"source={source}", f"target={target}", "readonly")))


def _csv(field):
    """One field of docker's --mount, which is read as a line of CSV."""
    return '"' + field.replace('"', '""') + '"' if set(field) & set(',"') else field
