"""REST's paths: which one asks for what, and what is answered to those that ask for nothing."""

import json

import pytest

from tests.conformance.cases import case, row

PARSE = "tensorflow_serving/model_servers/http_rest_api_util.cc: ParseModelInfo"
GETS = "tensorflow_serving/model_servers/http_rest_api_handler.cc: modelstatus_api_regex_"
POSTS = "tensorflow_serving/model_servers/http_rest_api_handler.cc: prediction_api_regex_"
STATUS = "tensorflow_serving/model_servers/http_rest_api_handler.cc: ProcessModelStatusRequest"
METADATA = "tensorflow_serving/model_servers/http_rest_api_handler.cc: ProcessModelMetadataRequest"
HANDLER = "tensorflow_serving/model_servers/http_rest_api_handler.cc: kPathRegex"
MODELS = "/v1/models"


@pytest.mark.parametrize(
    ("path", "versions"),
    [
        row("a model", STATUS, "/numbered", ["3", "2", "1"]),
        row("a version", STATUS, "/numbered/versions/2", ["2"]),
        row("a number that begins with 0", PARSE, "/numbered/versions/002", ["2"]),
        row("any label", STATUS, "/numbered/labels/none", ["3", "2", "1"]),
        row("an escaped name", PARSE, "/%6eumbered", ["3", "2", "1"]),
    ],
)
def test_status(rest, path, versions):
    code, answer = rest.get(MODELS + path)
    assert code == 200 and [each["version"] for each in answer["model_version_status"]] == versions
    assert {each["state"] for each in answer["model_version_status"]} == {"AVAILABLE"}


@pytest.mark.parametrize("path", ["/V1/models/echo", "/v1/MODELS/echo", "/v1/Models/echo/VERSIONS/1"])
@case(GETS)
def test_letters_may_be_large(rest, path):
    assert rest.get(path)[0] == 200


@case(STATUS)
def test_status_is_written_so(rest):
    _, headers, body = rest.ask("GET", f"{MODELS}/echo")
    assert headers["Content-Type"] == "application/json"
    lines = ['"version": "1",', '"state": "AVAILABLE",', '"status": {']
    for line in (*lines, '"error_code": "OK",', '"error_message": ""'):
        assert line in body.decode()


@pytest.mark.parametrize(
    ("path", "version"),
    [
        row("the newest", METADATA, "/numbered/metadata", "3"),
        row("a version", METADATA, "/numbered/versions/2/metadata", "2"),
        row("a label", METADATA, "/numbered/labels/stable/metadata", "1"),
        row("large letters", GETS, "/numbered/METADATA", None),
    ],
)
def test_metadata(rest, path, version):
    code, answer = rest.get(MODELS + path)
    assert code == 200
    if version:
        assert answer["model_spec"] == {"name": "numbered", "signature_name": "", "version": version}
        signature = answer["metadata"]["signature_def"]["signature_def"]["serving_default"]
        assert signature["method_name"] == "tensorflow/serving/predict"
        assert signature["inputs"]["x"]["dtype"] == "DT_FLOAT"
    else:  # matched without regard to case, and then it is no metadata: the status
        assert "model_version_status" in answer


@pytest.mark.parametrize(
    ("path", "code", "said"),
    [
        row("no model", STATUS, "", 400, "Missing model name in request."),
        row("a version of no model", STATUS, "/versions/1", 400, "Missing model name in request."),
        row("a model called metadata", GETS, "/metadata", 404, "Could not find any versions of model metadata"),
        row("a query", GETS, "/echo?x=1", 404, "Could not find any versions of model echo?x=1"),
        row("a slash in a name", PARSE, "/echo%2Fversions", 404, "Could not find any versions of model echo/versions"),
        row("an unknown version", STATUS, "/echo/versions/7", 404, "Could not find version 7 of model echo"),
        row(
            "an unknown label", METADATA, "/echo/labels/none/metadata", 400, "Unrecognized servable version label: none"
        ),
        row(
            "metadata of an unknown version",
            METADATA,
            "/echo/versions/7/metadata",
            404,
            "Servable not found for request: Specific(echo, 7)",
        ),
        row("metadata of nobody", METADATA, "/none/metadata", 404, "Servable not found for request: Latest(none)"),
    ],
)
def test_what_is_not_there(rest, path, code, said):
    assert rest.get(MODELS + path) == (code, {"error": said})


@pytest.mark.parametrize(
    ("method", "path"),
    [
        row("a slash at the end", GETS, "GET", "/echo/"),
        row("no number", GETS, "GET", "/echo/versions/"),
        row("a word as a number", GETS, "GET", "/echo/versions/one"),
        row("a negative number", GETS, "GET", "/echo/versions/-1"),
        row("no label", GETS, "GET", "/echo/labels/"),
        row("a version and a label", GETS, "GET", "/echo/versions/1/labels/stable"),
        row("more than metadata", GETS, "GET", "/echo/metadata/more"),
        row("a colon", GETS, "GET", "/echo:predict"),
        row("two slashes", GETS, "GET", "//echo"),
        row("no method", POSTS, "POST", "/echo"),
        row("an unknown method", POSTS, "POST", "/echo:train"),
        row("two methods", POSTS, "POST", "/echo:predict:classify"),
        row("a slash after the method", POSTS, "POST", "/echo:predict/"),
        row("a query after the method", POSTS, "POST", "/echo:predict?x=1"),
        row("a method of nobody", POSTS, "POST", ":predict"),
        row("a word as a version", POSTS, "POST", "/echo/versions/one:predict"),
        row("metadata", POSTS, "POST", "/echo/metadata"),
        row("PUT", HANDLER, "PUT", "/echo"),
        row("DELETE", HANDLER, "DELETE", "/echo/versions/1"),
        row("PATCH", HANDLER, "PATCH", "/echo:predict"),
    ],
)
def test_malformed(rest, method, path):
    code, _, body = rest.ask(method, MODELS + path, b'{"instances": ["x"]}' if method == "POST" else None)
    assert (code, json.loads(body)) == (400, {"error": f"Malformed request: {method} {MODELS}{path}"})


@pytest.mark.parametrize(
    "path",
    [
        row("the root", HANDLER, "/"),
        row("no slash after v1", HANDLER, "/v1"),
        row("another version", HANDLER, "/v2/models/echo"),
        row("something before it", HANDLER, "/x/v1/models/echo"),
        row("no metrics there", HANDLER, "/metrics"),
    ],
)
def test_what_is_no_api(rest, path):
    assert rest.ask("GET", path)[0] == 404


@pytest.mark.parametrize(
    ("path", "version"),
    [
        row("the newest", POSTS, "/numbered:predict", 3),
        row("a version", POSTS, "/numbered/versions/2:predict", 2),
        row("a label", POSTS, "/numbered/labels/stable:predict", 1),
        row("an escaped name", PARSE, "/n%75mbered:predict", 3),
    ],
)
def test_who_answers(rest, path, version):
    assert rest.post(MODELS + path, {"instances": [0.5]}) == (200, {"predictions": [10 * version + 0.5]})
