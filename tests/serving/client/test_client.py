"""What Client sends and what it makes of the answers."""

import concurrent.futures
import copy
import json
import random

import grpc
import numpy as np
import pytest

from serving.client import Classification, Outputs, SlipwayError, VersionStatus

from .fake_server import CONTRACT, FakeServer, pair_contract


def score(result):
    return result.probabilities["positive"]


def test_a_list_gives_typed_results_in_order(client):
    first, second = client.predict(["0.25 of a film", "0.75 of one"])
    assert first == Classification("negative", 0.75, {"negative": 0.75, "positive": 0.25}, False, False)
    assert (second.label, second.score) == ("positive", 0.75)
    assert list(second.probabilities) == ["negative", "positive"]
    assert json.loads(json.dumps(second.to_dict()))["probabilities"] == {"negative": 0.25, "positive": 0.75}


def test_one_str_gives_one_result_and_travels_as_rank_1(client, server):
    assert score(client.predict("0.25 of a film")) == 0.25
    (request,) = server.asked("serving_default")
    assert [dim.size for dim in request.inputs["text"].tensor_shape.dim] == [1]


def test_an_empty_list_is_answered_without_the_server(connect):
    with connect("127.0.0.1:9", "reviews") as client:
        assert client.predict([]) == []
        assert client.predict([], text_pairs=[]) == []


def test_order_is_kept_over_split_batches(connect, server):
    texts = [f"0.{number:04d} {'word ' * random.Random(number).randrange(9)}" for number in range(100)]
    with connect(server.address, "reviews", max_batch_size=7) as client:
        answers = client.predict(texts)
    assert [f"{score(answer):.4f}" for answer in answers] == [text.split()[0] for text in texts]
    sizes = [len(request.inputs["text"].string_val) for request in server.asked("serving_default")]
    assert sorted(sizes) == [2] + [7] * 14  # requests under way at once arrive in any order


def test_ten_thousand_texts_in_one_call(client, server):
    answers = client.predict([f"0.{number:05d}" for number in range(10_000)], deadline=60)
    assert [round(score(answer) * 100_000) for answer in answers] == list(range(10_000))
    assert len(server.asked("serving_default")) == 157


def test_a_request_is_bounded_in_bytes_and_a_long_text_goes_alone(client, server):
    answers = client.predict(["0.5 " + "x" * 2**20, "0.25", "0.75 " + "word " * 2**20], deadline=60)
    assert [answer.truncated for answer in answers] == [False, False, True]
    assert sorted(len(request.inputs["text"].string_val) for request in server.asked("serving_default")) == [1, 2]


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("", b""),
        ("a\0b\0", b"a\0b\0"),
        ("a\ud800b", "a\ufffdb".encode()),
        ("\ud83d\ude00", "\ufffd\ufffd".encode()),
        ("Fünf 电影 😀", "Fünf 电影 😀".encode()),
    ],
)
def test_what_a_text_is_sent_as(client, server, text, sent):
    client.predict([text])
    assert list(server.asked("serving_default")[0].inputs["text"].string_val) == [sent]


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["a", b"b"], r"texts\[1\] is bytes, not str; decode it"),
        (["a", "b", None], r"texts\[2\] is NoneType, not str"),
        ([3], r"texts\[0\] is int"),
        (b"abc", "texts is bytes"),
        (None, "texts is NoneType"),
        (7, "texts is int"),
    ],
)
def test_what_is_not_str_is_a_type_error(client, server, texts, message):
    with pytest.raises(TypeError, match=message):
        client.predict(texts)
    assert not server.requests


def test_any_iterable_of_str_will_do(client):
    assert len(client.predict(text for text in ("0.1", "0.2"))) == 2
    assert len(client.predict(np.array(["0.1", "0.2"]))) == 2


def test_text_pairs_go_with_their_texts(connect, server):
    server.contract = pair_contract()
    with connect(server.address, "reviews", max_batch_size=2) as client:
        answers = client.predict(["a" * 9, "bb", "c"], text_pairs=["0.1", "0.2", "0.3"])
        assert [f"{score(answer):.1f}" for answer in answers] == ["0.1", "0.2", "0.3"]
        assert score(client.predict("a", text_pairs="0.4")) == pytest.approx(0.4)
        with pytest.raises(SlipwayError, match="takes text pairs; give text_pairs"):
            client.predict(["a"])
        with pytest.raises(ValueError, match="2 texts but 1 text_pairs"):
            client.predict(["a", "b"], text_pairs=["c"])
        with pytest.raises(TypeError, match="both"):
            client.predict(["a"], text_pairs="c")


def test_pairs_for_a_model_of_single_texts_are_refused(client):
    with pytest.raises(SlipwayError, match="takes one text per row; leave text_pairs") as caught:
        client.predict(["a"], text_pairs=["b"])
    assert caught.value.code == "INVALID_ARGUMENT" and caught.value.exit_code == 2


def test_the_contract_is_read_once(client, server):
    for _ in range(3):
        client.predict(["0.5"])
    assert client.contract == CONTRACT
    assert len(server.asked("contract")) == 1


def test_a_new_version_brings_its_own_labels(client, server):
    client.predict(["0.25"])
    server.contract = CONTRACT | {"labels": ["positive", "negative"]}
    server.labels, server.version, server.states = ("positive", "negative"), 8, {7: "END", 8: "AVAILABLE"}
    answer = client.predict("0.25")
    assert (answer.label, answer.probabilities) == ("positive", {"positive": 0.75, "negative": 0.25})
    client.predict("0.25")
    assert [request.model_spec.version.value for request in server.asked("contract")] == [0, 8]


def test_a_new_version_with_other_inputs_is_noticed(client, server):
    client.predict(["0.25"])
    server.contract = pair_contract()
    server.version, server.states = 8, {8: "AVAILABLE"}
    server.failures = [grpc.StatusCode.INVALID_ARGUMENT]
    with pytest.raises(SlipwayError):
        client.predict(["a"])
    assert score(client.predict("a", text_pairs="0.25")) == 0.25


def test_a_contract_of_a_newer_major_is_refused(client, server):
    server.contract = CONTRACT | {"schema_version": "2.0"}
    with pytest.raises(SlipwayError, match=r"schema 2\.0.*up to 1\.x; install a newer client"):
        client.predict(["a"])


def test_a_model_without_contract_gives_generic_rows(client, server):
    server.contract = None
    assert client.contract == {}
    (answer,) = client.predict(["0.25"])
    assert isinstance(answer, Outputs)
    assert answer.values["label"] == "negative" and answer.values["abstain"] is False
    assert answer.to_dict()["probabilities"] == [0.75, 0.25]


def test_another_signature_gives_generic_rows(client):
    answers = client.predict(["abc", "a"], signature="embed")
    assert [answer.to_dict() for answer in answers] == [{"embedding": [3, 1]}, {"embedding": [1, 1]}]


@pytest.mark.parametrize(
    ("signature", "message"),
    [
        ("nosuch", "no signature 'nosuch'; it has classify, contract, embed, numbers, serving_default"),
        ("classify", r"does not take plain text but inputs \(string\); ask it with raw"),
        ("numbers", r"does not take plain text but x \(float32\); ask it with raw"),
    ],
)
def test_a_signature_that_takes_no_text_is_refused(client, signature, message):
    with pytest.raises(SlipwayError, match=message):
        client.predict(["a"], signature=signature)


def test_raw_asks_any_signature_as_it_stands(client, server):
    answer = client.raw({"x": [1.5, 2.0]}, signature="numbers")
    assert answer["doubled"].tolist() == [3.0, 4.0] and answer["total"] == 3.5
    assert answer["doubled"].dtype == np.float32
    assert client.raw({"text": ["0.25"]})["label"].tolist() == [b"negative"]
    assert not server.asked("contract")


def test_messages_of_any_size_pass(client):
    values = np.arange(2**21, dtype=np.float32)  # 8 MB each way, where gRPC stops at 4 unless told
    np.testing.assert_array_equal(client.raw({"x": values}, signature="numbers")["doubled"], values * 2)


def test_probabilities_that_do_not_fit_the_labels_are_an_error(client, server):
    server.contract = CONTRACT | {"labels": ["a", "b", "c"]}
    with pytest.raises(SlipwayError, match=r"3 labels but probabilities has shape \(1, 2\)") as caught:
        client.predict(["a"])
    assert caught.value.code == "DATA_LOSS"


def test_version_and_label_are_sent(connect, server):
    with connect(server.address, "reviews", version=7) as client:
        client.predict(["a"])
    with connect(server.address, "reviews", label="stable") as client:
        client.predict(["a"])
    pinned, labelled = server.asked("serving_default")
    assert pinned.model_spec.version.value == 7 and not pinned.model_spec.version_label
    assert labelled.model_spec.version_label == "stable" and not labelled.model_spec.HasField("version")


@pytest.mark.parametrize(
    ("target", "settings", "message"),
    [
        ("localhost:8500", {"version": 1, "label": "stable"}, "version or label"),
        ("localhost:8500", {"version": "1"}, "version must be a whole number"),
        ("localhost:8500", {"deadline": 0}, "deadline must be a positive number"),
        ("localhost:8500", {"deadline": float("inf")}, "deadline must be a positive number"),
        ("localhost:8500", {"max_batch_size": 0}, "max_batch_size"),
        ("localhost", {}, "has no port"),
        ([], {}, "is an empty list"),
        (["localhost:8500", 8501], {}, "is no address"),
        ("localhost:8500,localhost:8500", {}, "is given twice"),
        ("localhost:8500,http://localhost:8501", {}, "are of both kinds"),
    ],
)
def test_wrong_settings_are_value_errors(connect, target, settings, message):
    with pytest.raises(ValueError, match=message):
        connect(target, "reviews", **settings)


def test_status_lists_the_versions_newest_first(client, server):
    server.states = {6: "END", 7: "AVAILABLE", 8: "LOADING"}
    assert client.status() == [
        VersionStatus(8, "LOADING", ""),
        VersionStatus(7, "AVAILABLE", ""),
        VersionStatus(6, "END", "out of memory"),
    ]


@pytest.mark.parametrize(
    ("settings", "ready"),
    [
        ({}, True),
        ({"version": 7}, True),
        ({"version": 8}, False),
        ({"version": 9}, False),
        ({"label": "stable"}, True),
        ({"label": "nosuch"}, False),
    ],
)
def test_ready_asks_for_an_available_version(connect, server, settings, ready):
    server.states = {7: "AVAILABLE", 8: "LOADING"}
    with connect(server.address, "reviews", **settings) as client:
        assert client.ready(60 if ready else 0.1) == ready


def test_ready_sees_that_a_label_is_gone(connect, server):
    server.states = {7: "AVAILABLE"}
    with connect(server.address, "reviews", label="stable") as client:
        assert client.predict("0.75").label and client.ready(60)
        server.known_labels.remove("stable")
        assert not client.ready(0.1)


def test_ready_waits_for_a_server_to_come_up(connect, server):
    server.states = {7: "LOADING"}
    with connect(server.address, "reviews") as client, concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client.ready, 60)
        server.states = {7: "AVAILABLE"}
        assert waiting.result()


def test_a_client_finds_a_server_that_comes_back(connect, server):
    port = int(server.address.rpartition(":")[2])
    with connect(server.address, "reviews") as client:
        client.predict(["a"])
        server.stop()
        assert not client.ready(0.2)
        with FakeServer(port):
            assert client.ready(30)
            assert score(client.predict("0.25")) == 0.25


def test_threads_share_a_client(connect, server):
    server.contract = copy.deepcopy(CONTRACT)
    with (
        connect(server.address, "reviews", max_batch_size=5) as client,
        concurrent.futures.ThreadPoolExecutor(8) as pool,
    ):
        calls = [[f"0.{thread:02d}{row:02d}" for row in range(17)] for thread in range(32)]
        answers = list(pool.map(client.predict, calls))
    assert [[f"{score(answer):.4f}" for answer in call] for call in answers] == calls
    assert len(server.asked("contract")) == 1


def test_credentials_open_a_port_that_wants_them(connect):
    secure = grpc.local_channel_credentials(grpc.LocalConnectionType.LOCAL_TCP)
    with (
        FakeServer(credentials=grpc.local_server_credentials(grpc.LocalConnectionType.LOCAL_TCP)) as server,
        connect(server.address, "reviews", credentials=secure) as client,
    ):
        assert client.predict("0.25").label == "negative"
