"""What counts as a version, and as a proven one."""

import json
import os

import pytest

from serving import contract
from serving.contract import ServingError

CONTRACT = {
    "schema_version": "1.0",
    "model_name": "reviews",
    "task": "classification",
    "signatures": {},
    "limits": {"tokens": 8},
    "serving_target": ["2.19"],
}


@pytest.fixture
def version(tmp_path):
    (tmp_path / "variables").mkdir()
    (tmp_path / "saved_model.pb").write_bytes(b"graph")
    (tmp_path / "variables" / "variables.index").write_bytes(b"index")
    (tmp_path / "contract.json").write_text(json.dumps(CONTRACT))
    prove(tmp_path)
    return tmp_path


def prove(version, **changes):
    hashes = contract.file_hashes(version)
    proof = {"schema_version": "1.0", "accepted": True, "contract": hashes["contract.json"], "files": hashes}
    (version / "proof.json").write_text(json.dumps(proof | changes))


def test_a_proven_version_is_read_back(version):
    assert contract.read_contract(version) == CONTRACT
    assert contract.check_proven(version)["accepted"] is True
    assert set(contract.file_hashes(version)) == {"saved_model.pb", "variables/variables.index", "contract.json"}


def test_the_model_card_may_be_edited(version):
    (version / "model_card.md").write_text("for people")
    contract.check_proven(version)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda version: (version / "saved_model.pb").write_bytes(b"other"), "saved_model.pb is not the file"),
        (lambda version: (version / "variables/variables.index").unlink(), "variables.index was proven but is missing"),
        (lambda version: (version / "more.txt").write_text("x"), "more.txt was not there"),
        (lambda version: (version / "proof.json").unlink(), "not proven"),
        (lambda version: prove(version, accepted=False), "does not accept it"),
        (lambda version: prove(version, contract="sha256:0"), "of another contract.json"),
        (lambda version: os.symlink("/etc/hostname", version / "link"), "a link"),
    ],
)
def test_what_is_not_exactly_what_was_proven_is_refused(version, change, named):
    change(version)
    with pytest.raises(ServingError, match=named) as refusal:
        contract.check_proven(version)
    assert refusal.value.exit_code == 3
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (json.dumps(CONTRACT | {"schema_version": "2.0"}), "schema 2.0 is newer than 1.0"),
        (json.dumps(CONTRACT | {"schema_version": 1}), "schema_version 1 is none of ours"),
        (json.dumps({"schema_version": "1.0", "task": "classification"}), "model_name, signatures, limits"),
        ("[]", "schema_version None"),
        ("{", "not JSON"),
        (b"\xff", "not JSON"),
    ],
)
def test_a_contract_that_cannot_be_read_says_why(version, content, named):
    (version / "contract.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ServingError, match=named):
        contract.read_contract(version)


def test_a_newer_minor_schema_is_read(version):
    (version / "contract.json").write_text(json.dumps(CONTRACT | {"schema_version": "1.7", "new_field": 1}))
    assert contract.read_contract(version)["new_field"] == 1


def test_a_folder_without_a_contract_is_the_users_mistake(tmp_path):
    with pytest.raises(ServingError, match="no such file") as refusal:
        contract.read_contract(tmp_path)
    assert refusal.value.exit_code == 2
