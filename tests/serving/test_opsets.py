"""The op lists of the TF Serving releases."""

import pytest

from serving import opsets
from serving.contract import ServingError


def test_every_release_has_core_and_text_ops():
    assert opsets.known_targets() == ("2.19", "2.20")
    assert len(opsets.ops_of("2.19")) == 1896 + 35
    assert len(opsets.ops_of("2.20")) == 1907 + 38
    for target in opsets.known_targets():
        assert {"MatMul", "ParseExampleV2", "FastWordpieceTokenizeWithOffsets"} <= opsets.ops_of(target)
        assert "MatMul" not in opsets.text_ops_of(target)


def test_missing_ops_are_named_per_target():
    ops = {"MatMul", "TFText>RoundRobinTrim"}
    assert opsets.missing_ops(ops, ["2.19", "2.20"]) == {"2.19": ["TFText>RoundRobinTrim"]}
    with pytest.raises(ServingError, match="2.19 lacks TFText>RoundRobinTrim: serve with TF Serving 2.20") as refusal:
        opsets.refuse_missing(ops, ["2.19"])
    assert refusal.value.exit_code == 3
    with pytest.raises(ServingError, match="2.20 lacks Invented: build the graph without"):
        opsets.refuse_missing({"Invented"}, ["2.20"])
    opsets.refuse_missing(ops, ["2.20"])


def test_targets_are_parsed_oldest_first_each_once():
    assert opsets.parse_targets("2.20, 2.19,2.20") == ["2.19", "2.20"]


@pytest.mark.parametrize(
    ("given", "named"), [("2.21", "did you mean 2.20?"), ("2.9", "known are 2.19, 2.20"), ("", "none")]
)
def test_an_unknown_target_names_the_nearest(given, named):
    with pytest.raises(ServingError, match=named.replace("?", r"\?")):
        opsets.parse_targets(given)
