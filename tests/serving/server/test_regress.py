import grpc
import pytest
from tensorflow_serving.apis import regression_pb2

from tests.serving.server.example_version import example
from tests.serving.server.running import refusal

INVALID, NOT_FOUND = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND


@pytest.fixture
def regress(examples_served):
    return lambda request: examples_served.prediction.Regress(request, timeout=30)


def asking(signature="regress", *examples):
    request = regression_pb2.RegressionRequest()
    request.model_spec.name = "reviews"
    request.model_spec.signature_name = signature
    request.input.example_list.examples.extend(examples or [example("good"), example("")])
    return request


@pytest.mark.parametrize("signature", ["regress", "regress_column"])
def test_answers_a_value_per_example_with_its_version(regress, signature):
    response = regress(asking(signature, example("good"), example("x", extra=0.5), example("")))
    assert [each.value for each in response.result.regressions] == [4.0, 1.5, 0.0]
    spec = response.model_spec
    assert (spec.name, spec.version.value, spec.signature_name) == ("reviews", 3, signature)


def test_the_context_holds_for_every_example(regress):
    request = asking()
    given = request.input.example_list_with_context
    given.context.CopyFrom(example(extra=10.0))
    given.examples.extend([example("good"), example("x", extra=0.0)])
    assert [each.value for each in regress(request).result.regressions] == [14.0, 1.0]


def test_the_method_that_a_signature_names_does_not_matter(regress):
    assert [each.value for each in regress(asking("predict")).result.regressions] == [4.0, 0.0]


@pytest.mark.parametrize(
    ("signature", "message"),
    [
        ("no", "No signature was found with the name: no"),
        ("", "Expected one output Tensor."),
        ("regress_two_inputs", "Expected one input Tensor."),
        ("regress_two", "Expected one output Tensor."),
        (
            "regress_wide",
            "Expected output Tensor shape to be either [batch_size] or [batch_size, 1] but got [2,2]",
        ),
        ("regress_scalar", "Expected output Tensor shape to be either [batch_size] or [batch_size, 1] but got []"),
        ("regress_more", "Input batch size did not match output batch size: 2 vs. 4"),
        ("regress_texts", "Expected output Tensor of DT_FLOAT.  Got: DT_STRING"),
        ("regress_floats", "Expects arg[0] to be float but string is provided"),
    ],
)
def test_signatures_that_do_not_regress_are_refused(regress, signature, message):
    assert refusal(regress, asking(signature)) == (INVALID, message)


@pytest.mark.parametrize(
    ("signature", "message"),
    [
        ("regress_text", 'No regression inputs found in SignatureDef: inputs {\n  key: "text"'),
        ("regress_other", "No regression outputs found in SignatureDef: inputs {"),
    ],
)
def test_signatures_with_other_names_are_shown(regress, signature, message):
    code, said = refusal(regress, asking(signature))
    assert code == INVALID and said.startswith(message)


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        (lambda r: r.ClearField("model_spec"), INVALID, "Missing ModelSpec"),
        (lambda r: setattr(r.model_spec, "name", "x"), NOT_FOUND, "Servable not found for request: Latest(x)"),
        (lambda r: r.ClearField("input"), INVALID, "Input is empty."),
    ],
)
def test_wrong_requests_get_the_real_servers_status(regress, change, code, message):
    request = asking()
    change(request)
    assert refusal(regress, request) == (code, message)


def test_the_signature_is_looked_at_before_the_input(regress):
    request = asking("no")
    request.ClearField("input")
    assert "No signature was found" in refusal(regress, request)[1]
