"""The notebook of section 1 with other parameters than its own."""

from pathlib import Path

import papermill
import pytest

from coursework._common.display import RECORD_MIME

NOTEBOOK = Path(__file__).resolve().parents[2] / "notebooks" / "1_error_backpropagation.ipynb"


@pytest.mark.filterwarnings("default")
def test_the_notebook_runs_with_another_network_and_says_so(tmp_path):
    given = {"seed": 5, "sizes": [2, 5, 4, 3, 1], "activation": "relu", "biases": True, "points": 3}
    notebook = papermill.execute_notebook(
        NOTEBOOK, tmp_path / "out.ipynb", given, cwd=tmp_path, progress_bar=False, log_output=False
    )
    outputs = [output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", [])]
    pages = "\n".join(output.get("text/markdown", "") for output in outputs)
    assert r"\delta_{1}^{(5)}" in pages
    assert "a_{1}^{(4)}>0" in pages
    assert "| log domain | 12 |" in pages
    records = {o[RECORD_MIME]["name"]: o[RECORD_MIME]["value"] for o in outputs if RECORD_MIME in o}
    assert records["numbers compared in the proofs"] > 5000
    assert records["largest relative error of any line"] <= 1e-12
    assert records["published lines that do not hold"] == 26
