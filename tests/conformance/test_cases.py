"""The rule of the suite: no case without what it rests on, in a form that can be looked up."""

import pathlib

import pytest

from tests.conformance.cases import case, row

OWN = case("Fact: this one asks no server")


@OWN
def test_a_source_is_a_file_with_its_function_or_a_fact():
    case("tensorflow_serving/model_servers/server.cc: Server::BuildAndStart")
    case("tensorflow/core/framework/tensor.cc: Tensor::FromProto")
    case("Fact: a scalar succeeds")
    for wrong in ("", "Fact: ", "server.cc: main", "tensorflow/core/framework/tensor.cc", "it is so"):
        with pytest.raises(ValueError, match="is no source; write"):
            case(wrong)
        with pytest.raises(ValueError, match="is no source; write"):
            row("a name", wrong, 1)


@OWN
def test_every_case_has_a_source_in_one_of_these_forms(request):
    here = pathlib.Path(__file__).parent
    marks = [item.get_closest_marker("conforms") for item in request.session.items if here in item.path.parents]
    assert marks
    for mark in marks:
        case(mark.args[0])
