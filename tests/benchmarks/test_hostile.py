"""A few hundred hostile requests to a running server: it ends none badly, and answers as before."""

import asyncio
import subprocess
import sys

import pytest

from benchmarks import hostile_storm
from benchmarks.hostile_protos import Call, no_order
from benchmarks.worker import ROOT
from tests.benchmarks.test_faults import run
from tests.conformance.http_caller import HttpCaller
from tests.serving.server.running import Caller, Server

pytestmark = pytest.mark.timeout(600)
KINDS = 21


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """The READY line of a server of one version that takes tf.Examples."""
    from tests.serving.server.example_version import example_version  # it imports TensorFlow

    base = tmp_path_factory.mktemp("hostile") / "model"
    example_version(base / "3")
    with Server(base, "--engine=embedded", "--port=0") as server:
        yield server.ready()
        assert server.stop() == 0
    assert "a request failed" not in server.log_text()


def answers(ready):
    asked = {"signature_name": "classify_three", "examples": [{"text": "a"}, {"text": "bb"}]}
    with Caller(ready["grpc"], "model") as caller:
        return HttpCaller(ready["rest"]).post("/v1/models/model:classify", asked), sorted(caller.states())


async def storm(ready, count, seed):
    async with hostile_storm.Storm(ready["grpc"], ready["rest"], "model", "inputs", deadline=60) as each:
        return await each.run(count, seed)


def test_a_storm_changes_nothing(served):
    before = answers(served)
    seen = asyncio.run(storm(served, 400, "1"))
    assert seen.total == 400 and len(seen.counts) == KINDS
    assert not seen.hangs and not seen.undocumented
    assert answers(served) == before


def test_the_same_seed_draws_the_same_requests():
    one, again, other = (hostile_storm.generated("model", "text", 3 * KINDS, seed) for seed in ("1", "1", "2"))
    assert one == again != other and len(one) == 3 * KINDS
    drawn = [call for _, call in hostile_storm.generated("model", "text", 20 * KINDS, "3") if isinstance(call, Call)]
    assert all(no_order(call) for call in drawn), "a config that is obeyed takes the model away"


@pytest.mark.parametrize(
    ("status", "message", "documented"),
    [
        ("OK", "", True),
        ("INVALID_ARGUMENT", "Missing ModelSpec", True),
        ("INVALID_ARGUMENT", "'utf-8' codec can't decode byte 0xed in position 39", False),
        ("INTERNAL", "Exception deserializing request!", True),
        ("INTERNAL", "KeyError: 'text'", False),
        ("UNKNOWN", "Unexpected <class 'KeyError'>: 'text'", False),
        ("UNKNOWN", "1 servable(s) did not become available: {a due to error: no version}", True),
        ("400", '{"error": "JSON Parse error"}', True),
        ("500", "", False),
        ("closed", "", True),
        ("no answer", "", False),
        ("refused", "", False),
    ],
)
def test_what_counts_as_documented(status, message, documented):
    assert hostile_storm.documented(status, message) is documented


@pytest.mark.slow
def test_without_hypothesis_it_is_one_line():
    code = "import sys; sys.modules['hypothesis'] = None; from benchmarks import hostile; sys.exit(hostile.main([]))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 5
    assert done.stderr.splitlines()[-1] == "error: hypothesis is missing; pip install -e '.[test]' brings it"


@pytest.mark.slow
def test_the_benchmark(tmp_path):
    found = run("hostile", tmp_path, "--requests=100", "--warm_up=100", "--deadline=60")
    assert all(found["met"].values()), found
    assert found["figures"]["requests"] == 100 and len(found["figures"]["statuses"]) == KINDS
