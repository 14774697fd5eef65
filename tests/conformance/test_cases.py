"""The rule of the suite: no case without what it rests on, in a form that can be looked up."""

import pytest

from tests.conformance import conftest
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


class Item:
    """A collected test as pytest shows it."""

    def __init__(self, name, mark=None):
        self.nodeid, self.path, self._mark = name, conftest.HERE / "test_x.py", mark

    def get_closest_marker(self, name):
        return self._mark


@OWN
def test_a_case_without_a_source_is_not_run():
    sourced = Item("sourced", OWN.mark)
    conftest.pytest_collection_modifyitems([sourced])
    with pytest.raises(pytest.UsageError, match="cases without a source .*: silent"):
        conftest.pytest_collection_modifyitems([sourced, Item("silent")])


@OWN
def test_every_case_of_this_suite_has_one(request):
    here = [item for item in request.session.items if conftest.HERE in item.path.parents]
    assert here and all(item.get_closest_marker("case").args[0] for item in here)
