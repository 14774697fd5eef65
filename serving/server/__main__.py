"""`python -m serving.server --model_base_path=DIR`: serves the newest version under DIR over gRPC and REST.

Prints `READY model=… version=… grpc=… rest=…` once it answers; SIGTERM and SIGINT let requests in flight finish first.
"""

from absl import flags

from serving import command

FLAGS = flags.FLAGS

flags.DEFINE_string("model_base_path", None, "Folder that holds the versions (1/, 2/, …), as publish made it.")
flags.DEFINE_string("model_name", None, "Name that clients ask for; default: last part of --model_base_path.")
flags.DEFINE_string(
    "model_config_file", None, "Models with their folders, version policies and labels, instead of --model_base_path."
)
flags.DEFINE_float(
    "model_config_file_poll_wait_seconds", 0, "Seconds between two looks at --model_config_file; 0 looks once.", 0
)
flags.DEFINE_bool(
    "allow_version_labels_for_unavailable_models", False, "A new label may name a version that is not loaded yet."
)
flags.DEFINE_string(
    "host",
    "127.0.0.1",
    "Address to listen on; 0.0.0.0 for every one. tensorflow_model_server has no such choice: it takes every one.",
)
flags.DEFINE_integer("port", 8500, "gRPC port; 0 lets the server choose, and READY prints it.", 0, 65535)
flags.DEFINE_integer(
    "rest_api_port",
    None,
    "REST port, 0 for none; default: 8501, or with --port=0 one that the server chooses and READY prints.",
    0,
    65535,
)
flags.DEFINE_integer("rest_api_num_threads", 0, "REST requests worked on at the same time; 0: 4 per core.", 0)
flags.DEFINE_integer("rest_api_timeout_in_ms", 30_000, "Time that a REST request may take; 0: any.", 0)
flags.DEFINE_bool("rest_api_enable_cors_support", False, "Browsers may read the answers for pages of other origins.")
flags.DEFINE_string(
    "monitoring_config_file", None, "MonitoringConfig as a text proto: metrics for Prometheus, on the REST port."
)
flags.DEFINE_string(
    "ssl_config_file",
    None,
    "SSLConfig as a text proto: gRPC speaks TLS alone, with client_verify to clients of custom_ca alone. Its owner "
    "alone may read it, since it holds the key.",
)
flags.DEFINE_string(
    "engine", "auto", "auto, tensorflow_model_server, docker or embedded; auto takes the first of them that is there."
)
flags.DEFINE_float("file_system_poll_wait_seconds", 1, "Seconds between two looks for new versions; 0 looks once.", 0)
flags.DEFINE_bool("enable_batching", False, "Runs of several requests are made together.")
flags.DEFINE_string(
    "batching_parameters_file", None, "BatchingParameters as a text proto; default: TensorFlow Serving's own defaults."
)
flags.DEFINE_bool(
    "enable_per_model_batching_parameters",
    False,
    "A version is batched only where it brings a batching_params.pbtxt, and by that; the threads stay those of "
    "--batching_parameters_file.",
)
flags.DEFINE_integer(
    "grpc_max_threads",
    256,
    "Requests under way at the same time; more are refused with RESOURCE_EXHAUSTED. TensorFlow Serving's own default, "
    "4 per core, refuses most requests of 16 clients.",
    1,
)
flags.DEFINE_bool(
    "enable_grpc_healthcheck_service", True, "The gRPC health service is there; TensorFlow Serving's own default: not."
)
flags.DEFINE_bool(
    "enable_signature_method_name_check", False, "A signature answers only the calls that its method_name is for."
)
flags.DEFINE_bool("enable_model_warmup", True, "A version answers its warm-up records before it serves.")
flags.DEFINE_integer(
    "max_num_load_retries",
    0,
    "How often a version that cannot be loaded is tried again. TensorFlow Serving's own default, 5, keeps a bad "
    "version LOADING for five minutes.",
    0,
)
flags.DEFINE_integer("load_retry_interval_micros", 60_000_000, "Microseconds between two of these tries.")
flags.DEFINE_string(
    "docker_image",
    None,
    "Image for --engine=docker; default: stock tensorflow/serving of the release the version was proven for.",
)


def main(arguments):
    """Checks the flags, chooses the engine and serves until a signal; returns the exit code."""
    from serving.server import engines, options

    names = options.field_names()
    chosen = options.checked(options.Options(**{name: FLAGS[name].value for name in names}), arguments)
    return engines.serve(chosen)


if __name__ == "__main__":
    command.run(main)
