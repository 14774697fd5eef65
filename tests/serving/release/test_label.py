"""Labels move in models.config, one rename at a time, once the server has loaded what they name."""

import time

import pytest

from serving import models_config
from serving.contract import ServingError
from serving.release import history
from serving.release.collect import collect
from serving.release.label import before, label
from serving.release.publish import publish
from tests.serving.client.certificates import Certificates
from tests.serving.server.running import Caller, Server, predict_request
from tests.serving.tiny_version import fake_version, real_version


@pytest.fixture
def base(tmp_path):
    """Versions 1, 2 and 3 with different files."""
    for name in ("a", "b", "c"):
        publish(fake_version(tmp_path / name, name.encode()), tmp_path / "reviews")
    return tmp_path / "reviews"


def entry(config):
    (model,) = models_config.read(config).model_config_list.config
    return list(model.model_version_policy.specific.versions), dict(model.version_labels)


def test_labels_move_and_the_policy_follows(base, tmp_path):
    config = tmp_path / "new/models.config"
    assert label(config, None, base, "stable", 1) == {"label": "stable", "version": 1, "before": None}
    assert entry(config) == ([1], {"stable": 1})
    label(config, None, base, "canary", 3, reason="try it")
    assert entry(config) == ([1, 3], {"stable": 1, "canary": 3})
    assert label(config, None, base, "stable", 2)["before"] == 1
    assert entry(config) == ([1, 2, 3], {"stable": 2, "canary": 3}), "what it was before stays loaded"
    assert before(base, "stable") == 1
    with pytest.raises(
        ServingError, match="--label=stabel was never .* did you mean stable. labels are canary, stable"
    ):
        before(base, "stabel")
    last = history.read(base)[-2]
    assert (last["action"], last["label"], last["version"], last["reason"]) == ("label", "canary", 3, "try it")
    assert collect(base, keep=1, config_file=config)["removed"] == []
    label(config, None, base, "stable", 3)
    assert entry(config) == ([2, 3], {"stable": 3, "canary": 3})
    assert collect(base, keep=1, config_file=config)["removed"] == [1]


def test_other_models_of_the_file_stay_as_they_are(base, tmp_path):
    config = tmp_path / "models.config"
    config.write_text('model_config_list { config { name: "other" base_path: "/x" model_platform: "tensorflow" } }')
    label(config, "mine", base, "stable", 2)
    first, second = models_config.read(config).model_config_list.config
    assert (first.name, first.base_path, second.name, second.version_labels["stable"]) == ("other", "/x", "mine", 2)
    with pytest.raises(ServingError, match="model 'other' has the base_path /x; give it as --model_base_path"):
        label(config, "other", base, "stable", 2)
    with pytest.raises(
        ServingError, match="has no model 'mein', but .*reviews is its model 'mine'; give --model_name=mine"
    ):
        label(config, "mein", base, "stable", 3)
    assert [model.name for model in models_config.read(config).model_config_list.config] == ["other", "mine"]


def test_what_is_not_there_or_damaged_gets_no_label(base, tmp_path):
    config = tmp_path / "models.config"
    with pytest.raises(ServingError, match="--version=9 is not there; there are 1, 2, 3"):
        label(config, None, base, "stable", 9)
    (base / "1/saved_model.pb").write_bytes(b"flip")
    with pytest.raises(ServingError) as refused:
        label(config, None, base, "stable", 1)
    assert refused.value.exit_code == 3 and not config.exists()
    with pytest.raises(ServingError, match="--label=stable was never moved here; there is no label"):
        before(base, "stable")


def test_a_server_that_does_not_load_it_keeps_its_label(base, tmp_path):
    config = tmp_path / "models.config"
    label(config, None, base, "stable", 1)
    with pytest.raises(ServingError, match="does not answer, not version 2, after 0.1 s; the label was not") as refused:
        label(config, None, base, "stable", 2, target="127.0.0.1:9", wait_seconds=0.1)
    assert refused.value.exit_code == 4 and entry(config)[1] == {"stable": 1}


@pytest.mark.parametrize("mutual", [False, True])
def test_a_server_that_speaks_tls_is_named_at_once(base, tmp_path, mutual):
    config = tmp_path / "models.config"
    label(config, None, base, "stable", 1)
    said = r"speaks TLS, and label asks in plain text; the label was not moved\. .* answered by version 2, label again"
    with Certificates(tmp_path).server(mutual=mutual) as server, pytest.raises(ServingError, match=said) as refused:
        label(config, None, base, "stable", 2, target=server.address, wait_seconds=600)
    assert refused.value.exit_code == 4 and entry(config) == ([1, 2], {"stable": 1}), "named to be served, and no more"


def test_a_label_moves_under_a_running_server_and_back(tmp_path):
    base, config = tmp_path / "reviews", tmp_path / "models.config"
    for name, bias in (("a", 5.0), ("b", -50.0)):
        publish(real_version(tmp_path / name, bias=bias), base)
    label(config, None, base, "stable", 1)
    flags = (
        f"--model_config_file={config}",
        "--model_config_file_poll_wait_seconds=0.1",
        "--allow_version_labels_for_unavailable_models",  # at the start nothing is loaded yet
    )
    with Server("", "--engine=embedded", "--port=0", *flags) as server:
        address = server.ready()["grpc"]
        with Caller(address) as caller:
            request = predict_request(["good"])
            request.model_spec.version_label = "stable"
            assert caller.prediction.Predict(request, timeout=30).model_spec.version.value == 1
            for number in (2, 1):
                label(config, None, base, "stable", number, target=address)
                caller.wait_for(number, "AVAILABLE")
                until_answered_by(caller, request, number)
        assert server.stop() == 0
    assert "left as it was" not in server.log_text(), "no look may have met a label of what was not loaded"


def until_answered_by(caller, request, number):
    until = time.monotonic() + 30
    while caller.prediction.Predict(request, timeout=30).model_spec.version.value != number:
        assert time.monotonic() < until
        time.sleep(0.05)
