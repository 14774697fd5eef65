"""Versions come and go below a running server: which of them are served, and that no request meets a gap."""

import shutil
import threading

import grpc
import numpy as np
import pytest

from tests.conformance import zoo as models
from tests.conformance.cases import case, row
from tests.conformance.configs import ALL, config_text, entry, latest, specific
from tests.conformance.requests import predict, status, values

pytestmark = pytest.mark.slow

SOURCE = "tensorflow_serving/sources/storage_path/file_system_storage_path_source.cc"
POLICY = f"{SOURCE}: PollFileSystemForServable"
PRESERVING = "tensorflow_serving/core/availability_preserving_policy.cc: AvailabilityPreservingPolicy::GetNextAction"
MONITOR = "tensorflow_serving/core/servable_state_monitor.cc: ServableStateMonitor::HandleEvent"
MANAGER = "tensorflow_serving/core/basic_manager.cc: BasicManager::ServingMap::GetUntypedServableHandle"
POLICIES = {  # name: (source, fields of its entry, versions that it serves of 1, 2, 3)
    "none": (f"{POLICY}, the default is the latest", "", {3}),
    "latest-1": (f"{SOURCE}: AspireLatestVersions", latest(1), {3}),
    "latest-2": (f"{SOURCE}: AspireLatestVersions", latest(2), {2, 3}),
    "latest-0": (f"{SOURCE}: AspireLatestVersions, at least one", latest(0), {3}),
    "latest-9": (f"{SOURCE}: AspireLatestVersions", latest(9), {1, 2, 3}),
    "all": (f"{SOURCE}: AspireAllVersions", ALL, {1, 2, 3}),
    "specific-1": (f"{SOURCE}: AspireSpecificVersions", specific(1), {1}),
    "specific-1-3": (f"{SOURCE}: AspireSpecificVersions", specific(1, 3), {1, 3}),
    "specific-2-9": (f"{SOURCE}: AspireSpecificVersions, what is not there is left out", specific(2, 9), {2}),
}
CHANGING = ("swapped", "removed", "kept", "older", "emptied", "named")
ONE = np.float32([1.0])


@pytest.fixture(scope="module")
def moving(serve, zoo, tmp_path_factory):
    """(server, folder) of a model for every policy, and of those of CHANGING, each with version 1."""
    folder = tmp_path_factory.mktemp("versions")
    entries = []
    for name, (_, policy, _) in POLICIES.items():
        shutil.copytree(zoo / "numbered", folder / name)
        entries.append(entry(name, folder / name, policy))
    for name in CHANGING:
        models.copy(zoo / "numbered/1", folder / name / "1")
        entries.append(entry(name, folder / name, ALL if name == "kept" else ""))
    (folder / "models.config").write_text(config_text(*entries))
    with serve(f"--model_config_file={folder / 'models.config'}") as server:
        for name in (*POLICIES, *CHANGING):
            server.wait_until_available(name)
        yield server, folder


def available(states):
    return {version for version, (state, *_) in states.items() if state == "AVAILABLE"}


@pytest.mark.parametrize(("name", "wanted"), [row(n, source, n, wanted) for n, (source, _, wanted) in POLICIES.items()])
def test_a_policy_serves_what_it_names(moving, name, wanted):
    server, _ = moving
    states = server.wait_for(name, lambda states: wanted <= available(states))
    assert set(states) == wanted
    assert server.ask(predict(name, x=ONE)).model_spec.version.value == max(wanted)


@case(MANAGER)
def test_a_version_that_the_policy_leaves_out_is_not_found(moving):
    server, _ = moving
    code, said = server.refusal(predict("specific-1-3", version=2, x=ONE))
    assert (code, said) == (
        grpc.StatusCode.NOT_FOUND,
        "Servable not found for request: Specific(specific-1-3, 2)",
    )


@case(PRESERVING)
def test_a_new_version_takes_over_and_no_request_fails(moving, zoo):
    server, folder = moving
    done, failures, answers = threading.Event(), [], []

    def keep_asking():
        while not done.is_set():
            try:
                response = server.ask(predict("swapped", x=ONE))
                answers.append((response.model_spec.version.value, values(response, "y")))
            except grpc.RpcError as error:
                failures.append((error.code(), error.details()))

    caller = threading.Thread(target=keep_asking)
    caller.start()
    try:
        models.copy(zoo / "numbered/2", folder / "swapped/2")
        states = server.wait_for("swapped", lambda states: states[1][0] == "END")
    finally:
        done.set()
        caller.join()
    assert states == {2: ("AVAILABLE", 0, ""), 1: ("END", 0, "")} and failures == []
    numbers = [number for number, _ in answers]
    assert numbers == sorted(numbers) and dict(answers) == {1: [11.0], 2: [21.0]}


@case(MONITOR)
def test_what_was_served_before_stays_listed(moving):
    server, _ = moving
    server.wait_for("swapped", lambda states: states[1][0] == "END")
    (one,) = server.ask(status("swapped", version=1)).model_version_status
    assert one.state == 50 and one.status.error_code == 0  # END


@case(f"{SOURCE}: FileSystemStoragePathSource::PollFileSystemAndInvokeCallback")
def test_the_version_before_comes_back_when_the_newest_is_removed(moving, zoo):
    server, folder = moving
    models.copy(zoo / "numbered/2", folder / "removed/2")
    server.wait_for("removed", lambda states: available(states) == {2})
    shutil.rmtree(folder / "removed/2")
    server.wait_for("removed", lambda states: available(states) == {1})
    assert values(server.ask(predict("removed", x=ONE)), "y") == [11.0]


@case(f"{SOURCE}: AspireAllVersions")
def test_all_versions_stay_beside_a_new_one(moving, zoo):
    server, folder = moving
    models.copy(zoo / "numbered/2", folder / "kept/2")
    server.wait_for("kept", lambda states: available(states) == {1, 2})
    assert values(server.ask(predict("kept", version=1, x=ONE)), "y") == [11.0]


@case(f"{SOURCE}: AspireLatestVersions")
def test_an_older_number_is_not_loaded(moving, zoo):
    server, folder = moving
    models.copy(zoo / "numbered/3", folder / "older/7")
    server.wait_for("older", lambda states: available(states) == {7})
    models.copy(zoo / "numbered/2", folder / "older/5")
    models.copy(zoo / "numbered/2", folder / "older/8")
    states = server.wait_for("older", lambda states: available(states) == {8})
    assert 5 not in states


@case(f"{SOURCE}: FileSystemStoragePathSource::PollFileSystemAndInvokeCallback, none is wanted")
def test_a_folder_that_is_emptied_serves_nothing(moving):
    server, folder = moving
    shutil.rmtree(folder / "emptied/1")
    server.wait_for("emptied", lambda states: states[1][0] == "END")
    assert server.refusal(predict("emptied", x=ONE)) == (
        grpc.StatusCode.NOT_FOUND,
        "Servable not found for request: Latest(emptied)",
    )


@case(f"{SOURCE}: IndexChildrenByVersion")
def test_what_is_named_otherwise_is_no_version(moving, zoo):
    server, folder = moving
    for name in ("best", "v9", "9.0", ".9"):
        models.copy(zoo / "numbered/2", folder / "named" / name)
    models.copy(zoo / "numbered/2", folder / "named/2")
    states = server.wait_for("named", lambda states: available(states) == {2})
    assert set(states) == {1, 2}


@case(f"{SOURCE}: ParseVersionNumber, by safe_strto64")
def test_zeros_may_stand_before_a_number(moving, zoo):
    server, folder = moving
    server.wait_for("named", lambda states: available(states) & {1, 2})
    models.copy(zoo / "numbered/3", folder / "named/0012")
    server.wait_for("named", lambda states: available(states) == {12})
    assert values(server.ask(predict("named", version=12, x=ONE)), "y") == [31.0]
