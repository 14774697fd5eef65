import grpc
import pytest
from tensorflow_serving.apis import classification_pb2

from tests.serving.server.example_version import example
from tests.serving.server.running import refusal

INVALID, NOT_FOUND, INTERNAL = (
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.INTERNAL,
)
METHOD = "/tensorflow.serving.PredictionService/Classify"


@pytest.fixture
def classify(examples_served):
    return lambda request: examples_served.prediction.Classify(request, timeout=30)


def asking(signature="", *examples):
    request = classification_pb2.ClassificationRequest()
    request.model_spec.name = "reviews"
    request.model_spec.signature_name = signature
    request.input.example_list.examples.extend(examples or [example("good")])
    return request


def rows(response):
    return [[(each.label, each.score) for each in row.classes] for row in response.result.classifications]


def test_answers_labels_and_scores_with_its_version(classify):
    response = classify(asking("", example("good"), example("a\0b"), example("")))
    assert rows(response) == [[("short", 1.0), ("long", length)] for length in (4.0, 3.0, 0.0)]
    spec = response.model_spec
    assert (spec.name, spec.version.value, spec.signature_name) == ("reviews", 3, "serving_default")


def test_a_signature_may_have_labels_or_scores_alone(classify):
    response = classify(asking("only_classes"))
    assert rows(response) == [[("short", 0.0), ("long", 0.0)]]
    assert response.model_spec.signature_name == "only_classes"
    assert rows(classify(asking("only_scores"))) == [[("", 1.0), ("", 4.0)]]


def test_many_examples_come_back_in_order(classify):
    response = classify(asking("", *(example("x" * (number % 7)) for number in range(5000))))
    assert [row[1][1] for row in rows(response)] == [number % 7 for number in range(5000)]


def test_the_context_holds_for_every_example_that_says_nothing_else(classify):
    request = asking()
    given = request.input.example_list_with_context
    given.context.CopyFrom(example("context", extra=10.0))
    given.examples.extend([example(), example("good"), example(extra=1.0)])
    assert [row[1][1] for row in rows(classify(request))] == [17.0, 14.0, 8.0]
    given.ClearField("context")
    assert "text" in refusal(classify, request)[1]


def version(number):
    return lambda request: setattr(request.model_spec.version, "value", number)


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        (lambda r: r.ClearField("model_spec"), INVALID, "Missing ModelSpec"),
        (lambda r: r.model_spec.ClearField("name"), INVALID, "ModelSpec has no name specified."),
        (lambda r: setattr(r.model_spec, "name", "x"), NOT_FOUND, "Servable not found for request: Latest(x)"),
        (version(7), NOT_FOUND, "Servable not found for request: Specific(reviews, 7)"),
        (
            lambda r: setattr(r.model_spec, "version_label", "canary"),
            INVALID,
            "Unrecognized servable version label: canary",
        ),
        (lambda r: r.ClearField("input"), INVALID, "Input is empty."),
        (lambda r: r.input.example_list.ClearField("examples"), INVALID, "Input is empty."),
        (lambda r: r.input.example_list_with_context.context.SetInParent(), INVALID, "Input is empty."),
    ],
)
def test_wrong_requests_get_the_real_servers_status(classify, change, code, message):
    request = asking()
    change(request)
    assert refusal(classify, request) == (code, message)


@pytest.mark.parametrize(
    ("signature", "message"),
    [
        ("no", "No signature was found with the name: no"),
        ("__saved_model_init_op", "Expected one input Tensor."),
        ("classify_two_inputs", "Expected one input Tensor."),
        ("classify_three", "Expected one or two output Tensors, found 3"),
        ("classes_flat", "Expected Tensor shape: [batch_size num_classes] but got [1]"),
        ("classes_scalar", "Expected Tensor shape: [batch_size num_classes] but got []"),
        ("classes_float", "Expected classes Tensor of DT_STRING. Got: DT_FLOAT"),
        ("classes_more", "Expected classes output batch size of 1. Got: 2"),
        ("scores_flat", "Expected Tensor shape: [batch_size num_classes] but got [1]"),
        ("scores_double", "Expected scores Tensor of DT_FLOAT. Got: DT_DOUBLE"),
        ("scores_more", "Expected scores output batch size of 1. Got: 2"),
        ("widths_differ", "Tensors class and score should match in dim_size(1). Got 2 vs. 1"),
        ("classify_floats", "Expects arg[0] to be float but string is provided"),
    ],
)
def test_signatures_that_do_not_classify_are_refused(classify, signature, message):
    assert refusal(classify, asking(signature)) == (INVALID, message)


@pytest.mark.parametrize(
    ("signature", "message"),
    [
        ("classify_text", 'No classification inputs found in SignatureDef: inputs {\n  key: "text"'),
        (
            "predict",  # its method does not matter, its outputs do
            'Expected classification signature outputs to contain at least one of "classes" or "scores". '
            "Signature was: inputs {",
        ),
        (
            "classify_other",
            'Expected classification signature outputs to contain at least one of "classes" or "scores". '
            "Signature was: inputs {",
        ),
    ],
)
def test_signatures_with_other_names_are_shown(classify, signature, message):
    code, said = refusal(classify, asking(signature))
    assert code == INVALID and said.startswith(message)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (example(), "Name: <unknown>, Feature: text (data type: string) is required but could not be found."),
        (example(extra=1.0), "Feature: text (data type: string) is required but could not be found."),
        (example(text=1.0), "Key: text, Index: 1.  Data types don't match. Data type: float but expected type: string"),
        (
            example("x", extra="y"),
            "Key: extra, Index: 1.  Data types don't match. Data type: string but expected type: float",
        ),
    ],
)
def test_examples_that_the_graph_cannot_parse_get_its_words(classify, wrong, message):
    code, said = refusal(classify, asking("", example("good"), wrong))
    assert code == INVALID and message in said and "Graph execution error" not in said


def test_messages_cut_short_are_not_understood(examples_served):
    ask = examples_served.channel.unary_unary(METHOD)
    whole = asking().SerializeToString()
    broken_example = _field(2, _field(1, _field(1, example("good").SerializeToString()[:-2])))
    for raw in (whole[:-1], whole[:5], broken_example, b"\xff\xff\xff"):
        assert refusal(lambda request: ask(request, timeout=30), raw)[0] == INTERNAL
    assert refusal(lambda request: ask(request, timeout=30), b"") == (INVALID, "Missing ModelSpec")


def _field(number, payload):
    """A length-delimited field of a message, for payloads of up to 127 bytes."""
    return bytes([number << 3 | 2, len(payload)]) + payload
