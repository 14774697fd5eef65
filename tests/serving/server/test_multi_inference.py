import grpc
import pytest
from tensorflow_serving.apis import inference_pb2

from tests.serving.server.example_version import CLASSIFY, PREDICT, REGRESS, example
from tests.serving.server.running import refusal

INVALID, NOT_FOUND, UNIMPLEMENTED = (
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.UNIMPLEMENTED,
)


@pytest.fixture
def infer(examples_served):
    return lambda request: examples_served.prediction.MultiInference(request, timeout=30)


def asking(*tasks):
    """A request of (signature, method) tasks."""
    request = inference_pb2.MultiInferenceRequest()
    for signature, method in tasks:
        task = request.tasks.add(method_name=method)
        task.model_spec.name = "reviews"
        task.model_spec.signature_name = signature
    request.input.example_list.examples.extend([example("good"), example("")])
    return request


def test_every_task_gets_its_result_in_order(infer):
    first, second, third = infer(asking(("regress", REGRESS), ("", CLASSIFY), ("only_scores", CLASSIFY))).results
    assert [each.value for each in first.regression_result.regressions] == [4.0, 0.0]
    labels = [
        [(each.label, each.score) for each in row.classes] for row in second.classification_result.classifications
    ]
    assert labels == [[("short", 1.0), ("long", 4.0)], [("short", 1.0), ("long", 0.0)]]
    assert third.classification_result.classifications[0].classes[1].score == 4.0
    specs = [(each.model_spec.name, each.model_spec.version.value) for each in (first, second, third)]
    assert specs == [("reviews", 3)] * 3
    names = [each.model_spec.signature_name for each in (first, second, third)]
    assert names == ["regress", "serving_default", "only_scores"]


def test_one_task_with_a_context(infer):
    request = asking(("regress", REGRESS))
    given = request.input.example_list_with_context
    given.context.CopyFrom(example("context"))
    given.examples.add()
    (result,) = infer(request).results
    assert [each.value for each in result.regression_result.regressions] == [7.0]


@pytest.mark.parametrize(
    ("tasks", "code", "message"),
    [
        ([], INVALID, "ModelSpec has no name specified."),
        ([("no", CLASSIFY)], INVALID, "Requested signature not found in model graph: no"),
        (
            [("", CLASSIFY), ("serving_default", CLASSIFY)],
            INVALID,
            "Duplicate evaluation of signature: serving_default",
        ),
        ([("predict", PREDICT)], UNIMPLEMENTED, f"Unsupported signature method_name: {PREDICT}"),
        ([("regress", "")], UNIMPLEMENTED, "Unsupported signature method_name: "),
        ([("", REGRESS)], INVALID, "Expected one output Tensor."),
        ([("", CLASSIFY), ("regress_two", REGRESS)], INVALID, "Expected one output Tensor."),
        (
            [("regress", REGRESS), ("classify_floats", CLASSIFY)],
            INVALID,
            "Input tensor must be the same for all Signatures.",
        ),
        (
            [("", CLASSIFY), ("regress_more", REGRESS)],
            INVALID,
            "Input batch size did not match output batch size: 2 vs. 4",
        ),
    ],
)
def test_tasks_that_do_not_go_together_are_refused(infer, tasks, code, message):
    assert refusal(infer, asking(*tasks)) == (code, message)


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        (lambda r: r.tasks[0].ClearField("model_spec"), INVALID, "ModelSpec has no name specified."),
        (lambda r: r.tasks[1].ClearField("model_spec"), INVALID, "Found ModelSpec with an empty model name."),
        (
            lambda r: setattr(r.tasks[1].model_spec, "name", "x"),
            INVALID,
            "All ModelSpecs in a MultiInferenceRequest must access the same model name.",
        ),
        (
            lambda r: setattr(r.tasks[0].model_spec, "name", "x"),
            NOT_FOUND,
            "Servable not found for request: Latest(x)",
        ),
        (
            lambda r: setattr(r.tasks[0].model_spec.version, "value", 7),
            NOT_FOUND,
            "Servable not found for request: Specific(reviews, 7)",
        ),
        (
            lambda r: setattr(r.tasks[0].model_spec, "version_label", "canary"),
            INVALID,
            "Unrecognized servable version label: canary",
        ),
        (lambda r: r.ClearField("input"), INVALID, "Input is empty."),
    ],
)
def test_wrong_requests_get_the_real_servers_status(infer, change, code, message):
    request = asking(("regress", REGRESS), ("", CLASSIFY))
    change(request)
    assert refusal(infer, request) == (code, message)


def test_the_first_task_alone_names_the_version(infer):
    request = asking(("regress", REGRESS), ("", CLASSIFY))
    request.tasks[1].model_spec.version.value = 7
    assert [each.model_spec.version.value for each in infer(request).results] == [3, 3]
