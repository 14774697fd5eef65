"""What the server says of its model: contract and signatures, read once per version and channel."""

import json

from . import protos
from .errors import SlipwayError, refused
from .tensors import decode, put_strings

SERVING_DEFAULT = "serving_default"
_SCHEMA = 1  # newest major of the contract that this client reads
_DTYPES = {number: name.removeprefix("DT_").lower() for name, number in protos.DataType.items()}
_MAYBE_NO_SUCH_SIGNATURE = {"FAILED_PRECONDITION", "INVALID_ARGUMENT", "NOT_FOUND"}


class Described:
    """Contracts by version, of the model at `channel`. `spec(signature, version)` makes a ModelSpec."""

    def __init__(self, channel, spec):
        self._channel, self._spec = channel, spec
        self._by_version = {}
        self._current = None

    async def current(self, deadline):
        """The contract of the version that answers now, or {"signatures": …} of a model without one."""
        if self._current is None:
            async with self._channel.alone(deadline):
                if self._current is None:
                    version, self._current = await self._read(None, deadline)
                    self._by_version[version] = self._current
        return self._current

    async def of(self, version, deadline):
        """The same of `version`, which gave an answer: a server may move to one with other labels at any moment."""
        if not version:  # a server that does not say which version answered
            return await self.current(deadline)
        if version not in self._by_version:
            async with self._channel.alone(deadline):
                if version not in self._by_version:
                    self._by_version[version] = (await self._read(version, deadline))[1]
        self._current = self._by_version[version]
        return self._current

    def forget(self):
        """Reads the contract anew at the next call: the one at hand may be of an older version."""
        self._current = None

    async def text_inputs(self, signature, columns, deadline):
        """Input names of `signature` for 1 or 2 `columns` (texts, pairs); SlipwayError where it takes others."""
        signatures = (await self.current(deadline)).get("signatures", {})
        if signature not in signatures:
            raise self._refused(f"no signature '{signature}'; it has {', '.join(sorted(signatures)) or 'none'}")
        names = _text_names(signatures[signature])
        if not names:
            takes = ", ".join(f"{name} ({tensor['dtype']})" for name, tensor in signatures[signature]["inputs"].items())
            raise self._refused(f"signature '{signature}' does not take plain text but {takes}; ask it with raw()")
        if len(names) > columns:
            raise self._refused(
                f"signature '{signature}' takes text pairs; give text_pairs (--text_pair), one per text"
            )
        if len(names) < columns:
            raise self._refused(f"signature '{signature}' takes one text per row; leave text_pairs (--text_pair) out")
        return names

    def _refused(self, message):
        return refused(message, self._channel.model, self._channel.address)

    async def _read(self, version, deadline):
        """(version that answered, its contract)."""
        request = protos.PredictRequest(model_spec=self._spec("contract", version))
        put_strings(request.inputs["key"], [b"contract"])
        try:
            response = await self._channel.call("Predict", request, deadline)
        except SlipwayError as error:
            if error.code not in _MAYBE_NO_SUCH_SIGNATURE:
                raise
            # which fails in the same way where the model itself is missing
            return await self._signatures(version, deadline)
        contract = _parse(response)
        if contract is None:
            return await self._signatures(version, deadline)
        if int(str(contract["schema_version"]).partition(".")[0]) > _SCHEMA:
            raise self._refused(
                f"its contract has schema {contract['schema_version']}, and this client reads up to {_SCHEMA}.x; "
                "install a newer client"
            )
        return response.model_spec.version.value, contract

    async def _signatures(self, version, deadline):
        """(version that answered, {"signatures": …}) from GetModelMetadata, which every model answers."""
        request = protos.GetModelMetadataRequest(model_spec=self._spec("", version), metadata_field=["signature_def"])
        response = await self._channel.call("GetModelMetadata", request, deadline)
        definitions = protos.SignatureDefMap.FromString(response.metadata["signature_def"].value).signature_def
        signatures = {
            name: {
                "method": definition.method_name.rpartition("/")[2],
                "inputs": {key: {"dtype": _DTYPES.get(info.dtype, "other")} for key, info in definition.inputs.items()},
            }
            for name, definition in definitions.items()
            if not name.startswith("__")
        }
        return response.model_spec.version.value, {"signatures": signatures}


def _parse(response):
    """The contract in the answer of a signature `contract`, or None where that signature is something else."""
    try:
        contract = json.loads(decode(response.outputs["value"]).item())
        int(str(contract["schema_version"]).partition(".")[0])
    except (ValueError, TypeError, KeyError):
        return None
    return contract


def _text_names(signature):
    """Inputs of a signature that takes text only, in the order (text, text_pair); empty for any other signature."""
    inputs = signature["inputs"]
    if signature.get("method", "predict") != "predict" or any(spec["dtype"] != "string" for spec in inputs.values()):
        return []
    if inputs.keys() == {"text", "text_pair"}:
        return ["text", "text_pair"]
    return list(inputs) if len(inputs) == 1 else []
