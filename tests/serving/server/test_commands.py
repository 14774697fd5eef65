import dataclasses
import json

import pytest

from serving.server import commands
from serving.server.options import Options
from tests.serving.tiny_version import fake_version


@pytest.fixture
def options(tmp_path):
    fake_version(tmp_path / "reviews" / "3")
    return Options(str(tmp_path / "reviews"), model_name="reviews", port=9500, rest_api_port=9501)


def test_model_server_command(options):
    assert commands.model_server_command(options) == [
        "tensorflow_model_server",
        "--port=9500",
        "--rest_api_port=9501",
        "--model_name=reviews",
        f"--model_base_path={options.model_base_path}",
        "--grpc_max_threads=256",
        "--max_num_load_retries=0",
        "--file_system_poll_wait_seconds=1",
        "--enable_grpc_healthcheck_service",
    ]


def test_the_flags_of_loading_and_of_methods_are_passed_on(options):
    changed = dataclasses.replace(
        options,
        max_num_load_retries=2,
        load_retry_interval_micros=5,
        enable_grpc_healthcheck_service=False,
        enable_signature_method_name_check=True,
        enable_model_warmup=False,
    )
    assert commands.model_server_command(changed)[-6:] == [
        "--grpc_max_threads=256",
        "--max_num_load_retries=2",
        "--file_system_poll_wait_seconds=1",
        "--enable_signature_method_name_check",
        "--enable_model_warmup=false",
        "--load_retry_interval_micros=5",
    ]


def test_docker_command_mounts_the_folder_read_only(options):
    command = commands.docker_command(options)
    assert command[:4] == ["docker", "run", "--rm", "--init"]
    assert f"type=bind,source={options.model_base_path},target=/models/reviews,readonly" in command
    assert command.count("-p") == 2 and "127.0.0.1:9500:8500" in command and "127.0.0.1:9501:8501" in command
    assert command[command.index("tensorflow/serving:2.19.1") - 1] == "MODEL_NAME=reviews"


def test_docker_command_without_rest_and_with_a_comma_in_the_path(options):
    command = commands.docker_command(
        Options("/data/a,b", model_name="m", rest_api_port=0, docker_image="mirror/serving")
    )
    assert command.count("-p") == 1 and "mirror/serving" in command
    assert 'type=bind,"source=/data/a,b",target=/models/m,readonly' in command


def test_the_flags_of_rest_are_passed_on(options):
    changed = dataclasses.replace(
        options,
        rest_api_num_threads=3,
        rest_api_timeout_in_ms=5,
        rest_api_enable_cors_support=True,
        monitoring_config_file="/etc/m",
    )
    health = "--enable_grpc_healthcheck_service"
    flags = ["--rest_api_enable_cors_support", health, "--rest_api_num_threads=3", "--rest_api_timeout_in_ms=5"]
    assert commands.model_server_command(changed)[-5:] == [*flags, "--monitoring_config_file=/etc/m"]
    docker = commands.docker_command(changed)
    assert docker[-5:] == [*flags, "--monitoring_config_file=/etc/slipway/monitoring_config_file"]
    assert "type=bind,source=/etc/m,target=/etc/slipway/monitoring_config_file,readonly" in docker


def test_batching_and_tls_are_passed_on(options):
    changed = dataclasses.replace(
        options, enable_batching=True, batching_parameters_file="/etc/b", ssl_config_file="/etc/s"
    )
    files = ["--batching_parameters_file=/etc/b", "--ssl_config_file=/etc/s"]
    command = commands.model_server_command(changed)
    assert command[-2:] == files and "--enable_batching" in command
    assert "type=bind,source=/etc/s,target=/etc/slipway/ssl_config_file,readonly" in commands.docker_command(changed)


@pytest.mark.parametrize(("targets", "tag"), [(["2.19", "2.20"], "2.20.0"), (["2.19"], "2.19.1"), (["9.9"], "2.20.0")])
def test_image_is_of_a_release_the_version_was_proven_for(options, targets, tag):
    papers = f"{options.model_base_path}/3/contract.json"
    with open(papers) as file:
        contract = json.load(file)
    with open(papers, "w") as file:
        json.dump(contract | {"serving_target": targets}, file)
    assert commands.image(options) == f"tensorflow/serving:{tag}"
