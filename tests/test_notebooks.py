"""Every cell of every notebook runs, on a tiny encoder and tiny text in the cache; on a CPU each takes its CPU branch.

The time of each is printed; on real text and the real encoder: python -m benchmarks.notebooks.
"""

import re

import nbformat
import pytest

from benchmarks import notebooks

NOTEBOOKS = sorted((notebooks.ROOT / "notebooks").glob("*.ipynb"))
ids = {"ids": lambda path: path.stem}


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("path", NOTEBOOKS, **ids)
def test_every_cell_runs(path, sandbox):
    folder, environment = sandbox
    seconds, ran = notebooks.run(path, folder / "notebooks", environment)
    print(f"{path.stem}: {seconds:.0f} s")
    cells = [cell for cell in ran.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    text = notebooks.printed(ran)
    assert "proof: " in text and "Traceback" not in text
    assert "error: " not in text, "a command failed, which does not end a notebook"
    if "tpu" in path.stem:
        assert "CPU branch: no TPU here" in text and "'device': 'cpu'" in text


@pytest.mark.parametrize("path", NOTEBOOKS, **ids)
def test_notebooks_define_nothing_and_keep_no_paths(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    assert not re.search(r"^\s*(def|class|async def) ", code, re.M)
    assert "Where its cells have been run" in notebook.cells[0].source or "**Which parts" in notebook.cells[0].source
    assert not re.search(r"/(root|home|tmp|work)/", str(notebook)), "an output names a folder of this machine"
