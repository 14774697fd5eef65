"""Runs the notebooks as a person would, cell by cell in a kernel of their own, and prints how long each took.

    python -m benchmarks.notebooks --only=01_quickstart

They work in the checkout: their runs lie in runs/ afterwards. `--save` keeps what the cells printed in the notebooks.
"""

import os
import pathlib
import sys
import time

import nbclient
import nbformat
from absl import app, flags

ROOT = pathlib.Path(__file__).resolve().parent.parent
FLAGS = flags.FLAGS
flags.DEFINE_list("only", [], "Notebooks by name, without .ipynb; default: all.")
flags.DEFINE_bool("save", False, "Keep the outputs in the notebooks.")


def run(path, folder, environment):
    """(seconds, notebook with outputs) of a notebook run in `folder`. Raises CellExecutionError where a cell fails."""
    notebook = nbformat.read(path, as_version=4)
    client = nbclient.NotebookClient(
        notebook, timeout=3600, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    start = time.monotonic()
    client.execute(env=environment)
    return time.monotonic() - start, notebook


def printed(notebook):
    """All text that the cells gave, in order."""
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    return "\n".join(output.get("text") or output.get("data", {}).get("text/plain", "") for output in outputs)


def main(argv):
    """One line per notebook."""
    del argv
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        if FLAGS.only and path.stem not in FLAGS.only:
            continue
        seconds, ran = run(path, path.parent, dict(os.environ))
        print(f"{path.stem}: {seconds:.0f} s, {sum(cell.cell_type == 'code' for cell in ran.cells)} code cells")
        if FLAGS.save:
            nbformat.write(ran, path)


if __name__ == "__main__":
    sys.exit(app.run(main))
