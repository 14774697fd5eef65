import re

import pytest

from serving.contract import ServingError
from serving.server.options import Options, checked, present_versions


@pytest.fixture
def base(tmp_path):
    (tmp_path / "reviews" / "1").mkdir(parents=True)
    return tmp_path / "reviews"


def test_names_the_model_after_the_folder(base):
    done = checked(Options(f"{base}/"))
    assert (done.model_name, done.model_base_path) == ("reviews", str(base))
    assert checked(Options(str(base), model_name="other")).model_name == "other"


def test_only_numbers_of_folders_are_versions(base):
    for name in ("3", "0004", "003", ".staging-9", "-4", "+5", "six", "7x", "٣", "99999999999999999999"):
        (base / name).mkdir()
    (base / "8").write_text("a file")
    assert present_versions(base) == {1: "1", 3: "3", 4: "0004"}


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (None, "--model_base_path is missing"),
        ("{base}/none", "no such folder; publish one first"),
        ("{base}/emtpy", "no such folder; did you mean {base}/empty?"),
        ("{base}/file", "is a file"),
        ("{base}/1", "itself a version; give its parent"),
        ("{base}/empty", "holds no version"),
    ],
)
def test_refuses_what_cannot_be_served(base, path, said):
    (base / "file").write_text("")
    (base / "empty").mkdir()
    (base / "1" / "saved_model.pb").write_text("")
    with pytest.raises(ServingError, match=re.escape(said.format(base=base))) as refused:
        checked(Options(path and path.format(base=base)))
    assert refused.value.exit_code == 2


def test_refuses_unknown_engine_positional_and_equal_ports(base):
    with pytest.raises(ServingError, match="--engine=triton is unknown; allowed: auto, "):
        checked(Options(str(base), engine="triton"))
    with pytest.raises(ServingError, match="'DIR' is not a flag"):
        checked(Options(str(base)), ["DIR"])
    with pytest.raises(ServingError, match="both 9000"):
        checked(Options(str(base), port=9000, rest_api_port=9000))


def test_the_rest_port_is_8501_unless_the_server_chooses_its_ports(base):
    assert checked(Options(str(base))).rest_api_port == 8501
    with pytest.raises(ServingError, match="both 8501"):
        checked(Options(str(base), port=8501))
    assert checked(Options(str(base), port=0)).rest_api_port is None
    assert checked(Options(str(base), port=0, rest_api_port=0)).rest_api_port == 0


def test_metrics_need_rest_and_a_file_that_can_be_read(base, tmp_path, monkeypatch):
    (tmp_path / "monitoring.config").write_text("prometheus_config { enable: true }")
    monkeypatch.chdir(tmp_path)
    done = checked(Options(str(base), monitoring_config_file="monitoring.config"))
    assert done.monitoring_config_file == str(tmp_path / "monitoring.config")
    with pytest.raises(ServingError, match="metrics are served over REST; give a --rest_api_port"):
        checked(Options(str(base), rest_api_port=0, monitoring_config_file="monitoring.config"))
    with pytest.raises(ServingError, match="--monitoring_config_file=none: No such file"):
        checked(Options(str(base), monitoring_config_file="none"))
