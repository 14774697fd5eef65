"""The head of a model whose steps move its vectors alone: fitted anew to the training rows where dev is evaluated."""


class FittedHead:
    """run: trainer.loop.fit.Run of a task with a `learner`. learner: that one. evaluator: Evaluator of its vectors."""

    def __init__(self, run, learner, evaluator):
        self.run, self.learner, self.evaluator = run, learner, evaluator

    def fit(self):
        """Encodes every training row once."""
        train = self.run.train
        self.run.task.fit_head(self.learner, self.evaluator.logits(train), train.targets)
