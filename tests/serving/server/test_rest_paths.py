import pytest

from serving.server import rest_paths
from serving.server.status import StatusError


@pytest.mark.parametrize(
    ("method", "path", "what", "name", "version", "label"),
    [
        ("POST", "/v1/models/a:predict", "predict", "a", None, ""),
        ("POST", "/V1/Models/a/Versions/012:classify", "classify", "a", 12, ""),
        ("POST", "/v1/models/a%2Fb/labels/c%20d:regress", "regress", "a/b", None, "c d"),
        ("GET", "/v1/models/a", "status", "a", None, ""),
        ("GET", "/v1/models/metadata", "status", "metadata", None, ""),
        ("GET", "/v1/models/a/versions/9223372036854775807/metadata", "metadata", "a", 2**63 - 1, ""),
        ("GET", "/v1/models/a/labels/b/metadata", "metadata", "a", None, "b"),
        ("GET", "/v1/models/a/METADATA", "status", "a", None, ""),
        ("GET", "/v1/models/a%zz%", "status", "a%zz%", None, ""),
    ],
)
def test_reads_a_path(method, path, what, name, version, label):
    found, spec = rest_paths.asked(method, path)
    assert (found, spec.name, spec.version_label) == (what, name, label)
    assert (spec.version.value if spec.HasField("version") else None) == version


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/models/a/version/50:regress"),
        ("POST", "/v1/models/a/versions/HELLO:regress"),
        ("POST", "/v1/models/a/versions/1/labels/b:predict"),
        ("POST", "/v1/models/a/versions/٣:predict"),
        ("POST", "/v1/models/a:Predict"),
        ("POST", "/v1/models/a:predict "),
        ("GET", "/v1/models/a/b"),
        ("PATCH", "/v1/models/a:predict"),
    ],
)
def test_refuses_a_malformed_path(method, path):
    with pytest.raises(StatusError) as refused:
        rest_paths.asked(method, path)
    assert refused.value.message == f"Malformed request: {method} {path}"


@pytest.mark.parametrize("digits", ["9223372036854775808", "1" * 5000])
def test_a_version_that_is_no_int64(digits):
    with pytest.raises(rest_paths.UnreadableVersion, match="Failed to convert version: "):
        rest_paths.asked("POST", f"/v1/models/a/versions/{digits}:predict")
