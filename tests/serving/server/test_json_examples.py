import pytest
from tensorflow_serving.apis import input_pb2

from serving.server import json_examples, json_values
from serving.server.status import StatusError


def filled(body):
    given = input_pb2.Input()
    json_examples.fill(given, json_values.parse(body.encode()))
    return given


def test_examples_hold_features_of_every_kind():
    given = filled(
        '{"examples": [{"names": ["a", {"b64": "AP8="}], "ratings": [8.5, NaN], "mixed": [1, true]}, {"no": []}]}'
    )
    first, second = given.example_list.examples
    features = first.features.feature
    assert features["names"].bytes_list.value == [b"a", b"\x00\xff"]
    assert features["ratings"].float_list.value[0] == 8.5 and features["mixed"].int64_list.value == [1, 1]
    assert second.features.feature["no"].WhichOneof("kind") is None


def test_a_context_is_kept_beside_them():
    given = filled('{"context": {"query": "pizza"}, "examples": [{"age": 20}]}').example_list_with_context
    assert given.context.features.feature["query"].bytes_list.value == [b"pizza"]
    assert given.examples[0].features.feature["age"].int64_list.value == [20]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("{}", "JSON Value: {} When method is classify, key 'examples' is expected and was not found"),
        ('{"examples": {}}', "Expecting 'examples' value to be an list/array"),
        ('{"examples": []}', "'examples' value is an empty array"),
        ('{"examples": [[]]}', "Example must be JSON object but got JSON Array"),
        ('{"context": 1, "examples": [{}]}', "Example must be JSON object but got JSON Number"),
        ('{"examples": [{"x": [10, null]}]}', "Feature: x has element with unexpected JSON type: Null"),
        ('{"examples": [{"x": [10, {"test": 1}]}]}', "Feature: x has element with unexpected JSON type: Object"),
        ('{"examples": [{"x": [[10], 20]}]}', "Feature: x has element with unexpected JSON type: Array"),
        ('{"examples": [{"x": [10, 10.0]}]}', "Unexpected element type in feature: x expecting type: int64"),
        ('{"examples": [{"x": ["a", 1]}]}', "Unexpected element type in feature: x expecting type: bytes"),
        ('{"examples": [{"x": [1.5, {"b64": "?"}]}]}', "Unexpected element type in feature: x expecting type: float"),
        ('{"examples": [{"x": {"b64": "?"}}]}', "Unable to base64 decode"),
        ('{"examples": [{"x": 18446744073709551603}]}', "Feature: x has uint64 element. Only int64 is supported."),
        ('{"examples": [{"x": 1e300}]}', "Cannot convert JSON value: 1e+300 to float without loss of precision."),
    ],
)
def test_says_what_is_no_example(body, said):
    with pytest.raises(StatusError) as refused:
        filled(body)
    assert refused.value.code.name == "INVALID_ARGUMENT" and refused.value.message.endswith(said)
