"""Which versions a policy serves of those that are there."""

import pytest
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from serving.server.policies import wanted


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("", {9}),
        ("latest {}", {9}),
        ("latest { num_versions: 2 }", {4, 9}),
        ("latest { num_versions: 8 }", {1, 4, 9}),
        ("all {}", {1, 4, 9}),
        ("specific { versions: 1 versions: 9 versions: 5 }", {1, 9}),
        ("specific { versions: 5 }", set()),
    ],
)
def test_policies(text, numbers):
    policy = text_format.Parse(text, model_server_config_pb2.ModelConfig().model_version_policy)
    assert wanted(policy, {1, 4, 9}) == numbers
    assert wanted(policy, set()) == set()


def test_without_a_policy_the_newest_is_served():
    assert wanted(None, {1, 4, 9}) == {9}
