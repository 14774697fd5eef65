"""ONNX Runtime's side of serve_vs_peers: transformers' fast tokenizer, dynamic padding, its own BERT optimizer.

--quantise: int8 weights by ONNX Runtime's dynamic quantisation, one scale per channel.
"""

import argparse
import os
import pathlib
import tempfile

from benchmarks.peers.answering import answer
from benchmarks.peers.serving_turns import turns


def prepare(folder, quantise, length):
    """Exports the Hugging Face folder, lets ONNX Runtime fuse it, and answers."""
    import numpy as np
    import onnxruntime
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, use_fast=True)
    with tempfile.TemporaryDirectory() as scratch:
        path, fused = optimised(pathlib.Path(folder), pathlib.Path(scratch))
        if quantise:
            path = quantised(path)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = os.cpu_count(), 1
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    wanted = [given.name for given in session.get_inputs()]

    def tokenise(texts):
        found = tokenizer(texts, padding=True, truncation=True, max_length=length, return_tensors="np")
        return {name: found[name].astype(np.int64) for name in wanted}

    def answer_batch(texts):
        (logits,) = session.run(["logits"], tokenise(texts))
        exponents = np.exp(logits - logits.max(-1, keepdims=True))
        return exponents / exponents.sum(-1, keepdims=True)

    reply_to = turns(answer_batch, tokenise)
    return lambda request: reply_to(request) | {"settings": fused}


def optimised(folder, scratch):
    """(path of the model after ONNX Runtime's transformer optimizer, {fused operator: how many})."""
    import json

    import torch
    import transformers
    from onnxruntime.transformers import optimizer

    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder, attn_implementation="eager").eval()
    ids = torch.ones((2, 8), dtype=torch.long)
    names = ["input_ids", "attention_mask", "token_type_ids"]
    torch.onnx.export(
        model,
        (ids, ids, torch.zeros_like(ids)),
        str(scratch / "model.onnx"),
        input_names=names,
        output_names=["logits"],
        dynamic_axes={name: {0: "batch", 1: "length"} for name in names} | {"logits": {0: "batch"}},
        opset_version=17,
        dynamo=False,  # the optimizer knows the graphs of this exporter: with the other one no attention is fused
    )
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    better = optimizer.optimize_model(
        str(scratch / "model.onnx"),
        model_type="bert",
        num_heads=config["num_attention_heads"],
        hidden_size=config["hidden_size"],
    )
    better.save_model_to_file(str(scratch / "fused.onnx"))
    return scratch / "fused.onnx", {
        name: count for name, count in better.get_fused_operator_statistics().items() if count
    }


def quantised(path):
    """The path of the same model with int8 weights."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    target = path.with_name("int8.onnx")
    unknown = {"DefaultTensorType": onnx.TensorProto.FLOAT}  # what comes out of fused operators
    quantize_dynamic(str(path), str(target), per_channel=True, weight_type=QuantType.QInt8, extra_options=unknown)
    return target


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--quantise", action="store_true")
    parser.add_argument("--length", type=int, required=True)
    given = parser.parse_args()
    packages = ["onnxruntime", "onnx", "torch", "transformers"]
    answer(lambda: prepare(given.model, given.quantise, given.length), packages)
