"""A trained model to a proven version in the workdir: build hidden, prove, rename once."""

import dataclasses
import functools
import json
import pathlib
import time
from typing import Any

from serving import loader, opsets
from serving.contract import CARD_FILE, CONTRACT_FILE, PROOF_FILE, ServingError, check_proven, read_contract
from trainer.config import UserError
from trainer.export import accuracy, int8, model_card, saved_model, staging, warmup, wording
from trainer.export import contract as contracts
from trainer.export.limits import LIMITS, check_precision
from trainer.export.prove import prove
from trainer.export.samples import collect
from trainer.export.served_form import served_form
from trainer.models import tokenizers
from trainer.models.encoder import encoder_folder
from trainer.models.preprocessor import TextPreprocessor

_GRAPH_BYTES = 64 << 20  # room for the graph, the warm-up and the proof's requests and answers


@dataclasses.dataclass(frozen=True)
class ExportReport:
    """What an export gave. seconds: {"save": …, "prove": …}, empty where an equal version had been proven before."""

    version_dir: pathlib.Path
    contract: dict[str, Any]
    proof: dict[str, Any]
    seconds: dict[str, float]
    reused: bool

    def line(self):
        """The proof in one line, for people."""
        return wording.line(self.proof)


def export_version(
    task,
    model,
    encoder,
    *,
    config,
    out_dir,
    data_fingerprint,
    dev_texts,
    dev_pairs=None,
    dev_labels=None,
    reference,
    card_sections="",
):
    """Exports and proves one version; `out_dir/<fingerprint>/` appears whole or not at all.

    Args:
        task: Task, with its labels and decisions.
        model: keras.Model in float32 with the weights to serve, the encoder's inputs to logits; see served_form.py.
        encoder: Encoder, as `load_encoder` gave it.
        config: trainer.config.Config; its export.serving_precision is what the version computes in.
        out_dir: folder of exports, as a rule workdir/export.
        data_fingerprint: `sha256:…` of the training data.
        dev_texts, dev_pairs: texts for the proof, lists of str; dev_pairs for pair tasks.
        dev_labels: their labels, list of str: the accuracy of a version in fewer bits than float32 is proven, too.
        reference: callable, (texts, pairs), lists of bytes, to {output: array over rows} of the trained model rebuilt
            in float32: at least the task's compared output, and what its `quality` judges.
        card_sections: Markdown that the model card ends with.

    Raises:
        ProofRefused: exit code 3, with the culprit; nothing is kept.
        UserError: a precision that the encoder has no form for.
        EnvironmentFault: the disk is full. ServingError: a TF Serving release that is not known.
    """
    targets, precision = opsets.parse_targets(config.export.serving_target), config.export.serving_precision
    check_precision(config, encoder)
    origin = contracts.origin(
        task,
        model,
        encoder,
        model_name=config.export.model_name,
        targets=targets,
        data_fingerprint=data_fingerprint,
        precision=precision,
    )
    with staging.staged(out_dir) as scratch:
        place = pathlib.Path(out_dir) / contracts.version_fingerprint(origin, _compared(config))
        if place.exists():
            return _proven_before(place)
        staging.check_free(out_dir, 4 * model.count_params() + _GRAPH_BYTES)
        started = time.perf_counter()
        folder = scratch / "version"
        contract = _build(folder, task, model, encoder, origin)
        saved = time.perf_counter()
        samples = collect(dev_texts, dev_pairs, config.export.proof_texts, task, reference)
        dev = _dev_rows(config, dev_texts, dev_pairs, dev_labels, task, reference)
        other = origin | {"precision": "bfloat16"}
        rival = functools.partial(_build, task=task, model=model, encoder=encoder, origin=other)
        proof = _prove(folder, samples, dev, config=config, encoder=encoder, targets=targets, rival=rival)
        _write(folder / PROOF_FILE, json.dumps(proof, indent=1) + "\n")
        model_card.write(folder / CARD_FILE, contract, proof, card_sections)
        staging.publish(folder, place)
        seconds = {"save": saved - started, "prove": time.perf_counter() - saved}
        return ExportReport(place, contract, proof, seconds, reused=False)


def check_targets(config):
    """Raises ServingError for a release in --serving_target that is not known: said before training, not after it."""
    opsets.parse_targets(config.export.serving_target)


def own_preprocessor(config, encoder):
    """The encoder's preprocessor, built anew from the encoder's own files: the one that the export must hold."""
    name = config.model.encoder
    folder = encoder_folder(name, config.cache_dir(), config.model.from_scratch)
    tokenizer, special = tokenizers.load(str(folder) if folder else name, folder)
    given = encoder.preprocessor
    return TextPreprocessor(tokenizer, special, given.sequence_length, given.features)


def _prove(folder, samples, dev, *, config, encoder, targets, rival):
    """proof.json of the version in `folder`; rival: callable that builds what int8 must be faster than in a folder."""
    proof = functools.partial(
        prove,
        folder,
        samples,
        targets=targets,
        preprocessor=own_preprocessor(config, encoder),
        scratch=folder.parent,
        dev=dev,
        mixed_precision=config.export.proof_mixed_precision,
    )
    if config.export.serving_precision != "int8":
        return proof()
    beside = folder.parent / "rival"
    rival(beside)
    return int8.prove(proof, folder, beside, dev, folder.parent)


def _compared(config):
    """What of the flags says how much is compared; a version proven otherwise is another one."""
    return [config.export.proof_texts, config.export.proof_mixed_precision]


def _dev_rows(config, texts, pairs, labels, task, reference):
    """DevRows where a limit is one of accuracy; else None."""
    reduced = LIMITS[config.export.serving_precision].accuracy_loss is not None
    if labels is None or not (reduced or config.export.proof_mixed_precision):
        return None
    return accuracy.judged(texts, pairs, labels, task, reference)


def _proven_before(place):
    try:
        proof = check_proven(place)
    except ServingError as error:
        raise UserError(f"{error} – remove {place} and give the same command again") from error
    return ExportReport(place, read_contract(place), proof, {}, reused=True)


def _build(folder, task, model, encoder, origin):
    if origin["precision"] != "float32":
        model = served_form(task, model, encoder, origin["precision"])
    graph = saved_model.save(folder, task, model, encoder.preprocessor)
    # The methods of classify and regress are set below, and described as they will be.
    contract = contracts.complete(origin, loader.graph_ops(graph), saved_model.describe_signatures(graph))
    text = contracts.text(contract)
    saved_model.complete(folder, graph, text)
    _write(folder / CONTRACT_FILE, text)
    warmup.write(folder, contract)
    return contract


def _write(path, text):
    path.write_text(text, encoding="utf-8")
