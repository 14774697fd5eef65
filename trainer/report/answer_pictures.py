"""What TensorBoard shows of the dev rows of --task=span_qa after each evaluation."""

import tensorflow as tf

from trainer.report import mistakes


class AnswerPictures:
    """The observer of trainer.loop.fit.Run.

    Args:
        questions, contexts: of the dev rows, sequences of str. rows: callable, WindowLogits to what predictions.jsonl
            says of each question.
    """

    def __init__(self, questions, contexts, rows):
        self.questions, self.contexts, self.rows = questions, contexts, rows

    def __call__(self, step, logits, truth):
        """logits: WindowLogits; truth: AnswerTruth, see trainer/inputs/answer_rows.py."""
        asked = zip(self.questions, self.contexts, self.rows(logits), truth.answers, strict=True)
        found = mistakes.worst_answers(
            [
                {
                    "row": row,
                    "text": question,
                    "text_pair": context,
                    "true_answers": [{"text": text} for _, text in golds],
                }
                | answer
                for row, (question, context, answer, golds) in enumerate(asked)
            ]
        )
        tf.summary.text("worst_mistakes", mistakes.markdown(found) if found else "None on dev.", step=step)
