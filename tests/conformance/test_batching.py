"""--enable_batching: what is refused, what waits, and what is filled up."""

import concurrent.futures
import time

import grpc
import pytest

from tests.conformance.cases import case
from tests.serving.server.running import predict_request, refusal

SCHEDULER = case("tensorflow/core/kernels/batching_util/shared_batch_scheduler.h: Schedule")
SESSION = case("tensorflow_serving/batching/batching_session.cc: MergeInputTensors, SplitOutputTensors")
FACTORY = case("tensorflow_serving/servables/tensorflow/bundle_factory_util.cc: WrapSessionForBatching")
INVALID = grpc.StatusCode.INVALID_ARGUMENT
pytestmark = pytest.mark.slow  # servers of their own; test_batches.py asks one among the fast cases
LONG = str(2 * 10**5)
PARAMETERS = """
max_batch_size { value: 4 } allowed_batch_sizes: 2 allowed_batch_sizes: 4 batch_timeout_micros { value: 0 }
max_enqueued_batches { value: 2 } num_batch_threads { value: 1 }
"""
WITH_A_TIMEOUT = "max_batch_size { value: 8 } batch_timeout_micros { value: 1500000 } num_batch_threads { value: 1 }"


def base_of(zoo):
    return f"--model_base_path={zoo / 'reviews'}", "--model_name=reviews", "--enable_batching"


@pytest.fixture(scope="module")
def batched(zoo, serve, tmp_path_factory):
    """A Caller of a server that batches by PARAMETERS."""
    path = tmp_path_factory.mktemp("batching") / "parameters.pbtxt"
    path.write_text(PARAMETERS)
    with serve(*base_of(zoo), f"--batching_parameters_file={path}") as server, server.ready("reviews") as caller:
        yield caller


@pytest.fixture(scope="module")
def waiting(zoo, serve, tmp_path_factory):
    """A Caller of a server whose batches wait for others, WITH_A_TIMEOUT."""
    path = tmp_path_factory.mktemp("waiting") / "parameters.pbtxt"
    path.write_text(WITH_A_TIMEOUT)
    with serve(*base_of(zoo), f"--batching_parameters_file={path}") as server, server.ready("reviews") as caller:
        yield caller


@SESSION
@pytest.mark.parametrize("rows", [1, 2, 3, 4])
def test_rows_come_back_without_the_filling(batched, rows):
    answer = batched.predict(["x" * (10 * number) for number in range(rows)])
    scores = list(answer.outputs["score"].float_val)
    assert len(scores) == rows and answer.outputs["probabilities"].tensor_shape.dim[0].size == rows


@SESSION
def test_many_callers_get_their_own_rows(batched):
    texts = ["x" * (length % 30) for length in range(120)]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda text: batched.predict([text]).outputs["score"].float_val[0], texts))
    alone = {text: batched.predict([text]).outputs["score"].float_val[0] for text in set(texts)}
    assert answers == pytest.approx([alone[text] for text in texts], abs=1e-6)


@SCHEDULER
@pytest.mark.parametrize("rows", [5, 100])
def test_too_many_rows(batched, rows):
    code, said = refusal(batched.prediction.Predict, predict_request(["a"] * rows))
    assert (code, said) == (INVALID, f"Task size {rows} is larger than maximum input batch size 4")


@case("tensorflow_serving/batching/batching_util.h: ComputeTensorBatchSize")
def test_a_scalar(batched):
    request = predict_request(["a"])
    del request.inputs["text"].tensor_shape.dim[:]
    code, said = refusal(batched.prediction.Predict, request)
    assert (code, said) == (INVALID, "Batching Run() input tensors must have at least one dimension")


@case("Fact: an empty batch under server batching hangs until the deadline")
def test_an_empty_batch(batched):
    with pytest.raises(grpc.RpcError) as late:
        batched.predict([], timeout=0.3)
    assert late.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    assert len(batched.predict(["a"]).outputs["label"].string_val) == 1


@SCHEDULER
def test_a_full_queue(batched):
    asked = [batched.begin([LONG] * 4, "spin") for _ in range(8)]
    assert {each.code() for each in asked} == {grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.UNAVAILABLE}
    full = next(each for each in asked if each.code() == grpc.StatusCode.UNAVAILABLE)
    assert full.details().startswith("The batch scheduling queue to which this task was submitted is full")
    wrong = next(each for each in asked if each.code() == grpc.StatusCode.FAILED_PRECONDITION)
    assert wrong.details().startswith("Batched output tensor's 0th dimension does not equal the sum of the 0th")


@SESSION
def test_outputs_that_a_filter_leaves_are_batched_too(batched):
    request = predict_request(["a", "b"])
    request.output_filter.append("score")
    assert list(batched.prediction.Predict(request, timeout=30).outputs) == ["score"]


@SCHEDULER
def test_a_batch_waits_for_its_timeout_alone(waiting):
    start = time.monotonic()
    waiting.predict(["a"])
    assert time.monotonic() - start >= 1.5


@SCHEDULER
def test_a_full_batch_waits_for_nothing(waiting):
    first = waiting.begin(["a"] * 5)
    start = time.monotonic()
    waiting.predict(["a"] * 3)
    assert first.result() is not None
    assert time.monotonic() - start < 1.5, "both make a whole batch"


@FACTORY
@pytest.mark.parametrize(
    "parameters",
    [
        "max_batch_size { value: 8 } allowed_batch_sizes: 4",
        "max_batch_sise { value: 8 }",
        "num_batch_threads { value: 0 }",
        "max_enqueued_batches { value: 0 }",
    ],
)
def test_parameters_that_cannot_be(zoo, serve, tmp_path, parameters):
    (tmp_path / "parameters.pbtxt").write_text(parameters)
    with serve(*base_of(zoo), f"--batching_parameters_file={tmp_path / 'parameters.pbtxt'}") as server:
        assert server.ended() != 0


@case("tensorflow_serving/model_servers/server.cc: batching_parameters_file without enable_batching")
def test_a_file_without_batching(zoo, serve, tmp_path):
    (tmp_path / "parameters.pbtxt").write_text(PARAMETERS)
    flags = [flag for flag in base_of(zoo) if flag != "--enable_batching"]
    with serve(*flags, f"--batching_parameters_file={tmp_path / 'parameters.pbtxt'}") as server:
        assert server.ended() != 0
