"""REST's Classify and Regress: JSON to tf.Examples and results to JSON, and the words for what is no example."""

import pytest

from tests.conformance.cases import case, row

CLASSIFY, REGRESS = "/v1/models/examples:classify", "/v1/models/examples:regress"
UTIL = "tensorflow_serving/util/json_tensor.cc: "
FEATURE, KIND = f"{UTIL}AddValueToFeature", f"{UTIL}IncompatibleFeatureKindError"
EXAMPLE, REQUEST = f"{UTIL}MakeExampleFromJsonObject", f"{UTIL}FillClassifyRegressRequestFromJson"
CLASSIFIED, REGRESSED = f"{UTIL}MakeJsonFromClassificationResult", f"{UTIL}MakeJsonFromRegressionResult"
PARSER = "tensorflow/core/util/example_proto_fast_parsing.cc: FastParseSerializedExample"


def regressed(rest, examples, more=""):
    """(code, answer): the lengths of the examples' texts with their extra."""
    return rest.post(REGRESS, f'{{"signature_name": "regress", "examples": {examples}{more}}}'.encode())


@pytest.mark.parametrize(
    ("examples", "found"),
    [
        row("a text", FEATURE, '[{"text": "abc"}]', [3.0]),
        row("a text in a list", FEATURE, '[{"text": ["abc"]}]', [3.0]),
        row("an empty text", FEATURE, '[{"text": ""}]', [0.0]),
        row("NUL and other letters", FEATURE, '[{"text": "a\\u0000b"}, {"text": "é"}]', [3.0, 2.0]),
        row("base64", FEATURE, '[{"text": {"b64": "/wD/"}}]', [3.0]),
        row("base64 in a list", FEATURE, '[{"text": [{"b64": "/wD/"}]}]', [3.0]),
        row("base64 of nothing", FEATURE, '[{"text": {"b64": ""}}]', [0.0]),
        row("a number beside it", FEATURE, '[{"text": "abc", "extra": 0.5}]', [3.5]),
        row("a whole number as a decimal", FEATURE, '[{"text": "abc", "extra": 2.0}]', [5.0]),
        row("more than an int64", FEATURE, '[{"text": "abc", "extra": 18446744073709551616}]', [1.8446744e19]),
        row("a feature that nobody asks for", EXAMPLE, '[{"text": "abc", "more": [true, 1, false]}]', [3.0]),
        row("the last of two", EXAMPLE, '[{"text": "abc", "more": []}]', [3.0]),
        row("several", EXAMPLE, '[{"text": "a"}, {"extra": 1.5, "text": ""}, {"text": "abc"}]', [1.0, 1.5, 3.0]),
    ],
)
def test_examples(rest, examples, found):
    code, answer = regressed(rest, examples)
    assert code == 200 and answer["results"] == pytest.approx(found)


@pytest.mark.parametrize(
    ("examples", "said"),
    [
        row("null", FEATURE, '[{"text": null}]', "Feature: text has element with unexpected JSON type: Null"),
        row(
            "null in a list", FEATURE, '[{"text": [null]}]', "Feature: text has element with unexpected JSON type: Null"
        ),
        row(
            "lists in lists",
            FEATURE,
            '[{"text": [["a"]]}]',
            "Feature: text has element with unexpected JSON type: Array",
        ),
        row(
            "an object", FEATURE, '[{"text": {"a": 1}}]', "Feature: text has element with unexpected JSON type: Object"
        ),
        row("base64 and more", FEATURE, '[{"text": {"b64": "", "a": 1}}]', "unexpected JSON type: Object"),
        row("base64 that is none", FEATURE, '[{"text": {"b64": "A"}}]', "Unable to base64 decode"),
        row(
            "a text and a number",
            KIND,
            '[{"x": ["a", 1]}]',
            "Unexpected element type in feature: x expecting type: bytes",
        ),
        row("a decimal and a whole", KIND, '[{"x": [1.5, 1]}]', "element type in feature: x expecting type: float"),
        row("a whole and a decimal", KIND, '[{"x": [1, 1.5]}]', "element type in feature: x expecting type: int64"),
        row("true and a text", KIND, '[{"x": [true, "a"]}]', "element type in feature: x expecting type: int64"),
        row("true after a text", KIND, '[{"x": ["a", true]}]', "element type in feature: x expecting type: bytes"),
        row("base64 after a number", KIND, '[{"x": [1, {"b64": ""}]}]', "feature: x expecting type: int64"),
        row(
            "too large",
            FEATURE,
            '[{"x": 1e39}]',
            "Cannot convert JSON value: 1e+39 to float without loss of precision.",
        ),
        row(
            "a uint64",
            FEATURE,
            '[{"x": 9223372036854775808}]',
            "Feature: x has uint64 element. Only int64 is supported.",
        ),
        row("a number", EXAMPLE, "[1]", "Example must be JSON object but got JSON Number"),
        row("a text alone", EXAMPLE, '["a"]', "Example must be JSON object but got JSON String"),
        row("a list", EXAMPLE, "[[]]", "Example must be JSON object but got JSON Array"),
        row("true", EXAMPLE, "[{}, true]", "Example must be JSON object but got JSON True"),
        row("null alone", EXAMPLE, "[null]", "Example must be JSON object but got JSON Null"),
        row("no list", REQUEST, '{"text": "a"}', "Expecting 'examples' value to be an list/array"),
        row("none", REQUEST, "[]", "'examples' value is an empty array"),
    ],
)
def test_what_is_no_example(rest, examples, said):
    code, answer = regressed(rest, examples)
    assert code == 400 and answer["error"].endswith(said)


@case(REQUEST)
@pytest.mark.parametrize("path", [CLASSIFY, REGRESS])
def test_a_body_without_examples(rest, path):
    said = "When method is classify, key 'examples' is expected and was not found"
    code, answer = rest.post(path, {"instances": [{"text": "a"}]})
    assert code == 400 and answer["error"].endswith(said)


@pytest.mark.parametrize(
    ("examples", "said"),
    [
        row(
            "a missing feature", PARSER, "[{}]", "Feature: text (data type: string) is required but could not be found."
        ),
        row(
            "a number for a text", PARSER, '[{"text": 1}]', "Data types don't match. Data type: int64 but expected type"
        ),
        row(
            "a whole for a decimal", PARSER, '[{"text": "a", "extra": 1}]', "Data type: int64 but expected type: float"
        ),
        row("two texts for one", PARSER, '[{"text": ["a", "b"]}]', "Can't parse serialized Example."),
    ],
)
def test_examples_that_the_model_does_not_take(rest, examples, said):
    code, answer = regressed(rest, examples)
    assert code == 400 and said in answer["error"]


@case(REQUEST)
def test_a_context_is_for_all(rest):
    code, answer = regressed(rest, '[{"text": "abc"}, {}]', ', "context": {"text": "left", "extra": 0.5}')
    assert (code, answer) == (200, {"results": [3.5, 4.5]})


@pytest.mark.parametrize(
    ("context", "said"),
    [
        row("a list", EXAMPLE, "[]", "Example must be JSON object but got JSON Array"),
        row("a null", FEATURE, '{"text": null}', "Feature: text has element with unexpected JSON type: Null"),
    ],
)
def test_what_is_no_context(rest, context, said):
    assert regressed(rest, '[{"text": "a"}]', f', "context": {context}') == (400, {"error": said})


def written(rest, path, body):
    code, _, answer = rest.ask("POST", path, body)
    assert code == 200, answer
    return answer.decode()


@case(CLASSIFIED)
def test_classes_are_written_so(rest):
    found = written(rest, CLASSIFY, '{"examples": [{"text": "abc"}, {"text": "", "extra": 0.1}]}')
    lines = '[["short", 1.0], ["long", 3.0]], [["short", 1.0], ["long", 0.1]]'
    assert found == f'{{\n    "results": [{lines}\n    ]\n}}'


@case(CLASSIFIED)
def test_labels_alone_have_the_score_0(rest):
    found = rest.post(CLASSIFY, {"signature_name": "only_classes", "examples": [{"text": "a"}]})
    assert found == (200, {"results": [[["short", 0.0], ["long", 0.0]]]})


@case(CLASSIFIED)
def test_scores_alone_have_the_empty_label(rest):
    found = rest.post(CLASSIFY, {"signature_name": "only_scores", "examples": [{"text": "a"}]})
    assert found == (200, {"results": [[["", 1.0], ["", 1.0]]]})


@case(REGRESSED)
def test_values_are_written_so(rest):
    body = '{"signature_name": "regress", "examples": [{"text": "abc"}, {"text": "a", "extra": 0.1}]}'
    assert written(rest, REGRESS, body) == '{\n    "results": [3.0, 1.1]\n}'


@pytest.mark.parametrize("path", ["", "/versions/3", "/versions/003"])
@case("tensorflow_serving/model_servers/http_rest_api_util.cc: ParseModelInfo")
def test_versions_are_asked_by_their_number(rest, path):
    assert rest.post(f"/v1/models/examples{path}:classify", {"examples": [{"text": "a"}]})[0] == 200


@pytest.mark.parametrize(
    ("path", "code", "said"),
    [
        row(
            "an unknown signature",
            "tensorflow_serving/servables/tensorflow/classifier.cc: GetClassificationSignatureDef",
            CLASSIFY,
            400,
            "No signature was found with the name: none",
        ),
        row(
            "an unknown one of Regress",
            "tensorflow_serving/servables/tensorflow/regressor.cc: GetRegressionSignatureDef",
            REGRESS,
            400,
            "No signature was found with the name: none",
        ),
        row(
            "an unknown model",
            "tensorflow_serving/core/basic_manager.cc: BasicManager::ServingMap::GetUntypedServableHandle",
            "/v1/models/none:classify",
            404,
            "Servable not found for request: Latest(none)",
        ),
        row(
            "an unknown version",
            "tensorflow_serving/core/basic_manager.cc: BasicManager::ServingMap::GetUntypedServableHandle",
            "/v1/models/examples/versions/4:regress",
            404,
            "Servable not found for request: Specific(examples, 4)",
        ),
    ],
)
def test_what_cannot_be_asked(rest, path, code, said):
    answer = rest.post(path, {"signature_name": "none", "examples": [{"text": "a"}]})
    assert answer == (code, {"error": said})
