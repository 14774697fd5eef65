"""What is learned: one file and one line here per task."""

from trainer.tasks.classification import Classification
from trainer.tasks.embedding import Embedding
from trainer.tasks.few_shot import FewShot
from trainer.tasks.masked_words import MaskedWords
from trainer.tasks.multi import Multi
from trainer.tasks.multi_label import MultiLabel
from trainer.tasks.regression import Regression
from trainer.tasks.span_qa import SpanQA
from trainer.tasks.tagging import Tagging
from trainer.tasks.zero_shot import ZeroShot

TASKS = {
    task.name: task for task in (Classification, MultiLabel, Regression, Tagging, SpanQA, Multi, Embedding, MaskedWords)
}
LEARNED = {task.learning: task for task in (FewShot, ZeroShot)}  # classification, by --learning
