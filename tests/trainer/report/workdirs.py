"""Workdirs as a run leaves them, made of a few predictions: what the reports read, without any training."""

import json

import numpy as np

from trainer import flagfile
from trainer.config import Config
from trainer.metrics import calibration, selective
from trainer.metrics.per_class import per_class

HOSTILE = '<script>alert("x")</script> ]]> \' " & {{ 7 * 7 }} https://example.org/a?b=c <img src=//example.org/x>'


def make(path, labels=("negative", "positive"), rows=60, seed=0, strength=2.0, texts=None, full=True, **flags):
    """A trained workdir at `path`; the texts and true labels depend on `rows` and `labels` alone.

    full: bool; whether it was also exported, examined by the doctor and calibrated.
    """
    path.mkdir(parents=True)
    targets = np.arange(rows) % len(labels)
    texts = texts or [f"text {i}" for i in range(rows)]
    logits = np.random.default_rng(seed).normal(size=(rows, len(labels))).astype(np.float32)
    logits[np.arange(rows), targets] += strength
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    predicted = probabilities.argmax(axis=1)
    config = Config.from_flat({"workdir": str(path), "data": "data.csv", "model_name": "reviews", **flags})
    (path / "flags.txt").write_text(flagfile.render(config), encoding="utf-8")
    _write(path / "manifest.json", _manifest(labels, targets, config))
    _write(path / "per_class.json", dict.fromkeys(("dev", "test"), per_class(targets, predicted, labels)))
    _write(path / "curve.json", {"points": [_point(step) for step in range(10, 101, 10)]})
    results = _results(float((predicted == targets).mean()))
    if full:
        results |= {"decisions": _decisions(probabilities.max(axis=1), predicted == targets)}
        results["export"] = _export(path)
        example = {"where": "train.csv:7", "text": HOSTILE, "same_as": "test.csv:9"}
        finding = {"check": "near duplicates", "severity": "warning", "count": 3, "message": "in train and test"}
        _write(path / "doctor.json", {"files": ["train.csv"], "findings": [finding | {"examples": [example]}]})
    _write(path / "results.json", results)
    with open(path / "predictions.jsonl", "w", encoding="utf-8") as file:
        for i in range(rows):
            row = {
                "row": i,
                "text": texts[i],
                "label": labels[predicted[i]],
                "score": float(probabilities[i].max()),
                "probabilities": dict(zip(labels, map(float, probabilities[i]), strict=True)),
                "true_label": labels[targets[i]],
            }
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return path


def _write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def _manifest(labels, targets, config):
    counts = {label: int((targets == i).sum()) for i, label in enumerate(labels)}
    splits = ("train", "dev", "test")
    return {
        "started": "2026-11-25T10:00:00Z",
        "settings": {"device": "cpu", "replicas": 1, "precision": "float32", "xla": "off", "batching": "pools"},
        "seeds": {"run": config.run.seed, "split": 0},
        "data": {
            "fingerprint": "sha256:0123456789abcdef",
            "rows": dict.fromkeys(splits, len(targets)),
            "labels": list(labels),
            "label_counts": dict.fromkeys(splits, counts),
        },
        "encoder": {"name": "tiny", "revision": "r1", "licence": "Apache-2.0", "vocabulary": "sha256:v"},
        "versions": {"python": "3.11", "tensorflow": "2.21.0", "keras": "3.15.1", "platform": "x"},
        "shapes": {"distinct": 9, "widest": 24},
    }


def _point(step):
    return {
        "step": step,
        "loss": 1 / step,
        "accuracy": 1 - 1 / step,
        "learning_rate": 1e-5 * (110 - step),
        "gradient_norm": 3 / step,
        "tokens_per_second": 900.0,
    }


def _results(accuracy):
    scores = {"accuracy": accuracy, "macro_f1": accuracy, "loss": 0.5}
    evaluations = [{"step": step, **scores} for step in (50, 100)]
    train = {"steps": 100, "planned_steps": 100, "best_step": 50, "seconds": 12.5, "evaluations": evaluations}
    return {"train": train | {"examples_per_second": 80.0, "tokens_per_second": 900.0}, "dev": scores, "test": scores}


def _decisions(scores, right):
    bins = {"before": calibration.reliability(scores, right), "after": calibration.reliability(scores**0.9, right)}
    errors = {when: calibration.expected_calibration_error(each) for when, each in bins.items()}
    answered = {"precision": 0.95, "coverage": 0.6}
    return {
        "temperature": 1.1,
        "ece": {"dev": errors, "test": errors},
        "reliability": {"dev": bins, "test": bins},
        "abstain": {"target_precision": 0.95, "threshold": 0.7, "dev": answered, "test": answered},
        "risk_coverage": {"test": selective.risk_coverage(scores, right)},
    }


def _export(path):
    version = path / "export" / "0123"
    limits = {"accepted": True, "texts": 9, "hostile": 99, "tolerance": 1e-4, "flips": 0}
    _write(version / "proof.json", limits | {"max_difference": 1.2e-6, "max_batch_difference": 1e-7})
    _write(version / "contract.json", {"encoder": {"parameters": 22713600}, "serving_target": ["2.19"]})
    seconds = {"save": 3.0, "prove": 20.0}
    return {"version_dir": str(version), "bytes": 91_000_000, "max_difference": 1.2e-6, "seconds": seconds}
