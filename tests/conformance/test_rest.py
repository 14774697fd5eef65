import gzip
import json

import pytest

from tests.conformance.cases import case
from tests.serving.server.running import predict_request

REVIEWS, EXAMPLES = "/v1/models/reviews", "/v1/models/examples"
TEXTS = ["good", "", "中文评论，很好", "😀👨‍👩‍👧 emoji", 'a\x00b\n"quoted" \\ </script>', "é" * 300]


pytestmark = case("tensorflow_serving/model_servers/http_rest_api_handler.cc: ProcessRequest, with util/json_tensor.cc")


@pytest.mark.parametrize("path", [REVIEWS, f"{REVIEWS}/versions/1", f"{REVIEWS}/labels/stable"])
def test_rest_answers_what_grpc_answers(served, path):
    rest = served.rest
    code, answer = rest.post(f"{path}:predict", {"instances": TEXTS})
    outputs = served.ask(predict_request(TEXTS)).outputs
    assert code == 200
    assert [row["label"].encode() for row in answer["predictions"]] == list(outputs["label"].string_val)
    assert [row["score"] for row in answer["predictions"]] == pytest.approx(list(outputs["score"].float_val))
    _, columns = rest.post(f"{path}:predict", {"inputs": {"text": TEXTS}, "signature_name": "serving_default"})
    by_row = {name: [row[name] for row in answer["predictions"]] for name in outputs}
    assert columns["outputs"] == by_row


def test_texts_may_be_escaped_named_or_base64(rest):
    plain = rest.post(f"{REVIEWS}:predict", {"instances": ["中文 😀"]})
    assert rest.post(f"{REVIEWS}:predict", b'{"instances": ["\\u4e2d\\u6587 \\ud83d\\ude00"]}') == plain
    assert rest.post(f"{REVIEWS}:predict", {"instances": [{"b64": "5Lit5paHIPCfmIA="}]}) == plain
    assert rest.post(f"{REVIEWS}:predict", {"instances": [{"text": {"b64": "5Lit5paHIPCfmIA="}}]}) == plain


def test_the_answers_are_written_as_the_real_server_writes_them(rest):
    _, headers, one = rest.ask("POST", f"{REVIEWS}:predict", '{"signature_name": "spin", "instances": ["12"]}')
    assert headers["Content-Type"] == "application/json"
    assert one == b'{\n    "predictions": [12\n    ]\n}'
    _, _, column = rest.ask("POST", f"{REVIEWS}:predict", '{"signature_name": "spin", "inputs": ["12"]}')
    assert column == b'{\n    "outputs": [\n        12\n    ]\n}'
    _, _, error = rest.ask("POST", f"{REVIEWS}:predict", "")
    assert error == b'{\n    "error": "JSON Parse error: The document is empty"\n}'


def test_classify_and_regress(rest):
    asked = {"examples": [{"text": "abc"}, {"text": ["中文"]}]}
    short = [["short", 1.0], ["long", 3.0]]
    assert rest.post(f"{EXAMPLES}:classify", asked) == (200, {"results": [short, [["short", 1.0], ["long", 6.0]]]})
    more = {"signature_name": "regress", "context": {"extra": 0.5, "text": "left"}, "examples": [{"text": "abc"}, {}]}
    assert rest.post(f"{EXAMPLES}/versions/3:regress", more) == (200, {"results": [3.5, 4.5]})
    code, answer = rest.post(f"{EXAMPLES}:classify", {"examples": []})
    assert code == 400 and answer["error"].endswith("'examples' value is an empty array")


def test_status(rest):
    status = {"version": "1", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
    for path in (REVIEWS, f"{REVIEWS}/versions/1", "/V1/Models/reviews", f"{REVIEWS}/labels/any"):
        assert rest.get(path) == (200, {"model_version_status": [status]})
    assert rest.get("/v1/models/none") == (404, {"error": "Could not find any versions of model none"})
    assert rest.get(f"{REVIEWS}/versions/9") == (404, {"error": "Could not find version 9 of model reviews"})


def test_metadata(rest):
    code, answer = rest.get(f"{REVIEWS}/metadata")
    assert code == 200 and answer["model_spec"] == {"name": "reviews", "signature_name": "", "version": "1"}
    inputs = answer["metadata"]["signature_def"]["signature_def"]["spin"]["inputs"]
    shape = {"dim": [{"size": "-1", "name": ""}], "unknown_rank": False}
    assert inputs == {"text": {"name": "spin_text:0", "dtype": "DT_STRING", "tensor_shape": shape}}
    assert rest.get("/v1/models/none/metadata") == (404, {"error": "Servable not found for request: Latest(none)"})


@pytest.mark.parametrize(
    ("method", "path", "code", "error"),
    [
        ("GET", "/v1/", 400, "Malformed request: GET /v1/"),
        ("GET", "/v1/models", 400, "Missing model name in request."),
        ("GET", f"{REVIEWS}:predict", 400, f"Malformed request: GET {REVIEWS}:predict"),
        ("POST", REVIEWS, 400, f"Malformed request: POST {REVIEWS}"),
        ("POST", f"{REVIEWS}:PREDICT", 400, f"Malformed request: POST {REVIEWS}:PREDICT"),
        ("POST", f"{REVIEWS}:predict?x=1", 400, f"Malformed request: POST {REVIEWS}:predict?x=1"),
        ("PUT", REVIEWS, 400, f"Malformed request: PUT {REVIEWS}"),
        ("DELETE", REVIEWS, 400, f"Malformed request: DELETE {REVIEWS}"),
        ("GET", "/v1/models/../../etc/passwd", 400, "Malformed request: GET /v1/models/../../etc/passwd"),
        ("GET", "/v1/models/..%2F..%2Fetc", 404, "Could not find any versions of model ../../etc"),
        ("GET", "/v1/models/a%00b%0ac", 404, "Could not find any versions of model a\x00b\nc"),
        ("GET", "/v1/models/%ff%f0", 404, "Could not find any versions of model \ufffd\ufffd"),
        ("POST", "/v1/models/none:predict", 404, "Servable not found for request: Latest(none)"),
        ("POST", f"{REVIEWS}/versions/9:predict", 404, "Servable not found for request: Specific(reviews, 9)"),
        ("POST", f"{REVIEWS}/labels/..%2Fx:predict", 400, "Unrecognized servable version label: ../x"),
    ],
)
def test_what_cannot_be_found(rest, method, path, code, error):
    answered, _, body = rest.ask(method, path, b'{"instances": ["x"]}' if method == "POST" else None)
    assert (answered, json.loads(body)) == (code, {"error": error})


def test_what_the_real_server_answers_without_json(rest):
    code, headers, body = rest.ask("GET", "/")
    assert code == 404 and headers.get_content_type() == "text/html" and b"<H1>Not Found</H1>" in body
    assert rest.ask("GET", f"{REVIEWS}/versions/99999999999999999999")[0::2] == (400, b"")
    assert rest.ask("TRACE", REVIEWS)[0] == 501
    assert rest.ask("HEAD", REVIEWS)[0::2] == (400, b"")


def test_pages_of_other_origins_may_read(rest):
    code, headers, _ = rest.ask("OPTIONS", f"{REVIEWS}:predict", headers={"Origin": "https://example.org"})
    assert code == 200 and headers["Access-Control-Allow-Origin"] == "*"
    assert headers["Access-Control-Allow-Methods"] == "POST, GET"
    assert rest.ask("OPTIONS", f"{REVIEWS}:predict")[0] == 400
    assert rest.ask("GET", REVIEWS)[1]["Access-Control-Allow-Headers"] == "Content-Type"


@pytest.mark.parametrize(
    "body",
    [
        b'{"instances":' + b"[" * 100_000,
        b'{"instances":' * 5000 + b"1" + b"}" * 5000,
        b'{"instances": [' + b"[" * 900 + b"]" * 900 + b"]}",
        b'{"instances": [' + b"[" * 100 + b'"x"' + b"]" * 100 + b"]}",
        b'{"instances": 1, "x": ' + b"[" * 990 + b"1," * 50_000 + b"1" + b"]" * 990 + b"}",
        b'{"instances": ["\xff"]}',
        b'{"instances": ["\xed\xa0\x80"]}',
        b'{"instances": ["\\ud800"]}',
        b'{"instances": ["a"], "\\u0000": 1e999}',
        b'{"instances": [NaN]}',
        b'{"instances": ["a", ["b"]]}',
        b'{"instances": [[], [[]]]}',
        b"\x00",
        b"\xff" * 100,
        b"null",
    ],
)
def test_hostile_bodies_are_invalid_arguments(rest, body):
    for path in (f"{REVIEWS}:predict", f"{EXAMPLES}:classify"):
        code, answer = rest.post(path, body)
        assert code == 400 and len(answer["error"]) < 1100


def test_compressed_bodies(rest):
    asked = json.dumps({"instances": ["good"]}).encode()
    plain = rest.post(f"{REVIEWS}:predict", asked)
    bomb = gzip.compress(asked + b" " * (10 << 20))
    for body, answer in [
        (gzip.compress(asked), plain),
        (gzip.compress(asked)[:-5], (400, {"error": "JSON Parse error: The document is empty"})),
        (bomb, (400, {"error": "JSON Parse error: The document is empty"})),
        (asked, (400, {"error": "JSON Parse error: The document is empty"})),
    ]:
        code, _, text = rest.ask("POST", f"{REVIEWS}:predict", body, {"Content-Encoding": "gzip"})
        assert (code, json.loads(text)) == answer


def test_what_is_no_http_ends_the_connection_alone(rest):
    post = f"POST {REVIEWS}:predict HTTP/1.1\r\nHost: x\r\n"
    for raw in (
        b"GARBAGE\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
        f"{post}Content-Length: 50\r\n\r\n{{".encode(),
        f"{post}Content-Length: -1\r\n\r\n".encode(),
        f"{post}Transfer-Encoding: chunked\r\n\r\nzz\r\nabc".encode(),
        f"GET /v1/models/{'x' * 100_000} HTTP/1.1\r\n\r\n".encode(),
        "GET /v1/models/ä HTTP/1.1\r\nHost: x\r\n\r\n".encode(),
    ):
        assert b" 200 " not in rest.send(raw).partition(b"\r\n")[0]
    assert rest.get(REVIEWS)[0] == 200


def test_a_client_that_waits_for_100_continue_is_told_to(rest):
    body = b'{"inputs": ["1"], "signature_name": "spin"}'
    received = rest.send(_expecting(body) + body, end=False)
    assert received.startswith(b"HTTP/1.1 100 ") and b"HTTP/1.1 200 " in received


def test_large_bodies_both_ways(rest):
    code, answer = rest.post(f"{REVIEWS}:predict", {"instances": ["x" * 1000] * 5000})
    assert code == 200 and len(answer["predictions"]) == 5000


@pytest.mark.slow
def test_a_long_request_holds_up_no_short_one_and_ends_with_its_time(zoo, serve):
    given = (f"--model_base_path={zoo / 'reviews'}", "--model_name=reviews", "--rest_api_timeout_in_ms=300")
    with serve(*given) as server:
        server.wait_until_available("reviews")
        code, answer = server.rest.post(f"{REVIEWS}:predict", {"instances": ["300000"], "signature_name": "spin"})
        assert (code, answer) == (504, {"error": "Timed out waiting for notification"})
        assert server.rest.get(REVIEWS)[0] == 200  # while the thread of the other works on


def _expecting(body):
    """The head of a request that sends its body when it is told to."""
    head = f"POST {REVIEWS}:predict HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode()
