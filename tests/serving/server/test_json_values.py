import math

import pytest

from serving.server import json_values
from serving.server.status import StatusError


def test_reads_what_rapidjson_reads():
    assert json_values.parse(b'\xef\xbb\xbf{"a": [1, 2.5, -3e2, true, null, "\\u4e2d\\u0000"]}') == {
        "a": [1, 2.5, -300.0, True, None, "中\x00"]
    }
    assert math.isnan(json_values.parse(b'{"a": NaN}')["a"])
    assert json_values.parse(b'{"a": -Infinity, "b": Inf}') == {"a": -math.inf, "b": math.inf}
    large = json_values.parse(b'{"a": 18446744073709551615, "b": 18446744073709551616}')
    assert large == {"a": 2**64 - 1, "b": 2.0**64} and isinstance(large["b"], float)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "JSON Parse error: The document is empty"),
        (b"  ", "JSON Parse error: The document is empty. at offset: 2"),
        (b"instances = [1]", "JSON Parse error: Invalid value. at offset: 0"),
        (b'{"a":[1,2}', "JSON Parse error: Missing a comma or ']' after an array element. at offset: 9"),
        (b'{"a":1} x', "JSON Parse error: The document root must not be followed by other values. at offset: 8"),
        (b'{"a":1e400}', "JSON Parse error: Number too big to be stored in double. at offset: 5"),
        (b'{"a":"\\ud800"}', "JSON Parse error: The surrogate pair in string is invalid. at offset: 6"),
        (b'{"a":"\xff"}', "JSON Parse error: Invalid encoding in string. at offset: 6"),
        (b"[" * 5000, "JSON Parse error: Maximum parse recursion depth exceeded! at offset: 1001"),
        (b"[1]", "JSON Value: [\n    1\n] Is not object"),
        (b'"text"', 'JSON Value: "text" Is not object'),
    ],
)
def test_says_what_is_wrong_in_its_words(body, said):
    with pytest.raises(StatusError) as refused:
        json_values.parse(body)
    assert refused.value.code.name == "INVALID_ARGUMENT" and refused.value.message == said


@pytest.mark.parametrize(
    ("value", "text", "kind"),
    [
        (None, "null", "Null"),
        (True, "true", "True"),
        (False, "false", "False"),
        (0.1, "0.1", "Number"),
        (2.0, "2.0", "Number"),
        (1e300, "1e+300", "Number"),
        (-(2**63), "-9223372036854775808", "Number"),
        ("é\n\x01", '"é\\n\\u0001"', "String"),
        ({}, "{}", "Object"),
        (
            {"a": {"b": [1, []]}},
            '{\n    "a": {\n        "b": [\n            1,\n            []\n        ]\n    }\n}',
            "Object",
        ),
    ],
)
def test_shows_a_value_as_it_would_be_written(value, text, kind):
    assert (json_values.text(value), json_values.kind(value)) == (text, kind)


def test_shows_no_more_than_the_beginning_of_what_is_long():
    deep = 1
    for _ in range(5000):
        deep = [deep]
    for value in (deep, ["x"] * 10_000, "x" * 10_000, {"a": deep, "b": 2}):
        assert len(json_values.text(value)) == 515 and json_values.text(value).endswith("...")
