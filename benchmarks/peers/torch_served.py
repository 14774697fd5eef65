"""PyTorch's side of serve_vs_peers: transformers' fast tokenizer with dynamic padding and its sequence classifier.

--arithmetic: float32; autocast, bfloat16 by torch.autocast; weights, a model whose weights are bfloat16.
"""

import argparse
import os

from benchmarks.peers.answering import answer
from benchmarks.peers.serving_turns import turns


def prepare(folder, arithmetic, length):
    """Answers are softmaxed in float32."""
    import torch
    import transformers

    torch.set_num_threads(os.cpu_count())
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, use_fast=True)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        folder,
        dtype=torch.bfloat16 if arithmetic == "weights" else torch.float32,
        attn_implementation="sdpa",
    ).eval()

    def tokenise(texts):
        return tokenizer(texts, padding=True, truncation=True, max_length=length, return_tensors="pt")

    def answer_batch(texts):
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=arithmetic == "autocast"):
            return model(**tokenise(texts)).logits.float().softmax(-1).numpy()

    return turns(answer_batch, tokenise)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--arithmetic", choices=("float32", "autocast", "weights"), required=True)
    parser.add_argument("--length", type=int, required=True)
    given = parser.parse_args()
    answer(lambda: prepare(given.model, given.arithmetic, given.length), ["torch", "transformers"])
