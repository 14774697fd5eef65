"""PyTorch's side of step_vs_peers: transformers' sequence classifier, fused AdamW, scaled dot product attention.

With bfloat16 the forward pass runs under autocast, as PyTorch documents training on CPU; --compile adds torch.compile.
"""

import argparse
import os
import tempfile

from benchmarks.peers.answering import answer, one_line, timed
from benchmarks.peers.random_tokens import random_tokens


def prepare(encoder, precision, compile):
    """Request {batch, length, steps} to {seconds, settings}."""
    import torch
    import transformers

    torch.set_num_threads(os.cpu_count())
    torch.manual_seed(1)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        encoder, num_labels=2, attn_implementation="sdpa"
    ).train()
    optimizer, kind = adamw(torch, model)
    run = torch.compile(model, dynamic=False) if compile else model  # a program for each shape

    def step(ids, mask, labels):
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bfloat16"):
            loss = run(input_ids=ids, attention_mask=mask, labels=labels).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    def batch_of(rows, tokens):
        ids, labels = random_tokens(encoder, rows, tokens)
        return torch.from_numpy(ids).long(), torch.ones(ids.shape, dtype=torch.long), torch.from_numpy(labels).long()

    if compile:
        try:
            step(*batch_of(2, 8))
        except Exception as fault:  # no compiler, or one that it cannot use: a peer that cannot run here
            raise ImportError(f"torch.compile: {one_line(fault)}") from fault

    def reply_to(request):
        batch = batch_of(request["batch"], request["length"])
        seconds = timed(lambda: step(*batch), request["steps"], warm_up=1)
        return {"seconds": seconds, "settings": {"optimizer": kind, "threads": torch.get_num_threads()}}

    return reply_to


def adamw(torch, model):
    """(AdamW, "fused" or "foreach"): fused where this PyTorch has it for CPU."""
    try:
        return torch.optim.AdamW(model.parameters(), lr=5e-5, weight_decay=0.01, fused=True), "fused"
    except RuntimeError:
        return torch.optim.AdamW(model.parameters(), lr=5e-5, weight_decay=0.01, foreach=True), "foreach"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--encoder", required=True)
    parser.add_argument("--precision", choices=("float32", "bfloat16"), required=True)
    parser.add_argument("--compile", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = folder  # what a killed run left half-written fails in the next
        answer(lambda: prepare(given.encoder, given.precision, given.compile), ["torch", "transformers"])
