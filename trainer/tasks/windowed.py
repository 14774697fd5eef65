"""What the tasks share whose answers lie within a text, which is read in windows."""

import copy

from trainer.config import UserError
from trainer.models.windows import WindowPreprocessor


class WindowedTask:
    """Windows of texts in, places in the texts out.

    Tasks add `windowing`: what a WindowPreprocessor needs besides the preprocessor, and what they learn.
    """

    example_method = None  # TF Serving has no call for places but Predict
    loss_weights = None
    unit = 1.0  # in which the proof measures differences

    @staticmethod
    def check_encoder(encoder, config):
        """Raises UserError for an Encoder that the task cannot stand on."""
        if not hasattr(encoder.preprocessor.tokenizer, "pieces"):
            raise UserError(
                f"--task={config.model.task}: the tokenizer of {encoder.name} does not tell where its tokens lie in "
                "the text; give an encoder with a WordPiece vocabulary, as BERT and its kin have"
            )

    def preprocess(self, preprocessor):
        """The WindowPreprocessor of a TextPreprocessor."""
        return WindowPreprocessor(preprocessor, *self.windowing)

    def proof_rows(self, table):
        """(texts, second texts or None, cells) of a dev Table, of which the proof takes some."""
        return table.texts, table.pairs, table.labels

    def decided(self, decisions):
        """This task, with other decisions."""
        task = copy.copy(self)
        task.decisions = decisions
        return task
