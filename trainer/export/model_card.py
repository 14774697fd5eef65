"""model_card.md: what a reader must know of a version before asking it anything."""

from trainer.export import wording

_CARD = """# {model_name}

{task}{labels}: {model}, {made} with Slipway {slipway} (TensorFlow {tensorflow}),
exported {created}.

- **Encoder:** {model}, {parameters:,} parameters, revision `{revision}`, licence {licence}.
- **Data:** fingerprint `{data}`.
- **Takes:** raw text ({inputs}), up to {tokens} tokens and {text_bytes:,} bytes; what is longer is cut and comes back
  with `truncated`.
- **Gives:** {outputs}. An empty text is answered like any other text.
- **Runs on:** TF Serving {targets}, in {precision}.
- **Proof:** {texts} dev texts and {hostile} hostile texts compared with the trained model: largest difference
  {max_difference:.1e}, {max_batch_difference:.1e} between a row alone and in a batch, {flips} label flips{further}.
- **Limits:** it knows the labels and the kind of text that it was trained on, and says nothing of any other.
- {decided}
"""


def write(path, contract, proof, sections=""):
    """Writes the card; `sections`: Markdown that it ends with, how well the model does and what for."""
    encoder, signature = contract["encoder"], contract["signatures"]["serving_default"]
    card = _CARD.format(
        model_name=contract["model_name"],
        task=contract["task"].replace("_", "-").capitalize(),
        labels=" with the labels " + ", ".join(contract["labels"]) if contract["labels"] else "",
        model=encoder["name"],
        made="fine-tuned" if contract.get("fine_tuned", True) else "as it came, not fine-tuned, made a version",
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
        precision=contract["precision"],
        further="".join(f"; {phrase}" for phrase in wording.further(proof)),
        decided=_DECIDED[contract["task"]](contract),
        **contract["limits"],
        **{key: proof[key] for key in ("texts", "hostile", "max_difference", "max_batch_difference", "flips")},
    )
    path.write_text(card + (f"\n{sections}" if sections else ""), encoding="utf-8")


def _probabilities(contract):
    """Whether they are calibrated, and when the model abstains."""
    decisions = contract["decisions"]
    temperature, target = decisions["temperature"], decisions.get("target_precision")
    text = "not calibrated" if temperature == 1 else f"calibrated with temperature {temperature:.4g}, fitted on dev"
    own = decisions.get("thresholds", {})
    if target and not any((decisions["threshold"], *own.values())):
        text += f"; it never abstains: all its answers on dev show a precision of {target:.4g}"
    elif target:
        below = "the threshold of its label" if own else f"{decisions['threshold']:.4g}"
        text += f"; an answer whose score is below {below} comes back with `abstain`, for a precision of {target:.4g}"
    return f"**Probabilities:** {text}.{_scope(decisions)}"


def _scope(decisions):
    """From which score on a text is too far out."""
    if "out_of_scope" not in decisions:
        return ""
    name = decisions["out_of_scope"].replace("_", "-")
    return (
        f" **Out of scope:** `out_of_scope` ({name}) grows the further a text is "
        f"from what was learned; above {decisions['out_of_scope_limit']:.4g} an answer comes back with `abstain`."
    )


def _thresholds(contract):
    """From which probability on a label is selected."""
    decisions, own = contract["decisions"], contract["decisions"].get("thresholds", {})
    of_its_own = f", {len(own)} labels from a threshold of their own on" if own else ""
    return f"**Selected:** labels whose probability is {decisions['threshold']:.4g} or more{of_its_own}."


def _range(contract):
    """Which numbers are answered."""
    bounds = contract["score_range"]
    return f"**Value:** from {bounds[0]:g} to {bounds[1]:g}." if bounds else "**Value:** any number."


def _spans(contract):
    """How spans are counted, and how much of a long text is read."""
    windows, tokens = contract["windows"], contract["limits"]["tokens"]
    return (
        "**Spans:** `start` and `end` count Unicode characters, `end` is exclusive, `count` says how many spans a text "
        f"has. A long text is read in {windows['most']} windows of {tokens} tokens at most, which share "
        f"{windows['overlap']}."
    )


def _vectors(contract):
    """How long vectors are, and what is searched."""
    sizes, index = contract["matryoshka"][1:], contract.get("index")
    text = f"**Vectors:** {contract['dimensions']} numbers, of length 1"
    text += f"; their first {', '.join(map(str, sizes))} may be used alone, brought to length 1 anew" if sizes else ""
    found = f" **Search:** the {index['most']} nearest of {index['entries']} answers." if index else ""
    return f"{text}.{found}"


def _heads(contract):
    """What each head answers, and how."""
    told = ["**Heads,** each with outputs of its name:"]
    for name, head in contract["heads"].items():
        own = contract | head | {"decisions": contract["decisions"]["heads"][name]}
        told.append(f"  - `{name}`, {head['task'].replace('_', '-')}: {_DECIDED[head['task']](own)}")
    return "\n".join(told)


def _answers(contract):
    """When a question has no answer, and how much of a question and its context is read."""
    windows, tokens, threshold = (
        contract["windows"],
        contract["limits"]["tokens"],
        contract["decisions"].get("threshold"),
    )
    nothing = (
        "it answers every question, also those that the context does not answer"
        if threshold is None
        else f"none (`answerable` false) where that is more than {threshold:.4g} better, in logits, fitted on dev"
    )
    return (
        "**Answers:** `answer` is `text_pair` from the character `start` to before `end`, −1 without an answer; "
        f"{nothing}. `score` is the probability of what is said among all spans and no answer. A context is read in "
        f"{windows['most']} windows of {tokens} tokens at most, which share {windows['overlap']}, each behind "
        f"{contract['question_tokens']} tokens of the question; no answer has more than {contract['answer_tokens']}."
    )


_DECIDED = {
    "classification": _probabilities,
    "multi_label": _thresholds,
    "regression": _range,
    "tagging": _spans,
    "multi": _heads,
    "embedding": _vectors,
    "span_qa": _answers,
}
