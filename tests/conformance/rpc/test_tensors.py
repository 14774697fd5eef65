"""Tensors: every dtype in every form that a TensorProto may have, and what is no tensor."""

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2

from tests.conformance.rpc.cases import case, row
from tests.conformance.rpc.requests import arrays, predict, values
from tests.conformance.rpc.zoo import DTYPES

PROTO = "tensorflow/core/framework/tensor.cc: Tensor::FromProto"
FIELD = "tensorflow/core/framework/tensor.cc: FromProtoField"
OUT = "tensorflow/core/framework/tensor.cc: Tensor::AsProtoField"
SHAPE = "tensorflow/core/framework/tensor_shape.cc: TensorShapeBase::IsValid"
STRINGS = "tensorflow/core/platform/tensor_coding.cc: DecodeStringList"
INPUTS = "tensorflow/cc/saved_model/util.cc: GetInputValues"
FIELDS = {  # where the elements of a dtype stand
    "float32": "float_val",
    "float64": "double_val",
    "float16": "half_val",
    "bfloat16": "half_val",
    **dict.fromkeys(("int8", "int16", "int32", "uint8", "uint16"), "int_val"),
    "int64": "int64_val",
    "uint32": "uint32_val",
    "uint64": "uint64_val",
    "bool": "bool_val",
    "string": "string_val",
    "complex64": "scomplex_val",
    "complex128": "dcomplex_val",
}
BITS = {"float16": ([0x3C00, 0xC000], [1.0, -2.0]), "bfloat16": ([0x3F80, 0xC000], [1.0, -2.0])}
ELEMENTS = {  # what stands there, and what it means
    "float32": ([1.5, -2.0], [1.5, -2.0]),
    "float64": ([1.5, -2.0], [1.5, -2.0]),
    **BITS,
    "int8": ([127, -128], [127, -128]),
    "int16": ([32767, -32768], [32767, -32768]),
    "int32": ([2**31 - 1, -(2**31)], [2**31 - 1, -(2**31)]),
    "int64": ([2**63 - 1, -(2**63)], [2**63 - 1, -(2**63)]),
    "uint8": ([0, 255], [0, 255]),
    "uint16": ([0, 65535], [0, 65535]),
    "uint32": ([0, 2**32 - 1], [0, 2**32 - 1]),
    "uint64": ([0, 2**64 - 1], [0, 2**64 - 1]),
    "bool": ([True, False], [True, False]),
    "string": ([b"a", b""], [b"a", b""]),
    "complex64": ([1.0, 2.0, -3.0, 0.5], [1 + 2j, -3 + 0.5j]),
    "complex128": ([1.0, 2.0, -3.0, 0.5], [1 + 2j, -3 + 0.5j]),
}


def proto(dtype, shape, content=None, **fields):
    made = tensor_pb2.TensorProto(dtype=DTYPES[dtype].as_datatype_enum, **fields)
    for size in shape:
        made.tensor_shape.dim.add(size=size)
    if content is not None:
        made.tensor_content = content
    return made


def echoed(ask, dtype, given):
    """The output of the signature that gives its input back."""
    return ask(predict("echo", f"of_{dtype}", x=given)).outputs["x"]


def elements(output):
    return np.ravel(tf.make_ndarray(output)).tolist()


@pytest.mark.parametrize("dtype", [row(name, f"{FIELD}<{name}>", name) for name in DTYPES])
def test_elements_in_the_field_of_the_dtype(ask, dtype):
    given, meant = ELEMENTS[dtype]
    assert elements(echoed(ask, dtype, proto(dtype, [2], **{FIELDS[dtype]: given}))) == meant


@pytest.mark.parametrize("dtype", [row(name, f"{PROTO}, Helper<{name}>::Decode", name) for name in DTYPES])
def test_elements_as_content(ask, dtype):
    _, meant = ELEMENTS[dtype]
    content = b"\1\0a" if dtype == "string" else np.array(meant, DTYPES[dtype].as_numpy_dtype).tobytes()
    assert elements(echoed(ask, dtype, proto(dtype, [2], content))) == meant


@pytest.mark.parametrize("dtype", [row(name, f"{OUT}, ToProtoField<{name}>", name) for name in DTYPES])
def test_answers_stand_in_the_field_of_the_dtype(ask, dtype):
    given, _ = ELEMENTS[dtype]
    output = echoed(ask, dtype, proto(dtype, [2], **{FIELDS[dtype]: given}))
    assert output.dtype == DTYPES[dtype].as_datatype_enum and [each.size for each in output.tensor_shape.dim] == [2]
    assert list(getattr(output, FIELDS[dtype])) == given and not output.tensor_content


@case(FIELD)
def test_elements_left_out_repeat_the_last_one(ask):
    assert elements(echoed(ask, "float32", proto("float32", [4], float_val=[1.0, 2.0]))) == [1.0, 2.0, 2.0, 2.0]


@pytest.mark.parametrize(
    ("dtype", "meant"),
    [
        row("numbers are zero", FIELD, "int64", [0, 0, 0]),
        row("truths are false", FIELD, "bool", [False] * 3),
        row("strings are empty", FIELD, "string", [b""] * 3),
    ],
)
def test_where_all_elements_are_left_out(ask, dtype, meant):
    assert elements(echoed(ask, dtype, proto(dtype, [3]))) == meant


@case(FIELD)
def test_elements_beyond_the_shape_are_dropped(ask):
    assert elements(echoed(ask, "int32", proto("int32", [2], int_val=[1, 2, 3]))) == [1, 2]


@case(FIELD)
def test_whole_numbers_wrap_around(ask):
    assert elements(echoed(ask, "uint8", proto("uint8", [2], int_val=[256, -1]))) == [0, 255]


@case(PROTO)
def test_content_goes_before_the_field(ask):
    given = proto("float32", [1], np.float32([7]).tobytes(), float_val=[1.0])
    assert elements(echoed(ask, "float32", given)) == [7.0]


@case(PROTO)
def test_a_field_of_another_dtype_counts_for_nothing(ask):
    assert elements(echoed(ask, "float32", proto("float32", [2], int_val=[1, 2]))) == [0.0, 0.0]


@case(PROTO)
def test_content_of_no_elements_is_not_looked_at(ask):
    assert elements(echoed(ask, "float32", proto("float32", [0], b"12345"))) == []


@case(PROTO)
def test_no_dimension_is_a_scalar(ask):
    output = echoed(ask, "float32", proto("float32", [], float_val=[2.5]))
    assert list(output.tensor_shape.dim) == [] and list(output.float_val) == [2.5]


@case(SHAPE)
def test_an_unknown_rank_is_that_of_a_scalar(ask):
    given = proto("float32", [], float_val=[2.5])
    given.tensor_shape.unknown_rank = True
    assert elements(echoed(ask, "float32", given)) == [2.5]


@case(SHAPE)
def test_names_of_dimensions_do_not_matter(ask):
    given = proto("float32", [1], float_val=[2.5])
    given.tensor_shape.dim[0].name = "batch"
    assert elements(echoed(ask, "float32", given)) == [2.5]


@case("tensorflow/core/framework/tensor.cc: ToProtoField<float>")
def test_what_is_no_number_comes_back(ask):
    output = echoed(ask, "float32", np.float32([np.nan, np.inf, -np.inf, -0.0]))
    found = np.float32(output.float_val)
    assert np.isnan(found[0]) and found[1:3].tolist() == [np.inf, -np.inf] and np.signbit(found[3])


@pytest.mark.parametrize(
    "given",
    [
        row("content too short", f"{PROTO}, Helper<float>::Decode", proto("float32", [2], b"1234567")),
        row("content too long", f"{PROTO}, Helper<float>::Decode", proto("float32", [2], b"123456789")),
        row("a size below zero", SHAPE, proto("float32", [-1], float_val=[1.0])),
        row("a size that no number holds", SHAPE, proto("float32", [2**40, 2**40], float_val=[1.0])),
        row("no dtype", PROTO, tensor_pb2.TensorProto(float_val=[1.0])),
        row("a dtype that is none", PROTO, tensor_pb2.TensorProto(dtype=99, float_val=[1.0])),
        row("a reference", PROTO, tensor_pb2.TensorProto(dtype=101, float_val=[1.0])),
    ],
)
def test_what_is_no_tensor(refusal, given):
    assert refusal(predict("echo", "of_float32", x=given)) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "tensor parsing error: x",
    )


@pytest.mark.parametrize(
    "content",
    [
        row("lengths that say more", STRINGS, b"\3\0a"),
        row("lengths that say less", STRINGS, b"\0\0a"),
        row("a length cut short", STRINGS, b"\1\x80"),
    ],
)
def test_what_are_no_strings(refusal, content):
    said = refusal(predict("echo", "of_string", x=proto("string", [2], content)))
    assert said == (grpc.StatusCode.INVALID_ARGUMENT, "tensor parsing error: x")


@case(INPUTS)
def test_a_wrong_dtype_is_a_tensor_all_the_same(refusal):
    code, said = refusal(predict("echo", "of_float32", x=proto("int32", [1], int_val=[1])))
    assert code == grpc.StatusCode.INVALID_ARGUMENT and "to be float but int32 is provided" in said


TEXTS = {
    "empty": b"",
    "NUL": b"a\0b\0\0",
    "invalid UTF-8": b"\xff\xfe\xc3(",
    "a lone surrogate": b"\xed\xa0\x80",
    "beyond the BMP": "😀👨‍👩‍👧".encode(),
    "line ends": b"a\r\n\tb\x1b[0m",
    "right to left": "עברית \u202e abc".encode(),
    "a megabyte": b"x" * (1 << 20),
}


@pytest.mark.parametrize(
    "text",
    [row(name, "tensorflow/core/framework/tensor.cc: Helper<tstring>", text) for name, text in TEXTS.items()],
)
def test_texts_are_bytes(ask, text):
    response = ask(predict("echo", text=[text, b"other"]))
    assert list(response.outputs["text"].string_val) == [text, b"other"]
    assert values(response, "length") == [len(text), 5]


@case("tensorflow_serving/model_servers/server.cc: Server::BuildAndStart, SetMaxMessageSize")
def test_a_request_of_more_than_four_megabytes(ask):
    response = ask(predict("echo", filtered=["length"], text=[b"x" * 1_000_000] * 9))
    assert values(response, "length") == [1_000_000] * 9


@case("tensorflow_serving/model_servers/server.cc: Server::BuildAndStart, SetMaxMessageSize")
def test_an_answer_of_more_than_four_megabytes(ask):
    (text,) = ask(predict("echo", "long", x=np.int32([9_000_000]))).outputs["text"].string_val
    assert text == b"x" * 9_000_000


@case("tensorflow_serving/model_servers/server.cc: Server::BuildAndStart, SetMaxMessageSize")
def test_many_rows(ask):
    numbers = np.arange(500_000, dtype=np.float32)
    assert arrays(ask(predict("echo", "of_float32", x=numbers)))["x"].tolist() == numbers.tolist()
