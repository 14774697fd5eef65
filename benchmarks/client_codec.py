"""What happens to a request and to its answer inside the client's process, without any network, in three ways.

wire: protobuf's own serialisation alone, SerializeToString of a request that is filled and FromString of the answer.
by hand: the same from texts to Python lists, as a program would write it that has no client: texts are encoded and
filled in, every value of the answer is read. client: `serving.client` from texts to one typed result each.
"""

from benchmarks.peers.answering import timed
from serving.client import protos
from serving.client.asking import Asking
from serving.client.blocking import BlockingChannel, run
from serving.client.tensors import put_strings
from serving.client.tls import security_of


class Recorded(BlockingChannel):
    """A channel whose network is a recording: requests are serialised, answers `{signature: bytes}` are parsed."""

    def __init__(self, model, answers):
        super().__init__("127.0.0.1:1", model, security_of(None, None))  # never dialled
        self.answers = answers

    async def _send(self, target, method, request, timeout, token):
        request.SerializeToString()
        return protos.PredictResponse.FromString(self.answers[request.model_spec.signature_name])


def ways(model, texts, answers):
    """{way: callable without arguments}; `answers` {signature: bytes of the PredictResponse} of these texts."""
    asking = Asking(Recorded(model, answers), None, None, 10.0, len(texts))
    answer, filled = answers["serving_default"], request_of(model, texts)

    def wire():
        filled.SerializeToString()
        protos.PredictResponse.FromString(answer)

    def by_hand():
        request_of(model, texts).SerializeToString()
        return values_of(protos.PredictResponse.FromString(answer))

    return {"wire": wire, "by hand": by_hand, "client": lambda: run(asking.predict(texts, None, None, None))}


def request_of(model, texts):
    """The PredictRequest of some texts, filled in with nothing but protobuf."""
    request = protos.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = model, "serving_default"
    put_strings(request.inputs["text"], [text.encode() for text in texts])
    return request


def values_of(response):
    """{output: list of every value} of an answer of labels and numbers."""
    found = {}
    for name, tensor in response.outputs.items():
        values = tensor.string_val or tensor.float_val or tensor.bool_val
        found[name] = [text.decode() for text in values] if tensor.string_val else list(values)
    return found


def measure(found, calls):
    """{way: seconds of one call, the median of `calls`}, the ways in turn."""
    return {way: sorted(timed(call, calls, warm_up=3))[calls // 2] for way, call in found.items()}
