"""monitoring.config, the file of --monitoring_config_file: whether Prometheus finds its page, and where.

Source: tensorflow_serving/config/monitoring_config.proto; the default path is that of
tensorflow_serving/util/prometheus_exporter.cc.
"""

from serving import text_proto
from serving.contract import ServingError
from serving.server import config_protos

_DEFAULT_PATH = "/monitoring/prometheus/metrics"


def metrics_path(path):
    """The path of the page on the REST port, None where the file does not enable it; ServingError for no such file."""
    message = config_protos.new("MonitoringConfig")
    prometheus = text_proto.read(
        path, message, f"--monitoring_config_file={path}", "a MonitoringConfig"
    ).prometheus_config
    if not prometheus.enable:
        return None
    if not (prometheus.path or _DEFAULT_PATH).startswith("/"):
        raise ServingError(f"{path}: prometheus_config: path {prometheus.path!r} must begin with /")
    return prometheus.path or _DEFAULT_PATH
