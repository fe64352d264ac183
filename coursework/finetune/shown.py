"""Tables of section 3 as they stand in the notebook: epochs beside the published ones, bases compared."""

from __future__ import annotations

from collections.abc import Sequence

from IPython.display import HTML
from markupsafe import escape

from coursework._common.display import record, record_input
from coursework.finetune.lab import Phase
from coursework.finetune.scoring import accuracy, mcnemar
from coursework.finetune.training import History

COLUMNS = ("epoch", "train loss", "train accuracy", "validation loss", "validation accuracy")


def rows_to_show(count: int, most: int = 8) -> list[int]:
    """Return which epochs (from 1) a table of at most about `most` rows shows: the first five, then fewer."""
    if count <= most:
        return list(range(1, count + 1))
    shown = [1, 2, 3, 4, 5]
    step = 10
    while step < count:
        shown.append(step)
        step *= 2
    return [*shown, count]


def epoch_table(*histories: History) -> HTML:
    """Return the epoch tables of several phases, one under another, with the assignment's five columns."""
    return HTML("".join(_epochs(history) for history in histories))


def _epochs(history: History) -> str:
    steps = f"{history.steps} step{'s' if history.steps != 1 else ''} an epoch"
    head = "".join(f'<th scope="col">{column}</th>' for column in COLUMNS)
    body = []
    for number in rows_to_show(len(history.epochs)):
        row = history.epochs[number - 1]
        values = (row.train_loss, row.train_accuracy, row.validation_loss, row.validation_accuracy)
        cells = "".join(f"<td>{value:.4f}</td>" for value in values)
        body.append(f'<tr><th scope="row">{row.epoch}</th>{cells}</tr>')
    return (
        f"<table><caption>{escape(history.phase)} ({steps})</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"
    )


def transfer_table(phases: Sequence[Phase]) -> HTML:
    """Return one row a phase: base, weights, what was trained, validation accuracy with its interval.

    The last column compares a trained base with the same base frozen, on the same pictures (McNemar's
    exact test).
    """
    columns = (
        "base",
        "weights",
        "trained",
        "right",
        "accuracy",
        "95 % interval",
        "p, against the same base frozen",
    )
    head = "".join(f'<th scope="col">{column}</th>' for column in columns)
    body = []
    for phase in phases:
        share = accuracy(phase.predictions)
        before = [one for one in phases if phase.stage and not one.stage and _same_base(one, phase)]
        p = f"{mcnemar(before[0].predictions, phase.predictions).p_value:.2g}" if before else ""
        cells = (
            f"head and base from {phase.stage}" if phase.stage else "head only",
            f"{share.count} of {share.n}",
            f"{share.value:.3f}",
            f"{share.low:.3f} to {share.high:.3f}",
            p,
        )
        body.append(
            f'<tr><th scope="row">{escape(phase.base.name)}</th><td>{_weights(phase)}</td>'
            + "".join(f"<td>{escape(cell)}</td>" for cell in cells)
            + "</tr>"
        )
    return HTML(
        "<table><caption>What pre-training is worth: validation accuracy</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"
    )


def _weights(phase: Phase) -> str:
    """Return as HTML what the weights are called: their name, or that of their file without its folders."""
    if phase.weights in phase.base.weights:
        return str(escape(phase.weights))
    name = phase.weights.replace("\\", "/").rsplit("/", 1)[-1]
    return f"<code>{escape(name)}</code>"  # as code, since dollar signs in a file's name are no mathematics


def _same_base(one: Phase, other: Phase) -> bool:
    return (one.base.name, one.weights, one.size) == (other.base.name, other.weights, other.size)


def record_weights(phase: Phase) -> None:
    """Show which base and weights a phase used, with a hash of all their values, and store it for the report.

    The file is recorded too, see `record_weights_files`.
    """
    known = phase.base.weights.get(phase.weights)
    name = f"{phase.base.name}, {phase.weights if known else phase.weights.rsplit('/', 1)[-1]}"
    source = known.note if known else "a file"
    text = f"{name} ({source}), {phase.size} pixels, SHA-256 {phase.backbone.sha256()[:16]}"
    record("base", name, text)
    record_weights_files([phase])


def record_weights_files(phases: Sequence[Phase]) -> None:
    """Store the SHA-256 of every weights file that `phases` read, once each, for the report's manifest.

    A file that a parameter names is in the manifest anyway and left out here.
    """
    known = [phase.base.weights[phase.weights] for phase in phases if phase.weights in phase.base.weights]
    for file in dict.fromkeys(weights.file() for weights in known):
        if file is not None:
            record_input("weights", file)
