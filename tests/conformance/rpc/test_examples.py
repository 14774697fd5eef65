"""Classify, Regress and MultiInference: tf.Examples in, results out, and what signatures and examples must be like."""

import grpc
import pytest
from tensorflow_serving.apis import classification_pb2, inference_pb2, regression_pb2

from tests.conformance.rpc.cases import case, row
from tests.conformance.rpc.requests import spec
from tests.serving.server.example_version import CLASSIFY, PREDICT, REGRESS, example

PLACE = "tensorflow_serving/servables/tensorflow/"
CLASSIFIER, REGRESSOR = f"{PLACE}classifier.cc: PreProcessClassification", f"{PLACE}regressor.cc: PreProcessRegression"
CLASSIFIED = f"{PLACE}classifier.cc: PostProcessClassificationResult"
REGRESSED = f"{PLACE}regressor.cc: PostProcessRegressionResult"
C_SIGNATURE, R_SIGNATURE = (
    f"{PLACE}classifier.cc: GetClassificationSignatureDef",
    f"{PLACE}regressor.cc: GetRegressionSignatureDef",
)
C_SERVICE = f"{PLACE}classification_service.cc: TensorflowClassificationServiceImpl::ClassifyWithModelSpec"
R_SERVICE = f"{PLACE}regression_service.cc: TensorflowRegressionServiceImpl::RegressWithModelSpec"
INPUT = f"{PLACE}util.cc: InputToSerializedExampleTensor"
MULTI = f"{PLACE}multi_inference.cc: TensorFlowMultiInferenceRunner::Infer"
MULTI_MODEL = f"{PLACE}multi_inference_helper.cc: RunMultiInferenceWithServerCore"
MODEL = "tensorflow_serving/model_servers/server_core.cc: ServerCore::ServableRequestFromModelSpec"
LABEL = "tensorflow_serving/model_servers/server_core.cc: ServerCore::GetModelVersionForLabel"
MANAGER = "tensorflow_serving/core/basic_manager.cc: BasicManager::ServingMap::GetUntypedServableHandle"
PARSER = "tensorflow/core/util/example_proto_fast_parsing.cc: FastParseSerializedExample"
METHOD_NAME = "tensorflow_serving/model_servers/server.h: Server::Options::enable_signature_method_name_check = false"
INVALID, NOT_FOUND, UNIMPLEMENTED = (
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.UNIMPLEMENTED,
)


def classify(signature="", *given, model="examples", **where):
    request = spec(classification_pb2.ClassificationRequest(), model, signature, **where)
    request.input.example_list.examples.extend(given or [example("good"), example("")])
    return request


def regress(signature="regress", *given, model="examples", **where):
    request = spec(regression_pb2.RegressionRequest(), model, signature, **where)
    request.input.example_list.examples.extend(given or [example("good"), example("")])
    return request


def multi(*tasks, model="examples"):
    """A request of (signature, method) tasks."""
    request = inference_pb2.MultiInferenceRequest()
    for signature, method in tasks:
        spec(request.tasks.add(method_name=method), model, signature)
    request.input.example_list.examples.extend([example("good"), example("")])
    return request


def classes(result):
    return [[(each.label, each.score) for each in row.classes] for row in result.classifications]


def numbers(result):
    return [each.value for each in result.regressions]


@case(CLASSIFIED)
def test_labels_and_scores_of_each_example(ask):
    response = ask(classify())
    assert classes(response.result) == [[("short", 1.0), ("long", 4.0)], [("short", 1.0), ("long", 0.0)]]
    where = response.model_spec
    assert (where.name, where.version.value, where.signature_name) == ("examples", 3, "serving_default")


@case(CLASSIFIED)
def test_labels_alone(ask):
    assert classes(ask(classify("only_classes")).result)[0] == [("short", 0.0), ("long", 0.0)]


@case(CLASSIFIED)
def test_scores_alone(ask):
    assert classes(ask(classify("only_scores")).result)[0] == [("", 1.0), ("", 4.0)]


@case(REGRESSED)
def test_a_number_for_each_example(ask):
    response = ask(regress())
    assert numbers(response.result) == [4.0, 0.0]
    assert (response.model_spec.version.value, response.model_spec.signature_name) == (3, "regress")


@case(REGRESSED)
def test_numbers_may_be_a_column(ask):
    assert numbers(ask(regress("regress_column")).result) == [4.0, 0.0]


@case(METHOD_NAME)
def test_a_signature_of_predict_regresses_where_its_names_fit(ask):
    assert numbers(ask(regress("predict")).result) == [4.0, 0.0]


@pytest.mark.parametrize(
    ("request_", "found"),
    [row("classify", INPUT, classify(), classes), row("regress", INPUT, regress(), numbers)],
)
def test_a_context_holds_for_every_example(ask, request_, found):
    alone = found(ask(request_).result)
    given = request_.input.example_list_with_context
    given.context.CopyFrom(example("good"))
    given.examples.extend([example(), example("")])
    assert found(ask(request_).result) == alone


@case(INPUT)
def test_many_examples_come_back_in_order(ask):
    given = [example("x" * (number % 7)) for number in range(3000)]
    assert numbers(ask(regress("regress", *given)).result) == [number % 7 for number in range(3000)]


@case(MULTI)
def test_every_task_gets_its_result(ask):
    first, second = ask(multi(("regress", REGRESS), ("", CLASSIFY))).results
    assert numbers(first.regression_result) == [4.0, 0.0]
    assert classes(second.classification_result)[0] == [("short", 1.0), ("long", 4.0)]
    assert [each.model_spec.signature_name for each in (first, second)] == ["regress", "serving_default"]
    assert [each.model_spec.version.value for each in (first, second)] == [3, 3]


@case(METHOD_NAME)
def test_the_task_says_the_method_not_the_signature(ask):
    (result,) = ask(multi(("predict", REGRESS))).results
    assert numbers(result.regression_result) == [4.0, 0.0]


def without(request, field):
    request.ClearField(field)
    return request


def with_context_alone(request):
    request.input.example_list_with_context.context.CopyFrom(example("good"))
    return request


def wrong_requests(of, service):
    """What is wrong with a request whatever its signature."""
    nowhere = "Servable not found for request: "
    return [
        row("no spec", service, without(of(), "model_spec"), INVALID, "Missing ModelSpec"),
        row("no name", MODEL, of(model=""), INVALID, "ModelSpec has no name specified."),
        row("an unknown model", MANAGER, of(model="x"), NOT_FOUND, f"{nowhere}Latest(x)"),
        row("an unknown version", MANAGER, of(version=7), NOT_FOUND, f"{nowhere}Specific(examples, 7)"),
        row("an unknown label", LABEL, of(label="new"), INVALID, "Unrecognized servable version label: new"),
        row("no input", INPUT, without(of(), "input"), INVALID, "Input is empty."),
        row("no example", INPUT, without_examples(of()), INVALID, "Input is empty."),
        row("a context alone", INPUT, with_context_alone(of()), INVALID, "Input is empty."),
        row("an unknown signature", service, of("no"), INVALID, "No signature was found with the name: no"),
        row(
            "a feature that is not there",
            PARSER,
            of("", example()) if of is classify else of("regress", example()),
            INVALID,
            "Feature: text (data type: string) is required but could not be found.",
        ),
        row(
            "a feature of another type",
            PARSER,
            of("", example(text=1.0)) if of is classify else of("regress", example(text=1.0)),
            INVALID,
            "Data types don't match. Data type: float but expected type: string",
        ),
    ]


def without_examples(request):
    request.input.example_list.ClearField("examples")
    return request


@pytest.mark.parametrize(
    ("request_", "code", "message"),
    [
        *wrong_requests(classify, C_SERVICE),
        row("two inputs", CLASSIFIER, classify("classify_two_inputs"), INVALID, "Expected one input Tensor."),
        row(
            "three outputs",
            CLASSIFIER,
            classify("classify_three"),
            INVALID,
            "Expected one or two output Tensors, found 3",
        ),
        row(
            "another name of the input",
            CLASSIFIER,
            classify("classify_text"),
            INVALID,
            "No classification inputs found in SignatureDef: ",
        ),
        row(
            "other names of the outputs",
            CLASSIFIER,
            classify("classify_other"),
            INVALID,
            'Expected classification signature outputs to contain at least one of "classes" or "scores". '
            "Signature was: ",
        ),
        row(
            "a signature of predict",
            METHOD_NAME,
            classify("predict"),
            INVALID,
            'Expected classification signature outputs to contain at least one of "classes" or "scores".',
        ),
        row(
            "labels in one dimension",
            CLASSIFIED,
            classify("classes_flat"),
            INVALID,
            "Expected Tensor shape: [batch_size num_classes] but got [2]",
        ),
        row(
            "a label alone",
            CLASSIFIED,
            classify("classes_scalar"),
            INVALID,
            "Expected Tensor shape: [batch_size num_classes] but got []",
        ),
        row(
            "labels that are numbers",
            CLASSIFIED,
            classify("classes_float"),
            INVALID,
            "Expected classes Tensor of DT_STRING. Got: DT_FLOAT",
        ),
        row(
            "labels of more examples",
            CLASSIFIED,
            classify("classes_more"),
            INVALID,
            "Expected classes output batch size of 2. Got: 4",
        ),
        row(
            "scores in one dimension",
            CLASSIFIED,
            classify("scores_flat"),
            INVALID,
            "Expected Tensor shape: [batch_size num_classes] but got [2]",
        ),
        row(
            "scores of double precision",
            CLASSIFIED,
            classify("scores_double"),
            INVALID,
            "Expected scores Tensor of DT_FLOAT. Got: DT_DOUBLE",
        ),
        row(
            "scores of more examples",
            CLASSIFIED,
            classify("scores_more"),
            INVALID,
            "Expected scores output batch size of 2. Got: 4",
        ),
        row(
            "more labels than scores",
            CLASSIFIED,
            classify("widths_differ"),
            INVALID,
            "Tensors class and score should match in dim_size(1). Got 2 vs. 1",
        ),
        row(
            "an input that takes no examples",
            "tensorflow/core/framework/function.cc: FunctionCallFrame::SetArgs",
            classify("classify_floats"),
            INVALID,
            "Expects arg[0] to be float but string is provided",
        ),
    ],
)
def test_classify_refuses(refusal, request_, code, message):
    answered, said = refusal(request_)
    assert (answered, message in said) == (code, True), said


@pytest.mark.parametrize(
    ("request_", "code", "message"),
    [
        *wrong_requests(regress, R_SERVICE),
        row("two inputs", REGRESSOR, regress("regress_two_inputs"), INVALID, "Expected one input Tensor."),
        row("two outputs", REGRESSOR, regress("regress_two"), INVALID, "Expected one output Tensor."),
        row("a signature of classify", METHOD_NAME, regress(""), INVALID, "Expected one output Tensor."),
        row(
            "another name of the input",
            REGRESSOR,
            regress("regress_text"),
            INVALID,
            "No regression inputs found in SignatureDef: ",
        ),
        row(
            "another name of the output",
            REGRESSOR,
            regress("regress_other"),
            INVALID,
            "No regression outputs found in SignatureDef: ",
        ),
        row(
            "two columns",
            REGRESSED,
            regress("regress_wide"),
            INVALID,
            "Expected output Tensor shape to be either [batch_size] or [batch_size, 1] but got [2,2]",
        ),
        row(
            "a scalar",
            REGRESSED,
            regress("regress_scalar"),
            INVALID,
            "Expected output Tensor shape to be either [batch_size] or [batch_size, 1] but got []",
        ),
        row(
            "numbers of more examples",
            REGRESSED,
            regress("regress_more"),
            INVALID,
            "Input batch size did not match output batch size: 2 vs. 4",
        ),
        row(
            "texts",
            REGRESSED,
            regress("regress_texts"),
            INVALID,
            "Expected output Tensor of DT_FLOAT.  Got: DT_STRING",
        ),
        row(
            "an input that takes no examples",
            "tensorflow/core/framework/function.cc: FunctionCallFrame::SetArgs",
            regress("regress_floats"),
            INVALID,
            "Expects arg[0] to be float but string is provided",
        ),
    ],
)
def test_regress_refuses(refusal, request_, code, message):
    answered, said = refusal(request_)
    assert (answered, message in said) == (code, True), said


def changed(change, *tasks):
    request = multi(*(tasks or [("regress", REGRESS), ("", CLASSIFY)]))
    change(request.tasks)
    return request


def set_name(index, name):
    return lambda tasks: setattr(tasks[index].model_spec, "name", name)


def set_version(tasks):
    tasks[0].model_spec.version.value = 7


def set_label(tasks):
    tasks[0].model_spec.version_label = "new"


@pytest.mark.parametrize(
    ("request_", "code", "message"),
    [
        row("no task", MULTI_MODEL, multi(), INVALID, "ModelSpec has no name specified."),
        row("no name", MODEL, changed(set_name(0, "")), INVALID, "ModelSpec has no name specified."),
        row("no second name", MULTI, changed(set_name(1, "")), INVALID, "Found ModelSpec with an empty model name."),
        row(
            "two models",
            MULTI,
            changed(set_name(1, "echo")),
            INVALID,
            "All ModelSpecs in a MultiInferenceRequest must access the same model name.",
        ),
        row(
            "an unknown model",
            MANAGER,
            changed(set_name(0, "x")),
            NOT_FOUND,
            "Servable not found for request: Latest(x)",
        ),
        row(
            "an unknown version",
            MANAGER,
            changed(set_version),
            NOT_FOUND,
            "Servable not found for request: Specific(examples, 7)",
        ),
        row("an unknown label", LABEL, changed(set_label), INVALID, "Unrecognized servable version label: new"),
        row(
            "an unknown signature",
            MULTI,
            multi(("no", CLASSIFY)),
            INVALID,
            "Requested signature not found in model graph: no",
        ),
        row(
            "a signature twice",
            MULTI,
            multi(("", CLASSIFY), ("serving_default", CLASSIFY)),
            INVALID,
            "Duplicate evaluation of signature: serving_default",
        ),
        row(
            "a method that is none",
            MULTI,
            multi(("regress", "")),
            UNIMPLEMENTED,
            "Unsupported signature method_name: ",
        ),
        row(
            "a task of predict",
            MULTI,
            multi(("predict", PREDICT)),
            UNIMPLEMENTED,
            f"Unsupported signature method_name: {PREDICT}",
        ),
        row(
            "two inputs",
            MULTI,
            multi(("regress", REGRESS), ("classify_floats", CLASSIFY)),
            INVALID,
            "Input tensor must be the same for all Signatures.",
        ),
        row(
            "a signature that does not fit",
            REGRESSOR,
            multi(("", CLASSIFY), ("regress_two", REGRESS)),
            INVALID,
            "Expected one output Tensor.",
        ),
        row(
            "a result that does not fit",
            REGRESSED,
            multi(("", CLASSIFY), ("regress_more", REGRESS)),
            INVALID,
            "Input batch size did not match output batch size: 2 vs. 4",
        ),
        row("no input", INPUT, without(multi(("", CLASSIFY)), "input"), INVALID, "Input is empty."),
    ],
)
def test_multi_inference_refuses(refusal, request_, code, message):
    answered, said = refusal(request_)
    assert (answered, message in said) == (code, True), said
