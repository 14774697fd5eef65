"""What is learned: one file and one line here per task."""

from trainer.tasks.classification import Classification

TASKS = {"classification": Classification}
