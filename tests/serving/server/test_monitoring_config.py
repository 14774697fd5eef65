import pytest

from serving.contract import ServingError
from serving.server.monitoring_config import metrics_path


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('prometheus_config { enable: true, path: "/metrics" }', "/metrics"),
        ("prometheus_config { enable: true }", "/monitoring/prometheus/metrics"),
        ('prometheus_config { path: "/metrics" }', None),
        ("", None),
    ],
)
def test_says_where_the_page_is(tmp_path, text, path):
    (tmp_path / "monitoring.config").write_text(text)
    assert metrics_path(tmp_path / "monitoring.config") == path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("prometheus_config {\n enabled: true }", r"monitoring.config:2: not a MonitoringConfig: .*enabled"),
        ('prometheus_config { enable: true, path: "metrics" }', "path 'metrics' must begin with /"),
        (None, r"--monitoring_config_file=.*: No such file or directory; give a MonitoringConfig"),
    ],
)
def test_refuses_what_is_none(tmp_path, text, said):
    if text is not None:
        (tmp_path / "monitoring.config").write_text(text)
    with pytest.raises(ServingError, match=said) as refused:
        metrics_path(tmp_path / "monitoring.config")
    assert refused.value.exit_code == 2
