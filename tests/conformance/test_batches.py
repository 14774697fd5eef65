"""What runs together under --enable_batching: `batch` of the echo model says in each row who ran with it."""

import time

import grpc
import numpy as np
import pytest
from tensorflow_serving.apis import predict_pb2

from tests.conformance.cases import case, row
from tests.conformance.configs import entry, replace
from tests.conformance.requests import arrays, predict
from tests.conformance.zoo import copy

MERGE = "tensorflow_serving/batching/batching_session.cc: MergeInputTensors"
SPLIT = "tensorflow_serving/batching/batching_session.cc: SplitOutputTensors"
TASKS = "tensorflow_serving/batching/batching_session.cc: SplitInputTask"
PROCESS = "tensorflow_serving/batching/batching_session.cc: ProcessBatch"
SIGNATURES = "tensorflow_serving/batching/batching_session.cc: TensorSignatureFromRunArgs"
SIZES = "tensorflow_serving/batching/batching_util.cc: RoundToLowestAllowedBatchSize"
ROWS = "tensorflow_serving/batching/batching_util.h: ComputeTensorBatchSize"
PADDING = "tensorflow_serving/batching/batching_util.cc: AddPadding, CalculateMaxDimSizes"
SCHEDULE = "tensorflow/core/kernels/batching_util/shared_batch_scheduler.h: Schedule"
PER_MODEL = "tensorflow_serving/servables/tensorflow/bundle_factory_util.cc: GetPerModelBatchingParams"
INVALID, PRECONDITION = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.FAILED_PRECONDITION
QUEUE = "max_enqueued_batches { value: 100 } batch_timeout_micros"
AT_ONCE = f"{QUEUE} {{ value: 0 }}"
# A batch waits until it is whole, so that who runs with whom is no matter of luck.
WHOLE = f"max_batch_size {{ value: 5 }} {QUEUE} {{ value: 20000000 }}"
PARAMETERS = {
    "allowed": f"max_batch_size {{ value: 8 }} allowed_batch_sizes: [2, 4, 8] {AT_ONCE}",
    "whole": WHOLE,
    "padded": f"{WHOLE} pad_variable_length_inputs: true",
    "large": (
        "max_batch_size { value: 8 } max_execution_batch_size { value: 3 } "
        f"enable_large_batch_splitting {{ value: true }} {AT_ONCE}"
    ),
    "plain": None,
}


@pytest.fixture(scope="module")
def server(serve, zoo, tmp_path_factory):
    """A ModelServer of copies of `echo`, each with its own PARAMETERS in batching_params.pbtxt."""
    folder = tmp_path_factory.mktemp("batches")
    for name, parameters in PARAMETERS.items():
        version = copy(zoo / "echo" / "1", folder / name / "1")
        if parameters:
            (version / "batching_params.pbtxt").write_text(parameters)
    (folder / "parameters.pbtxt").write_text("num_batch_threads { value: 2 }")
    config = replace(folder / "models.config", *[entry(name, folder / name) for name in PARAMETERS])
    flags = ("--enable_batching", "--enable_per_model_batching_parameters", f"--model_config_file={config}")
    with serve(*flags, f"--batching_parameters_file={folder / 'parameters.pbtxt'}") as server:
        for name in PARAMETERS:
            server.wait_until_available(name)
        yield server


def begin(server, *requests):
    """The futures of Predict requests that are under way together."""
    call = server.channel.unary_unary(
        "/tensorflow.serving.PredictionService/Predict",
        request_serializer=predict_pb2.PredictRequest.SerializeToString,
        response_deserializer=predict_pb2.PredictResponse.FromString,
    )
    return [call.future(each, timeout=60) for each in requests]


def asking(model, signature, filtered=(), **inputs):
    return predict(model, signature, filtered, **{name: np.float32(value) for name, value in inputs.items()})


def answered(server, model, signature, **inputs):
    """`{output: its values as nested lists}`."""
    return {name: each.tolist() for name, each in arrays(server.ask(asking(model, signature, **inputs))).items()}


def output(future, name):
    return arrays(future.result())[name].tolist()


@case(SIZES)
@pytest.mark.parametrize(("rows", "run"), [(1, 2), (2, 2), (3, 4), (4, 4), (5, 8), (7, 8), (8, 8)])
def test_rows_are_filled_up_to_an_allowed_size(server, rows, run):
    assert answered(server, "allowed", "batch", x=[1.0] * rows)["rows"] == [run] * rows


@case(MERGE)
def test_the_filling_is_the_first_row_of_the_last_task(server):
    assert answered(server, "allowed", "batch", x=[5.0, 1.0, 1.0])["sum"] == [12.0] * 3


@case(SCHEDULE)
@pytest.mark.parametrize("model", ["allowed", "large"])
def test_no_more_rows_than_max_batch_size(server, model):
    said = "Task size 9 is larger than maximum input batch size 8"
    assert server.refusal(asking(model, "batch", x=[1.0] * 9)) == (INVALID, said)


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        row("other rows", ROWS, {"a": [1.0], "b": [1.0, 2.0]}, "must have equal 0th-dimension size"),
        row("a scalar first", ROWS, {"a": 1.0, "b": [1.0]}, "must have at least one dimension"),
        row("a scalar second", ROWS, {"a": [1.0], "b": 1.0}, "must have at least one dimension"),
    ],
)
def test_inputs_that_have_no_rows_in_common(server, inputs, said):
    assert server.refusal(asking("allowed", "two", **inputs)) == (INVALID, f"Batching Run() input tensors {said}")


@pytest.mark.parametrize(
    ("signature", "said"),
    [
        row("none", SPLIT, "scalar", "Batched output tensor has 0 dimensions"),
        row("others", SPLIT, "uneven", "Batched output tensor's 0th dimension does not equal the sum of the 0th"),
    ],
)
def test_outputs_that_have_not_the_rows_of_the_inputs(server, signature, said):
    code, message = server.refusal(asking("allowed", signature, x=[1.0, 2.0]))
    assert code == PRECONDITION and message.startswith(said)


@case("tensorflow_serving/servables/tensorflow/predict_util.cc: PreProcessPrediction, of the filter alone")
def test_a_filter_leaves_out_an_output_that_could_not_be_split(server):
    found = arrays(server.ask(asking("allowed", "uneven", ["all"], x=[1.0, 2.0])))
    assert found["all"].tolist() == [1.0, 2.0]


@case(SPLIT)
def test_wide_rows_come_back_whole(server):
    rows = [[[1.0, 2.0]], [[3.0, 4.0]], [[5.0, 6.0]]]
    assert answered(server, "allowed", "of_float32", x=rows)["x"] == rows


@case(MERGE)
def test_requests_run_together(server):
    first, second = begin(server, *[asking("whole", "batch", x=each) for each in ([1.0, 2.0], [3.0, 4.0, 5.0])])
    assert (output(first, "rows"), output(second, "rows")) == ([5] * 2, [5] * 3)
    assert (output(first, "sum"), output(second, "sum")) == ([15.0] * 2, [15.0] * 3)


@case(SPLIT)
def test_each_gets_its_own_rows(server):
    asked = [asking("whole", "of_float32", x=[float(number)]) for number in range(5)]
    assert [output(each, "x") for each in begin(server, *asked)] == [[float(number)] for number in range(5)]


@case(SCHEDULE)
def test_a_request_that_does_not_fit_opens_the_next_batch(server):
    asked = begin(server, *[asking("whole", "batch", x=[1.0] * 3)] * 2)
    until = time.monotonic() + 60
    while not any(each.done() for each in asked):  # the first one's batch is closed by the second
        assert time.monotonic() < until
        time.sleep(0.01)
    asked += begin(server, asking("whole", "batch", x=[1.0] * 2))
    assert sorted(output(each, "rows")[0] for each in asked) == [3, 5, 5]


@case(SIGNATURES)
def test_requests_of_other_outputs_do_not_run_together(server):
    halves = begin(server, *[asking("whole", "batch", [name], x=[1.0] * 3) for name in ("rows", "sum")])
    rests = begin(server, *[asking("whole", "batch", [name], x=[1.0] * 2) for name in ("rows", "sum")])
    for rows, name, value in ((halves[0], "rows", 5), (halves[1], "sum", 5.0)):
        assert output(rows, name) == [value] * 3
    assert output(rests[0], "rows") == [5] * 2 and output(rests[1], "sum") == [5.0] * 2


@case(MERGE)
def test_rows_of_other_shapes_cannot_run_together(server):
    asked = [asking("whole", "of_float32", x=np.ones((rows, width))) for rows, width in ((2, 1), (3, 2))]
    said = "from different tasks have different shapes and padding is turned off.Set pad_variable_length_inputs to true"
    for future in begin(server, *asked):
        assert future.code() == PRECONDITION and said in future.details()


@case(PROCESS)
def test_an_error_of_one_is_everyones(server):
    asked = [predict("whole", "number", text=[text]) for text in ("1", "2", "no number", "4", "5")]
    for future in begin(server, *asked):
        assert future.code() == INVALID and "could not correctly convert string: no number" in future.details()


@case(PADDING)
def test_short_rows_are_padded_with_their_tensors_first_element(server):
    given = ([[7.0, 8.0], [1.0, 2.0]], [[3.0, 4.0, 5.0]] * 3)
    short, long = begin(server, *[asking("padded", "of_float32", x=each) for each in given])
    assert output(short, "x") == [[7.0, 8.0, 7.0], [1.0, 2.0, 7.0]] and output(long, "x") == [[3.0, 4.0, 5.0]] * 3


@case(PADDING)
def test_equal_rows_are_not_padded(server):
    first, second = begin(server, *[asking("padded", "of_float32", x=[[1.0, 2.0]] * rows) for rows in (2, 3)])
    assert (output(first, "x"), output(second, "x")) == ([[1.0, 2.0]] * 2, [[1.0, 2.0]] * 3)


@pytest.mark.parametrize(
    ("rows", "run"),
    [
        row("one", TASKS, 1, [1]),
        row("as many as run at once", TASKS, 3, [3] * 3),
        row("one more", TASKS, 4, [3] * 3 + [1]),
        row("most", TASKS, 8, [3] * 6 + [2] * 2),
    ],
)
def test_a_large_request_runs_in_parts(server, rows, run):
    assert answered(server, "large", "batch", x=[1.0] * rows)["rows"] == run
    given = [float(number) for number in range(rows)]
    assert answered(server, "large", "of_float32", x=given)["x"] == given


@pytest.mark.parametrize(
    "given",
    [row("a scalar", PER_MODEL, 1.0), row("no rows", PER_MODEL, []), row("many rows", PER_MODEL, [1.0] * 2000)],
)
def test_a_version_without_a_file_is_not_batched(server, given):
    assert answered(server, "plain", "of_float32", x=given)["x"] == given
