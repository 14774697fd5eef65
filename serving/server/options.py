"""What the server was asked to do, checked before anything heavy is imported or started."""

import dataclasses
import os

from serving import models_config
from serving.contract import ServingError
from serving.nearest import folder_beside
from serving.server import monitoring_config, tls

ENGINES = ("auto", "tensorflow_model_server", "docker", "embedded")
_REST_PORT = 8501
_LARGEST = 2**63 - 1  # TF Serving keeps version numbers in an int64


@dataclasses.dataclass(frozen=True)
class Options:
    """One field per flag of `python -m serving.server`; see there for their meaning.

    rest_api_port: 0 for no REST, None where the server chooses.
    """

    model_base_path: str | None
    model_name: str | None = None
    model_config_file: str | None = None
    model_config_file_poll_wait_seconds: float = 0
    allow_version_labels_for_unavailable_models: bool = False
    host: str = "127.0.0.1"
    port: int = 8500
    rest_api_port: int | None = None
    rest_api_num_threads: int = 0
    rest_api_timeout_in_ms: int = 30_000
    rest_api_enable_cors_support: bool = False
    monitoring_config_file: str | None = None
    ssl_config_file: str | None = None
    engine: str = "auto"
    file_system_poll_wait_seconds: float = 1
    enable_batching: bool = False
    batching_parameters_file: str | None = None
    enable_per_model_batching_parameters: bool = False
    grpc_max_threads: int = 256
    enable_grpc_healthcheck_service: bool = True
    enable_signature_method_name_check: bool = False
    enable_model_warmup: bool = True
    max_num_load_retries: int = 0
    load_retry_interval_micros: int = 60_000_000
    docker_image: str | None = None


def field_names():
    """Names of the flags that fill an Options."""
    return [field.name for field in dataclasses.fields(Options)]


def checked(given, arguments=()):
    """The options with an absolute path and a model name; ServingError for what cannot be served."""
    if arguments:
        raise ServingError(f"argument {arguments[0]!r} is not a flag; write --model_base_path=DIR")
    if given.engine not in ENGINES:
        raise ServingError(f"--engine={given.engine} is unknown; allowed: {', '.join(ENGINES)}")
    given = _with_batching(given)
    given = _with_rest(given)
    if given.ssl_config_file:
        tls.read(given.ssl_config_file)
        given = dataclasses.replace(given, ssl_config_file=os.path.abspath(given.ssl_config_file))
    if given.model_config_file:
        return _of_config(given)
    path = _checked_path(given.model_base_path)
    name = given.model_name or os.path.basename(path)
    if not name:
        raise ServingError(f"--model_base_path={path} has no last part to name the model after; give --model_name")
    return dataclasses.replace(given, model_base_path=path, model_name=name)


def _with_batching(given):
    for name in ("batching_parameters_file", "enable_per_model_batching_parameters"):
        if getattr(given, name) and not given.enable_batching:
            raise ServingError(f"--{name} is set without --enable_batching; give both, or neither")
    path = given.batching_parameters_file
    return dataclasses.replace(given, batching_parameters_file=os.path.abspath(path)) if path else given


def _with_rest(given):
    if given.rest_api_port is None and given.port:
        given = dataclasses.replace(given, rest_api_port=_REST_PORT)
    if given.port and given.port == given.rest_api_port:
        raise ServingError(f"--port and --rest_api_port are both {given.port}; give them different numbers")
    path = given.monitoring_config_file
    if not path:
        return given
    monitoring_config.metrics_path(path)
    if given.rest_api_port == 0:
        raise ServingError(f"--monitoring_config_file={path}: metrics are served over REST; give a --rest_api_port")
    return dataclasses.replace(given, monitoring_config_file=os.path.abspath(path))


def _of_config(given):
    """The options of a models.config; `model_name`, the first one's, is what the real server is asked for."""
    for name in ("model_base_path", "model_name"):
        if getattr(given, name):
            raise ServingError(f"--{name} and --model_config_file: the file names models and their folders; give one")
    if given.engine == "docker":
        raise ServingError("--engine=docker mounts one folder; give --model_base_path, or another engine")
    models = models_config.read(given.model_config_file).model_config_list.config
    if not models:
        raise ServingError(f"{given.model_config_file}: lists no model; give a model_config_list with one")
    for model in models:
        if not os.path.isdir(model.base_path):
            raise ServingError(
                f"{given.model_config_file}: model '{model.name}': base_path {model.base_path}: no such folder; "
                f"{folder_beside(model.base_path) or 'publish a version there first'}"
            )
    path = os.path.abspath(given.model_config_file)
    return dataclasses.replace(given, model_config_file=path, model_name=models[0].name)


def present_versions(base_path):
    """`{number: name}` of the version folders below `base_path`; ignored are hidden names, files and everything else.

    Zeros may stand before a number; of two names of one number, the real server takes the later one in the alphabet.
    """
    with os.scandir(base_path) as entries:
        names = sorted(entry.name for entry in entries if _is_version(entry.name) and entry.is_dir())
    return {int(name): name for name in names}


def _is_version(name):
    return name.isascii() and name.isdigit() and int(name) <= _LARGEST


def _checked_path(given):
    if not given:
        raise ServingError("--model_base_path is missing; give the folder that holds the versions (1/, 2/, …)")
    path = os.path.abspath(given)
    if not os.path.exists(path):
        raise ServingError(
            f"--model_base_path={given}: no such folder; {folder_beside(path) or _how_to_publish(given)}"
        )
    if not os.path.isdir(path):
        raise ServingError(f"--model_base_path={given} is a file; give the folder that holds the versions (1/, 2/, …)")
    if os.path.exists(os.path.join(path, "saved_model.pb")):
        raise ServingError(f"--model_base_path={given} is itself a version; give its parent, {os.path.dirname(path)}")
    if not present_versions(path):
        raise ServingError(
            f"--model_base_path={given} holds no version (a folder named 1, 2, …); {_how_to_publish(given)}"
        )
    return path


def _how_to_publish(given):
    return f"publish one first: python -m serving.release publish --source=WORKDIR --model_base_path={given}"
