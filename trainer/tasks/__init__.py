"""What is learned: one file and one line here per task."""

from trainer.tasks.classification import Classification
from trainer.tasks.multi_label import MultiLabel
from trainer.tasks.regression import Regression

TASKS = {task.name: task for task in (Classification, MultiLabel, Regression)}
