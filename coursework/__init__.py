"""A workbook on one classic deep-learning assignment: the names that its notebooks import.

Each name is imported when it is first asked for, so that `import coursework` loads no torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    # what every notebook uses
    "output_dir": "coursework._common.files",
    "resolve_input": "coursework._common.files",
    "record": "coursework._common.display",
    "record_input": "coursework._common.display",
    "show_figure": "coursework._common.display",
    # section 1: backprop
    "activation_table": "coursework.backprop.page",
    "answer_questions": "coursework.backprop.answers",
    "answers_table": "coursework.backprop.page",
    "assignment_point": "coursework.backprop.point",
    "bipartite": "coursework.backprop.chains",
    "certificate_table": "coursework.backprop.page",
    "certify": "coursework.backprop.oracles",
    "chain": "coursework.backprop.chains",
    "check": "coursework.backprop.judge.answer",
    "check_claim": "coursework.backprop.claims",
    "claims": "coursework.backprop.claims",
    "claims_table": "coursework.backprop.claims_page",
    "dE_da": "coursework.backprop.targets",
    "dE_db": "coursework.backprop.targets",
    "dE_dw": "coursework.backprop.targets",
    "DenseNetwork": "coursework.backprop.network",
    "derive": "coursework.backprop.derivation",
    "draw_network": "coursework.backprop.drawing",
    "draw_v_curve": "coursework.backprop.vcurve",
    "draw_values": "coursework.backprop.drawing",
    "fast": "coursework.backprop.fast",
    "in_double": "coursework.backprop.perturbation",
    "network_panel": "coursework.backprop.panel",
    "prove": "coursework.backprop.proof",
    "random_point": "coursework.backprop.point",
    "share_right": "coursework.backprop.training",
    "show_answer": "coursework.backprop.page",
    "show_derivation": "coursework.backprop.derivation_page",
    "show_source": "coursework.backprop.page",
    "spirals": "coursework.backprop.training",
    "train": "coursework.backprop.training",
    "two_chains": "coursework.backprop.chains",
    "v_curve": "coursework.backprop.vcurve",
    "verdicts_table": "coursework.backprop.claims_page",
    "verify": "coursework.backprop.oracles",
    # section 2: gradients
    "ChainSpec": "coursework.gradients.ensembles",
    "gradient_panel": "coursework.gradients.panel",
    "GradientMonitor": "coursework.gradients.monitor",
    "MeanField": "coursework.gradients.meanfield",
    "explain_zero": "coursework.gradients.zeros",
    "grid_of": "coursework.gradients.grid",
    "run_grid": "coursework.gradients.grid",
    "sample_norms": "coursework.gradients.unweighted",
    "exact_pass": "coursework.gradients.exact",
    "log10_uncertainty": "coursework.gradients.resolution",
    "living_probability": "coursework.gradients.rare",
    "fast_log_gradients": "coursework.gradients.fast_log",
    # section 3: finetune
    "Predictions": "coursework.finetune.scoring",
    "Preprocessing": "coursework.finetune.images",
    "accuracy": "coursework.finetune.scoring",
    "check_ranges": "coursework.finetune.comparison",
    "classification_table": "coursework.finetune.table",
    "comparison": "coursework.finetune.comparison",
    "confusion_matrix": "coursework.finetune.scoring",
    "cross_entropy": "coursework.finetune.scoring",
    "epoch_table": "coursework.finetune.shown",
    "epochs_figure": "coursework.finetune.figures",
    "frozen_phase": "coursework.finetune.lab",
    "get_base": "coursework.finetune.bases",
    "mcnemar": "coursework.finetune.scoring",
    "picture_sheet": "coursework.finetune.figures",
    "proportion": "coursework.finetune.scoring",
    "PUBLISHED": "coursework.finetune.published",
    "read_folder": "coursework.finetune.images",
    "record_weights": "coursework.finetune.shown",
    "record_weights_files": "coursework.finetune.shown",
    "Schedule": "coursework.finetune.training",
    "trained_phase": "coursework.finetune.lab",
    "transfer_table": "coursework.finetune.shown",
    # notebooks in, reports out
    "export_notebook": "coursework.publish.export",
    "find_sections": "coursework.publish.sections",
    "run_sections": "coursework.publish.batch",
    "write_index": "coursework.publish.site",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'coursework' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
