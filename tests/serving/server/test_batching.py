import concurrent.futures

import grpc
import pytest
import tensorflow as tf

from serving.server import batching, options
from serving.server.batched_version import BatchedVersion
from serving.server.status import StatusError
from tests.serving.server.running import Caller, Server, predict_request, refusal

PARAMETERS = """
max_batch_size { value: 4 } allowed_batch_sizes: 2 allowed_batch_sizes: 4
max_enqueued_batches { value: 2 } num_batch_threads { value: 1 }
"""
LONG = str(2 * 10**5)  # a run of signature spin that outlasts the calls made meanwhile


@pytest.fixture(scope="module")
def served(versions, tmp_path_factory):
    """A Caller of a server that batches by PARAMETERS; it must also end well."""
    folder = tmp_path_factory.mktemp("batching")
    (folder / "reviews").mkdir()
    (folder / "reviews" / "1").symlink_to(versions["a"])
    parameters = folder / "batching.pbtxt"
    parameters.write_text(PARAMETERS)
    flags = ("--engine=embedded", "--port=0", "--enable_batching", f"--batching_parameters_file={parameters}")
    with Server(folder / "reviews", *flags) as server, Caller(server.ready()["grpc"]) as caller:
        yield caller
        assert server.stop() == 0, server.log_text()


def test_many_callers_get_their_own_answers(served):
    texts = ["x" * (length % 40) for length in range(200)]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda text: served.predict([text]), texts))
    scores = [answer.outputs["score"].float_val[0] for answer in answers]
    assert scores == pytest.approx(tf.sigmoid([len(text) / 10 + 5 for text in texts]).numpy().tolist(), abs=1e-6)


def test_more_rows_than_a_batch_may_have_are_refused(served):
    code, message = refusal(served.prediction.Predict, predict_request(["a"] * 5))
    assert (code, message) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "Task size 5 is larger than maximum input batch size 4",
    )
    assert len(served.predict(["a"] * 4).outputs["label"].string_val) == 4


def test_a_scalar_cannot_be_batched(served):
    request = predict_request(["a"])
    del request.inputs["text"].tensor_shape.dim[:]
    code, message = refusal(served.prediction.Predict, request)
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert message == "Batching Run() input tensors must have at least one dimension"


def test_an_empty_batch_waits_for_its_deadline_and_harms_nobody(served):
    with pytest.raises(grpc.RpcError) as late:
        served.predict([], timeout=0.3)
    assert late.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    assert served.predict(["a"], timeout=30).outputs["label"].string_val[0] == b"positive"


def test_a_full_queue_refuses_at_once_and_takes_requests_again(served):
    asked = [served.begin([LONG] * 4, "spin") for _ in range(8)]  # one runs, two wait
    # Of 4 rows the run that is made has an output of one.
    assert {future.code() for future in asked} == {grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.UNAVAILABLE}
    full = next(future for future in asked if future.code() == grpc.StatusCode.UNAVAILABLE)
    assert full.details().startswith("The batch scheduling queue to which this task was submitted is full; currently")
    assert served.predict(["a"]).outputs["label"].string_val[0] == b"positive"


def loading(**given):
    return batching.Loading(options.Options(model_base_path="", enable_batching=True, **given))


def test_a_version_is_batched_only_by_its_own_file_where_that_is_asked(fresh):
    plain, batched = fresh("a", "2026-01-02T00:00:00Z"), fresh("a", "2026-01-03T00:00:00Z")
    (batched / "batching_params.pbtxt").write_text("max_batch_size { value: 2 }")
    own = loading(enable_per_model_batching_parameters=True)
    with own.load(plain) as one, own.load(batched) as other:
        assert not isinstance(one, BatchedVersion) and isinstance(other, BatchedVersion)
    own.close()


def test_a_version_whose_own_file_is_wrong_cannot_be_loaded(fresh):
    version = fresh("a", "2026-01-02T00:00:00Z")
    (version / "batching_params.pbtxt").write_text("allowed_batch_sizes: 2")
    own = loading(enable_per_model_batching_parameters=True)
    with pytest.raises(StatusError, match="Last entry in allowed_batch_sizes must match max_batch_size"):
        own.load(version)
    own.close()


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--batching_parameters_file=x"], "--batching_parameters_file is set without --enable_batching"),
        (["--enable_batching", "--batching_parameters_file={empty}"], "num_batch_threads must be positive; was 0"),
    ],
)
def test_flags_that_do_not_go_together_end_with_one_line(versions, tmp_path, flags, said):
    (tmp_path / "empty").write_text("num_batch_threads { value: 0 }")
    base = tmp_path / "reviews"
    base.mkdir()
    (base / "1").symlink_to(versions["a"])
    flags = [flag.format(empty=tmp_path / "empty") for flag in flags]
    with Server(base, "--engine=embedded", "--port=0", *flags) as server:
        assert server.process.wait(60) == 2
        assert said in server.log_text().strip().splitlines()[-1]
