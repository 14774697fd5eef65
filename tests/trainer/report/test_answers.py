"""What reports show of answers: mistakes that share nothing with the truth first, and which of two runs is right."""

import tensorflow as tf

from trainer.inputs.answer_rows import AnswerTruth
from trainer.report import judged
from trainer.report.answer_pictures import AnswerPictures
from trainer.report.comparison import _right
from trainer.report.mistakes import worst_answers


def row(number, answer, *golds, score=0.5):
    return {
        "row": number,
        "text": f"question {number}",
        "text_pair": "in Paris",
        "answer": answer,
        "answerable": bool(answer),
        "score": score,
        "true_answers": [{"start": 0, "text": gold} for gold in golds],
    }


ROWS = [
    row(0, "Paris", "Paris", "in Paris"),
    row(1, "in", "Paris", "in Paris", score=0.9),
    row(2, "", "Paris", "Paris", score=0.4),
    row(3, "in Paris", score=0.7),
    row(4, "The  PARIS!", "Paris"),
]


def test_the_worst_share_no_word_with_the_truth_and_are_the_surest():
    found = [(each.row, each.label, each.predicted, each.size) for each in worst_answers(ROWS)]
    assert found == [
        (3, "(none)", "in Paris", "0.700"),
        (2, "Paris", "(none)", "0.400"),
        (1, "Paris | in Paris", "in", "0.900"),
    ]
    assert worst_answers(ROWS)[0].text == "question 3 ‖ in Paris" and len(worst_answers(ROWS, most=1)) == 1


def test_the_page_counts_those_that_are_not_exactly_right():
    found = judged.rows(ROWS)
    assert found["wrong"] == 3 and len(found["mistakes"]) == 3 and found["confusion"] is None


def test_two_runs_are_compared_by_their_exact_answers():
    assert list(_right(ROWS).values()) == [True, False, False, False, True]


def test_tensorboard_shows_the_worst_of_dev(tmp_path):
    asked = [each["text"] for each in ROWS], [each["text_pair"] for each in ROWS]
    said = [{name: each[name] for name in ("answer", "score")} for each in ROWS]
    golds = [[[each["start"], each["text"]] for each in row["true_answers"]] for row in ROWS]
    with tf.summary.create_file_writer(str(tmp_path)).as_default():
        AnswerPictures(*asked, lambda logits: said)(7, None, AnswerTruth(golds, None))
    (file,) = tmp_path.iterdir()
    content = b"".join(record.numpy() for record in tf.data.TFRecordDataset(str(file)))
    assert b"worst_mistakes" in content and "(none) → in Paris (0.700)".encode() in content
