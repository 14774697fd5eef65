"""model_card.md: what a reader must know of a version before asking it anything."""

_CARD = """# {model_name}

{task} with the labels {labels}: {model}, fine-tuned with Slipway {slipway} (TensorFlow {tensorflow}),
exported {created}.

- **Encoder:** {model}, {parameters:,} parameters, revision `{revision}`, licence {licence}.
- **Data:** fingerprint `{data}`.
- **Takes:** raw text ({inputs}), up to {tokens} tokens and {text_bytes:,} bytes; what is longer is cut and comes back
  with `truncated`.
- **Gives:** {outputs}. An empty text is answered like any other text.
- **Runs on:** TF Serving {targets}.
- **Proof:** {texts} dev texts and {hostile} hostile texts compared with the trained model: largest difference
  {max_difference:.1e}, {max_batch_difference:.1e} between a row alone and in a batch, {flips} label flips.
- **Limits:** it knows the labels and the kind of text that it was trained on, and says nothing of any other;
  probabilities are not calibrated.
"""


def write(path, contract, proof, metrics=None):
    """Writes the card; `metrics` is `{name: number}` on the dev split, or None."""
    encoder, signature = contract["encoder"], contract["signatures"]["serving_default"]
    card = _CARD.format(
        model_name=contract["model_name"],
        task=contract["task"].capitalize(),
        labels=", ".join(contract["labels"]),
        model=encoder["name"],
        parameters=encoder["parameters"],
        revision=encoder["revision"],
        licence=encoder["licence"],
        slipway=contract["slipway"],
        tensorflow=contract["tensorflow"],
        created=contract["created"],
        data=contract["fingerprints"]["data"],
        inputs=", ".join(f"`{name}`" for name in signature["inputs"]),
        outputs=", ".join(f"`{name}`" for name in signature["outputs"]),
        targets=", ".join(contract["serving_target"]),
        **contract["limits"],
        **{key: proof[key] for key in ("texts", "hostile", "max_difference", "max_batch_difference", "flips")},
    )
    if metrics:
        card += "- **Dev split:** " + ", ".join(f"{name} {value:.4g}" for name, value in metrics.items()) + ".\n"
    path.write_text(card, encoding="utf-8")
