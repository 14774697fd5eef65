"""How far a version may be from the trained model, by the precision that it computes in."""

import dataclasses

from trainer.config import UserError
from trainer.models import encoder_weights


@dataclasses.dataclass(frozen=True)
class Limits:
    """tolerance: of a probability, of a row alone to the same row in a batch, and half the margin that lets no label
    flip. accuracy_loss: the share of all dev rows that may be lost; None where the tolerance leaves nothing to lose.
    """

    tolerance: float
    accuracy_loss: float | None = None


_REDUCED = Limits(2e-2, 0.003)
LIMITS = {"float32": Limits(1e-4), "bfloat16": _REDUCED, "int8": _REDUCED}


def check_precision(config, encoder):
    """Raises UserError for a --serving_precision that the encoder's kind has no form for."""
    given = config.export.serving_precision
    if given != "float32" and not encoder_weights.is_known(encoder.backbone):
        raise UserError(
            f"--serving_precision={given}: allowed for {type(encoder.backbone).__name__} is float32 alone; Slipway "
            "computes BERT, RoBERTa, DistilBERT and XLM-R in others; give --serving_precision=float32"
        )
