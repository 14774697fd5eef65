"""Hostile bytes for the sockets of REST and gRPC: hypothesis strategies for what is written before the caller is done.

REST: JSON that is none, nested deep, with numbers that nothing holds, with values of wrong types; paths that climb;
gzip that bursts or is broken; headers and lengths that lie. gRPC: frames of HTTP/2 that lie, or none.
"""

import dataclasses
import gzip
import json
import struct

from hypothesis import strategies as st

from benchmarks.hostile_names import INPUTS, SIGNATURES, TRAVERSAL, mostly, texts

_POSTS = ("predict", "classify", "regress")
_BOMB = gzip.compress(bytes(64 << 20))
_NUMBERS = ("1e999", "-1e400", "123456789012345678901234567890", "NaN", "-Infinity", "0.1e", "01", "1e-999", "-0")
_LONE = ('"\\ud800"', '"\\udfff\\ud800"', '"\\u0000"', '"\\uZZZZ"', '"\\x"', '"\t"')
_GOOD = b'{"instances": ["good", "bad"]}'
_HEADERS = (
    b"Content-Length: -1",
    b"Content-Length: 99999999999999999999",
    b"Content-Length: 3\r\nContent-Length: 5",
    b"Content-Length: abc",
    b"Content-Length: 1000000",
    b"Content-Length: 2",
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: gzip, chunked\r\nContent-Length: 4",
    b"Transfer-Encoding: \x00",
    b"Content-Encoding: gzip, gzip, br, \xff",
    b"Expect: 200-maybe",
    b"Upgrade: h2c\r\nConnection: Upgrade",
    b"Host: \x00",
    b" folded: header",
    b"no colon",
    b": no name",
    b"X-Long: " + b"a" * 70000,
    b"\r\n".join(b"X-%d: y" % number for number in range(2000)),
    b"Range: bytes=0-99999999999",
    b"Accept-Encoding: " + b"gzip," * 500,
)
_METHODS = (b"GET", b"POST", b"PUT", b"DELETE", b"HEAD", b"OPTIONS", b"TRACE", b"CONNECT", b"get", b"B\x00D", b"")
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


@dataclasses.dataclass(frozen=True)
class Sent:
    """Bytes for one connection to `port`, "rest" or "grpc"; whole: they hold all that they say."""

    port: str
    raw: bytes
    whole: bool = True


def sendings(model):
    """{kind: strategy for its Sent}; `model` is a name that is served."""
    path = st.sampled_from([f"/v1/models/{model}:{what}" for what in _POSTS])
    methods = st.sampled_from(_METHODS)
    lies = st.lists(st.sampled_from(_HEADERS), min_size=1, max_size=2)
    return {
        "JSON": st.builds(_post, path, documents()),
        "broken JSON": st.builds(_post, path, broken_json()),
        "path": st.builds(_bodiless, methods, _paths(model)),
        "path with a body": st.builds(_post, _paths(model), st.one_of(documents(), broken_json())),
        "gzip": st.builds(_post, path, _packed(), st.just(b"Content-Encoding: gzip")),
        "headers": st.builds(_lying, path, lies, methods),
        "no HTTP": st.builds(lambda raw: Sent("rest", raw, whole=False), st.binary(max_size=200)),
        "frames of HTTP/2": st.builds(lambda raw: Sent("grpc", raw, whole=False), _frames()),
    }


def documents():
    """Strategy for the bytes of JSON that is a request in part."""
    scalar = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts, st.sampled_from(("good", "bad")))
    encoded = st.sampled_from(({"b64": "aGk="}, {"b64": "!"}, {"b64": 1}, {"b64": "aGk=", "x": 1}, {"b64": "a"}))
    value = st.recursive(
        st.one_of(scalar, encoded),
        lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(mostly(INPUTS, texts), inner, max_size=3)),
        max_leaves=8,
    )
    keys = st.sampled_from(("instances", "inputs", "examples", "context", "signature_name", "x"))
    names = st.builds(lambda name: {"signature_name": name}, mostly(SIGNATURES, texts))
    asked = st.one_of(
        st.fixed_dictionaries({"instances": st.lists(value, max_size=4)}),
        st.fixed_dictionaries({"inputs": value}),
        st.fixed_dictionaries({"examples": st.lists(value, max_size=4)}),
        st.fixed_dictionaries({"examples": st.lists(st.dictionaries(mostly(INPUTS, texts), value), max_size=4)}),
        st.dictionaries(keys, value, max_size=3),
    )
    whole = st.builds(lambda first, second: first | second, asked, st.one_of(st.just({}), names))
    return st.one_of(whole, whole, value).map(lambda made: json.dumps(made, allow_nan=True).encode())


def broken_json():
    """Strategy for the bytes of what is no JSON, or JSON at its limits."""
    row = st.one_of(
        st.sampled_from(_NUMBERS + _LONE),
        st.integers(1, 100_000).map(lambda depth: "[" * depth + "]" * depth),
        st.integers(1, 20_000).map(lambda depth: '{"a":' * depth + "1" + "}" * depth),
        st.integers(1, 5000).map(lambda digits: "9" * digits),
    ).map(str.encode)
    row = st.one_of(row, st.sampled_from((b'"\xff\xfe"', b'"\xed\xa0\x80"', b'"a\x00b"', b'"\xc3"')))
    forms = (
        b'{"instances": [%b]}',
        b'{"inputs": %b}',
        b'{"examples": [{"text": %b}]}',
        b'{"instances": [1], "instances": [%b]}',
        b'{"inputs": {"text": ["a"], "text": %b}}',
        b'\xef\xbb\xbf{"instances": [%b]}',
        b'{"signature_name": %b, "instances": ["a"]}',
        b"%b",
    )
    whole = st.builds(lambda form, each: form.replace(b"%b", each), st.sampled_from(forms), row)
    cut = st.builds(lambda text, share: text[: int(len(text) * share)], whole, st.floats(0, 1))
    return st.one_of(whole, whole, cut, st.binary(max_size=40))


def _paths(model):
    part = st.one_of(
        st.sampled_from((*TRAVERSAL, model, "%00", "%ff%fe", "%ed%a0%80", "%", "a" * 9000, "..%2f..", "{}", "\u00e9")),
        st.integers(0, 10**25).map(str),
    )
    forms = st.sampled_from(
        (
            "/v1/models/{0}",
            "/v1/models/{0}:predict",
            "/v1/models/{0}/versions/{1}",
            "/v1/models/{0}/versions/{1}:classify",
            "/v1/models/{0}/labels/{1}:predict",
            "/v1/models/{0}/{1}",
            "/v1/models/" + model + "/labels/{1}/metadata",
            "/v1/{0}/{1}",
            "/{0}?{1}",
            "http://{0}/{1}",
            "//{0}",
            "*",
            "{0}",
        )
    )
    return st.builds(lambda form, first, second: form.format(first, second), forms, part, part)


def _packed():
    """A body that is said to be gzip."""
    good = gzip.compress(_GOOD, mtime=0)
    place = st.integers(0, len(good) - 1)
    return st.one_of(
        st.integers(0, len(good)).map(lambda end: good[:end]),
        st.builds(lambda at, byte: good[:at] + bytes([byte]) + good[at + 1 :], place, st.integers(0, 255)),
        st.sampled_from((good, good + good, good + b"x", gzip.compress(good, mtime=0), _GOOD, _BOMB)),
        st.binary(max_size=40),
    )


def _post(path, body, *headers):
    head = [b"POST %b HTTP/1.1" % path.encode(), b"Host: x", b"Connection: close", b"Content-Length: %d" % len(body)]
    return Sent("rest", b"\r\n".join([*head, *headers, b"", body]))


def _bodiless(method, path):
    head = b"%b %b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    return Sent("rest", head % (method, path.encode()), whole=False)


def _lying(path, headers, method):
    head = [b"%b %b HTTP/1.1" % (method, path.encode()), b"Host: x", b"Connection: close", *headers]
    return Sent("rest", b"\r\n".join([*head, b"", _GOOD]), whole=False)


def _frames():
    """HTTP/2 up to a call whose message, or whose frames, are not what they say."""
    message = st.builds(
        lambda packed, size, body: struct.pack(">BI", packed, size) + body,
        st.integers(0, 255),
        st.sampled_from((0, 1, 5, 2**31, 2**32 - 1)),
        st.binary(max_size=20),
    )
    call = st.builds(lambda data: _frame(4) + _frame(1, 4, 1, _head()) + _frame(0, 1, 1, data), message)
    odd = st.builds(
        lambda kind, flags, stream, body: _frame(4) + _frame(kind, flags, stream, body),
        st.integers(0, 255),
        st.integers(0, 255),
        st.sampled_from((0, 1, 2, 2**31 - 1, 2**32 - 1)),
        st.binary(max_size=30),
    )
    return st.one_of(call.map(lambda raw: _PREFACE + raw), odd.map(lambda raw: _PREFACE + raw), st.binary(max_size=60))


def _frame(kind, flags=0, stream=0, body=b""):
    return struct.pack(">I", len(body))[1:] + struct.pack(">BBI", kind, flags, stream) + body


def _head():
    """The headers of a Predict that says its message is gzip, in HPACK without any table."""
    said = {":method": "POST", ":scheme": "http", ":path": "/tensorflow.serving.PredictionService/Predict"}
    said |= {":authority": "x", "content-type": "application/grpc", "te": "trailers", "grpc-encoding": "gzip"}
    packed = ((name.encode(), value.encode()) for name, value in said.items())
    return b"".join(b"\0%c%b%c%b" % (len(name), name, len(value), value) for name, value in packed)
