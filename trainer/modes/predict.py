"""--mode=predict: a file of texts in, a file of labels out."""

import pathlib

from trainer.config import UserError
from trainer.inputs.sources import read_table
from trainer.modes import job, predictions, tables
from trainer.modes.workdir import make_folder, open_workdir


def run(config):
    """Predicts --predict_input with the workdir's best weights; the output appears when it is complete."""
    with open_workdir(config) as workdir:
        workdir.task_file()
        table = read_table(
            config.predict.predict_input, config.data.text_column, config.data.text_pair_column, need_labels=False
        )
        output = pathlib.Path(config.predict.predict_output or workdir / "predictions.jsonl")
        if output.is_dir():
            raise UserError(f"--predict_output={output} is a folder; give a file")
        make_folder(output.parent, "--predict_output")
        trained = job.Trained(config, workdir)
        rows = trained.rows(table, "texts", labelled=False)
        predictions.write(output, trained.task, table, trained.logits(rows, "predicting"))
        truncated = int(rows.tokens.truncated.sum())
        shown = [("texts", len(table)), ("longer than the limit", truncated), ("output", output)]
        result = {"texts": len(table), "truncated": truncated, "output": str(output)}
        tables.show(config, "predictions", shown, result)
    return 0
