"""REST's Predict: JSON to tensors and tensors to JSON, dtype by dtype, and the words for each that does not fit."""

import math

import pytest

from tests.conformance.cases import case

PREDICT = "/v1/models/echo:predict"
SCALARS = case("tensorflow_serving/util/json_tensor.cc: AddValueToTensor")
LOSSLESS = case("tensorflow_serving/util/json_tensor.cc: IsLosslessDecimal")
SHAPES = case("tensorflow_serving/util/json_tensor.cc: GetDenseTensorShape, FillTensorProto")
ROWS = case("tensorflow_serving/util/json_tensor.cc: FillTensorMapFromInstancesList")
COLUMNS = case("tensorflow_serving/util/json_tensor.cc: FillTensorMapFromInputsMap")
REQUEST = case("tensorflow_serving/util/json_tensor.cc: FillPredictRequestFromJson")
PARSER = case("tensorflow_serving/util/json_tensor.cc: ParseJson, by RapidJSON")
BASE64 = case("tensorflow_serving/util/json_tensor.cc: JsonDecodeBase64Object")
DECIMALS = case("tensorflow_serving/util/json_tensor.cc: WriteDecimal")
WRITER = case("tensorflow_serving/util/json_tensor.cc: AddSingleValueAndAdvance")
ROW_WRITER = case("tensorflow_serving/util/json_tensor.cc: MakeRowFormatJsonFromTensors")
COLUMN_WRITER = case("tensorflow_serving/util/json_tensor.cc: MakeColumnarFormatJsonFromTensors")
SIGNATURE = case("tensorflow_serving/model_servers/http_rest_api_handler.cc: GetInfoMap")
STATUS_CODES = case("tensorflow_serving/model_servers/http_server.cc: ToHTTPStatusCode")


def asked(rest, signature, rest_of_body):
    """(code, answer) of a Predict request: the text of its members but the signature's name."""
    return rest.post(PREDICT, f'{{"signature_name": "{signature}", {rest_of_body}}}'.encode())


def written(rest, signature, rest_of_body):
    """The answer as it is written."""
    code, _, body = rest.ask("POST", PREDICT, f'{{"signature_name": "{signature}", {rest_of_body}}}')
    assert code == 200, body
    return body.decode()


VALUES = [
    ("float32", "[0.5, -2.0, 3.25]", [0.5, -2.0, 3.25]),
    ("float64", "[0.1, -1e300]", [0.1, -1e300]),
    ("int8", "[-128, 127]", [-128, 127]),
    ("int16", "[-32768, 32767]", [-32768, 32767]),
    ("int32", "[-2147483648, 2147483647]", [-(2**31), 2**31 - 1]),
    ("int64", "[-9223372036854775808, 9223372036854775807]", [-(2**63), 2**63 - 1]),
    ("uint8", "[0, 255]", [0, 255]),
    ("uint32", "[0, 4294967295]", [0, 2**32 - 1]),
    ("uint64", "[0, 18446744073709551615]", [0, 2**64 - 1]),
    ("bool", "[true, false]", [True, False]),
    ("string", '["a", "", "\\u00e9\\u0000\\n"]', ["a", "", "é\0\n"]),
]


@SCALARS
@pytest.mark.parametrize(("dtype", "given", "found"), VALUES, ids=[each[0] for each in VALUES])
def test_rows_of_every_dtype(rest, dtype, given, found):
    assert asked(rest, f"of_{dtype}", f'"instances": {given}') == (200, {"predictions": found})


@SCALARS
@pytest.mark.parametrize(("dtype", "given", "found"), VALUES, ids=[each[0] for each in VALUES])
def test_columns_of_every_dtype(rest, dtype, given, found):
    assert asked(rest, f"of_{dtype}", f'"inputs": {{"x": [{given}]}}') == (200, {"outputs": [found]})


@SHAPES
@pytest.mark.parametrize("given", ["7", "[]", "[[]]", "[[1, 2], [3, 4]]", "[[[1]], [[2]]]", "[[[], []]]"])
def test_a_column_has_the_shape_of_its_lists(rest, given):
    code, answer = asked(rest, "of_int32", f'"inputs": {given}')
    assert (code, str(answer["outputs"])) == (200, given)


@SHAPES
@pytest.mark.parametrize("given", ["[7]", "[[1, 2], [3, 4]]", "[[[1]], [[2]]]", "[[], []]"])
def test_rows_are_stacked(rest, given):
    code, answer = asked(rest, "of_int32", f'"instances": {given}')
    assert (code, str(answer["predictions"])) == (200, given)


@ROWS
def test_a_row_with_one_name_may_be_an_object(rest):
    assert asked(rest, "of_int32", '"instances": [{"x": 1}, {"x": 2}]') == (200, {"predictions": [1, 2]})


@ROWS
def test_rows_of_several_inputs(rest):
    code, answer = asked(rest, "two", '"instances": [{"a": 1, "b": 2}, {"b": 3, "a": 5}]')
    assert (code, answer["predictions"]) == (200, [{"sum": 3, "difference": -1}, {"sum": 8, "difference": 2}])


@COLUMNS
def test_columns_of_several_inputs_may_have_others_beside_them(rest):
    code, answer = asked(rest, "two", '"inputs": {"a": [1, 5], "b": [2, 3], "c": "nobody looks"}')
    assert (code, answer["outputs"]) == (200, {"sum": [3, 8], "difference": [-1, 2]})


TYPE = "Type: {} is not of expected type: {}"
LOSS = "without loss of precision."
TO = "Cannot convert JSON value: {} to {} " + LOSS


@pytest.mark.parametrize(
    ("dtype", "given", "said"),
    [
        pytest.param("float32", '"a"', 'JSON Value: "a" ' + TYPE.format("String", "float"), marks=SCALARS),
        pytest.param("float32", "true", "JSON Value: true " + TYPE.format("True", "float"), marks=SCALARS),
        pytest.param("float32", "null", "JSON Value: null " + TYPE.format("Null", "float"), marks=SCALARS),
        pytest.param("float64", "false", "JSON Value: false " + TYPE.format("False", "double"), marks=SCALARS),
        pytest.param("float32", '{"b64": "AA=="}', TYPE.format("Object", "float"), marks=SCALARS),
        pytest.param("int32", "1.0", "JSON Value: 1.0 " + TYPE.format("Number", "int32"), marks=SCALARS),
        pytest.param("int32", "1e2", "JSON Value: 100.0 " + TYPE.format("Number", "int32"), marks=SCALARS),
        pytest.param("int32", "2147483648", TYPE.format("Number", "int32"), marks=SCALARS),
        pytest.param("int32", "-2147483649", TYPE.format("Number", "int32"), marks=SCALARS),
        pytest.param("int64", "9223372036854775808", TYPE.format("Number", "int64"), marks=SCALARS),
        pytest.param("uint32", "-1", "JSON Value: -1 " + TYPE.format("Number", "uint32"), marks=SCALARS),
        pytest.param("uint64", "-1", "JSON Value: -1 " + TYPE.format("Number", "uint64"), marks=SCALARS),
        pytest.param("uint64", "18446744073709551616", TYPE.format("Number", "uint64"), marks=SCALARS),
        pytest.param("bool", "1", "JSON Value: 1 " + TYPE.format("Number", "bool"), marks=SCALARS),
        pytest.param("bool", '"true"', TYPE.format("String", "bool"), marks=SCALARS),
        pytest.param("string", "1", "JSON Value: 1 " + TYPE.format("Number", "string"), marks=SCALARS),
        pytest.param("string", "null", "JSON Value: null " + TYPE.format("Null", "string"), marks=SCALARS),
        pytest.param("float32", "16777216", TO.format("16777216", "float"), marks=LOSSLESS),
        pytest.param("float32", "-16777216", TO.format("-16777216", "float"), marks=LOSSLESS),
        pytest.param("float32", "1e39", TO.format("1e+39", "float"), marks=LOSSLESS),
        pytest.param("float64", "9007199254740992", TO.format("9007199254740992", "double"), marks=LOSSLESS),
        pytest.param("string", '{"b64": "A"}', "Unable to base64 decode", marks=BASE64),
        pytest.param("string", '{"b64": "A==="}', "Unable to base64 decode", marks=BASE64),
        pytest.param("string", '{"b64": "*AAA"}', "Unable to base64 decode", marks=BASE64),
    ],
)
def test_a_value_that_does_not_fit_its_dtype(rest, dtype, given, said):
    code, answer = asked(rest, f"of_{dtype}", f'"inputs": [{given}]')
    assert code == 400 and answer["error"].endswith(said)


@STATUS_CODES
@pytest.mark.parametrize(("dtype", "name"), [("float16", "half"), ("bfloat16", "bfloat16"), ("uint16", "uint16")])
def test_dtypes_that_json_has_no_way_to(rest, dtype, name):
    said = f"Conversion of JSON Value: 1 to type: {name}"
    assert asked(rest, f"of_{dtype}", '"inputs": [1]') == (501, {"error": said})
    said = f"Failed to process element: 0 of 'instances' list. Error: UNIMPLEMENTED: {said}"
    assert asked(rest, f"of_{dtype}", '"instances": [1]') == (400, {"error": said})


@SCALARS
@pytest.mark.parametrize(
    ("dtype", "given", "found"), [("int8", 300, 44), ("int16", 65537, 1), ("uint8", -1, 255), ("uint8", 256, 0)]
)
def test_small_integers_are_cut_to_their_bits(rest, dtype, given, found):
    assert asked(rest, f"of_{dtype}", f'"instances": [{given}]') == (200, {"predictions": [found]})


@BASE64
@pytest.mark.parametrize(
    ("given", "found"),
    [('{"b64": "aGk="}', "hi"), ('{"b64": "aGk"}', "hi"), ('{"b64": ""}', ""), ('{"b64": "YQBi"}', "a\0b")],
)
def test_base64(rest, given, found):
    assert asked(rest, "of_string", f'"instances": [{given}]') == (200, {"predictions": [found]})
    assert asked(rest, "of_string", f'"inputs": {given}') == (200, {"outputs": found})


@BASE64
@pytest.mark.parametrize("given", ['{"b64": 1}', '{"b64": "AA==", "x": 1}', '{"b65": "AA=="}', "{}"])
def test_an_object_that_is_no_base64(rest, given):
    code, answer = asked(rest, "of_string", f'"inputs": {{"x": [{given}]}}')
    assert code == 400 and answer["error"].endswith("not formatted correctly for base64 data")


PLAIN = "instances is a plain list, but expecting list of objects as multiple input tensors required as per"
VALUE = "inputs is a plain value/list, but expecting an object as multiple input tensors required as per"
FIRST, SECOND = (f"Failed to process element: {index} of 'instances' list." for index in (0, 1))
WRONG = "INVALID_ARGUMENT"


@pytest.mark.parametrize(
    ("signature", "body", "said"),
    [
        pytest.param("of_int32", '"more": 1', "Missing 'inputs' or 'instances' key", marks=REQUEST),
        pytest.param("of_int32", '"instances": 1', "Excepting 'instances' to be an list/array", marks=REQUEST),
        pytest.param("of_int32", '"instances": {"x": 1}', "Excepting 'instances' to be an list/", marks=REQUEST),
        pytest.param("of_int32", '"instances": []', "No values in 'instances' array", marks=REQUEST),
        pytest.param("of_int32", '"instances": [1], "inputs": 1', "expecting only one of 'inputs' or", marks=REQUEST),
        pytest.param("two", '"instances": [1]', f"{PLAIN} tensorinfo_map", marks=ROWS),
        pytest.param("two", '"instances": [[1, 2]]', f"{PLAIN} tensorinfo_map", marks=ROWS),
        pytest.param("two", '"instances": [{"a": 1}]', "keys must be equal to: a,b", marks=ROWS),
        pytest.param("two", '"instances": [{"a": 1, "b": 2}, {}]', f"{SECOND} JSON object: {{}} keys must", marks=ROWS),
        pytest.param("two", '"instances": [{"a": 1, "c": 2}]', "does not have named input: c", marks=ROWS),
        pytest.param(
            "two",
            '"instances": [{"a": "x", "b": 2}]',
            f"Failed to process element: 0 key: a of 'instances' list. Error: {WRONG}: JSON Value: \"x\" Type: String",
            marks=ROWS,
        ),
        pytest.param("of_int32", '"instances": [{"x": 1}, 2]', "Expecting object but got list at item 1", marks=ROWS),
        pytest.param("of_int32", '"instances": [1, {"x": 2}]', "Expecting value/list but got object at", marks=ROWS),
        pytest.param("of_int32", '"instances": [[1], [2, 3]]', "Expecting tensor size: 1 but got: 2", marks=ROWS),
        pytest.param("of_int32", '"instances": [[1, 2], [[3], [4]]]', "Expecting shape [2] but got: [2,1]", marks=ROWS),
        pytest.param("of_int32", '"instances": [1, [2]]', f"{SECOND} Error: {WRONG}: Expecting shape []", marks=ROWS),
        pytest.param("two", '"inputs": [1]', f"{VALUE} tensorinfo_map", marks=COLUMNS),
        pytest.param("two", '"inputs": {"a": [1]}', "Missing named input: b in 'inputs' object.", marks=COLUMNS),
        pytest.param("of_int32", '"inputs": {"y": [1]}', "Missing named input: x in 'inputs' object.", marks=COLUMNS),
        pytest.param("of_int32", '"inputs": [[1], [2, 3]]', "unexpected size: 2 at level: 1 expected", marks=SHAPES),
        pytest.param("of_int32", '"inputs": [1, [2]]', "list at unexpected level: 1 expected < 1", marks=SHAPES),
        pytest.param(
            "of_int32",
            '"inputs": [[1], 2]',
            "JSON Value: 2 found at incorrect level: 2 in the JSON DOM",
            marks=SHAPES,
        ),
        pytest.param("none", '"inputs": 1', 'Serving signature name: "none" not found in signature', marks=SIGNATURE),
    ],
)
def test_bodies_that_do_not_fit_the_signature(rest, signature, body, said):
    code, answer = asked(rest, signature, body)
    assert code == 400 and said in answer["error"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param(b"", "JSON Parse error: The document is empty", marks=PARSER),
        pytest.param(b"  ", "JSON Parse error: The document is empty. at offset: 2", marks=PARSER),
        pytest.param(b"{", "JSON Parse error: Missing a name for object member. at offset: 1", marks=PARSER),
        pytest.param(b'{"inputs": [1,]}', "JSON Parse error: Invalid value. at offset: 14", marks=PARSER),
        pytest.param(b'{"inputs" 1}', "JSON Parse error: Missing a colon after a name of object member.", marks=PARSER),
        pytest.param(b'{"inputs": 1} x', "The document root must not be followed by other values.", marks=PARSER),
        pytest.param(
            b"{'inputs': 1}", "JSON Parse error: Missing a name for object member. at offset: 1", marks=PARSER
        ),
        pytest.param(b'{"inputs": "\\x"}', "JSON Parse error: Invalid escape character in string.", marks=PARSER),
        pytest.param(b'{"inputs": "\\ud800"}', "The surrogate pair in string is invalid.", marks=PARSER),
        pytest.param(b'{"inputs": "a', "Missing a closing quotation mark in string.", marks=PARSER),
        pytest.param(b'{"inputs": 01}', "Missing a comma or '}' after an object member.", marks=PARSER),
        pytest.param(b'{"inputs": 1e400}', "JSON Parse error: Number too big to be stored in double.", marks=PARSER),
        pytest.param(b"[1]", "Is not object", marks=PARSER),
        pytest.param(b"7", "JSON Value: 7 Is not object", marks=PARSER),
        pytest.param(b'"a"', 'JSON Value: "a" Is not object', marks=PARSER),
        pytest.param(
            b'{"signature_name": 1, "inputs": 1}',
            "not formatted correctly. 'signature_name' key must be a string value.",
            marks=case("tensorflow_serving/util/json_tensor.cc: FillSignature"),
        ),
    ],
)
def test_bodies_that_are_no_request(rest, body, said):
    code, answer = rest.post(PREDICT, body)
    assert code == 400 and said in answer["error"]


@PARSER
def test_a_byte_order_mark_is_passed_over(rest):
    body = b'\xef\xbb\xbf{"signature_name": "of_int32", "inputs": [1]}'
    assert rest.post(PREDICT, body) == (200, {"outputs": [1]})


@PARSER
@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "Inf", "-Inf"])
def test_numbers_that_are_none(rest, text):
    code, answer = asked(rest, "of_float32", f'"instances": [{text}]')
    (found,) = answer["predictions"]
    assert code == 200 and (math.isnan(found) if text == "NaN" else found == float(text))


@DECIMALS
@pytest.mark.parametrize(
    ("dtype", "given", "text"),
    [
        ("float32", "0.1", "0.1"),
        ("float32", "2", "2.0"),
        ("float32", "-0.0", "-0.0"),
        ("float32", "16777215", "16777215.0"),
        ("float32", "1e20", "1e+20"),
        ("float32", "0.00001", "1e-05"),
        ("float32", "0.333333333", "0.333333343"),
        ("float64", "0.1", "0.1"),
        ("float64", "0.3333333333333333", "0.33333333333333331"),
        ("float64", "1e300", "1e+300"),
        ("float64", "9007199254740991", "9007199254740991.0"),
        ("float32", "NaN", "NaN"),
        ("float32", "-Infinity", "-Infinity"),
    ],
)
def test_decimals_are_written_so(rest, dtype, given, text):
    found = written(rest, f"of_{dtype}", f'"instances": [{given}]')
    assert found == f'{{\n    "predictions": [{text}\n    ]\n}}'


@WRITER
@pytest.mark.parametrize(
    ("dtype", "given", "text"),
    [
        ("bool", "true", "true"),
        ("int8", "-5", "-5"),
        ("uint64", "18446744073709551615", "18446744073709551615"),
        ("string", '"a\\"\\\\b/\\u0007\\n"', '"a\\"\\\\b/\\u0007\\n"'),
        ("string", '"é中😀"', '"é中😀"'),
        ("string", '"\\u007f"', '"\x7f"'),
    ],
)
def test_values_are_written_so(rest, dtype, given, text):
    code, _, body = rest.ask("POST", PREDICT, f'{{"signature_name": "of_{dtype}", "instances": [{given}]}}'.encode())
    assert code == 200 and body.decode() == f'{{\n    "predictions": [{text}\n    ]\n}}'


@ROW_WRITER
def test_rows_are_written_so(rest):
    found = written(rest, "of_int32", '"instances": [[[1, 2], [3, 4]], [[5, 6], [7, 8]]]')
    assert found == '{\n    "predictions": [[[1, 2], [3, 4]], [[5, 6], [7, 8]]\n    ]\n}'


@COLUMN_WRITER
def test_columns_are_written_so(rest):
    found = written(rest, "of_int32", '"inputs": [[1], [2]]')
    inner = "        [\n            1\n        ],\n        [\n            2\n        ]\n"
    assert found == f'{{\n    "outputs": [\n{inner}    ]\n}}'


@COLUMN_WRITER
def test_a_scalar_column_is_written_so(rest):
    assert written(rest, "of_float32", '"inputs": 2.5') == '{\n    "outputs": 2.5\n}'


@ROW_WRITER
def test_a_scalar_has_no_rows(rest):
    code, answer = asked(rest, "scalar", '"instances": [1, 2]')
    assert (code, answer["error"]) == (400, "Tensor name: total has no shape information ")


@ROW_WRITER
def test_outputs_of_different_rows_are_no_rows(rest):
    code, answer = asked(rest, "uneven", '"instances": [1, 2]')
    assert code == 400 and "has inconsistent batch size: " in answer["error"]
    code, answer = asked(rest, "uneven", '"inputs": [1, 2]')
    assert code == 200 and answer["outputs"] == {"one": [1.0], "all": [1.0, 2.0]}


@WRITER
def test_outputs_named_bytes_come_in_base64(rest):
    code, answer = asked(rest, "image", '"instances": [{"image_bytes": {"b64": "/w=="}}]')
    assert (code, answer["predictions"]) == (200, [{"out_bytes": {"b64": "/w=="}, "size": 1}])


@WRITER
@pytest.mark.parametrize("dtype", ["uint16", "complex64"])
def test_dtypes_that_have_no_json(rest, dtype):
    code, answer = asked(rest, f"to_{dtype}", '"instances": [1]')
    assert (code, answer["error"]) == (400, f"Failed to write JSON value for tensor type: {dtype}")


@STATUS_CODES
@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/v1/models/none:predict", '{"inputs": 1}', 404),
        ("/v1/models/none:classify", '{"examples": [{}]}', 404),
        ("/v1/models/none:regress", '{"examples": [{}]}', 404),
        ("/v1/models/echo:predict", '{"signature_name": "number", "inputs": ["x"]}', 400),
        ("/v1/models/echo:predict", '{"signature_name": "of_uint16", "inputs": [1]}', 501),
        ("/v1/models/reviews/labels/none:predict", '{"instances": ["a"]}', 400),
        ("/v1/models/reviews/versions/2:predict", '{"instances": ["a"]}', 404),
    ],
)
def test_each_status_has_its_code(rest, path, body, code):
    assert rest.post(path, body.encode())[0] == code


@case("tensorflow_serving/model_servers/http_rest_api_handler.cc: ProcessPredictRequest parses first")
def test_a_body_is_read_before_the_model_is_looked_for(rest):
    assert rest.post("/v1/models/none:predict", b"{")[0] == 400
    assert rest.post("/v1/models/none:predict", b'{"no": 1}')[0] == 404
