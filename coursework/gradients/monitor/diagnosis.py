"""What the record says is wrong, in words: one function a rule, each with its threshold and source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from coursework.gradients.monitor.causes import cause_of
from coursework.gradients.monitor.labels import series_of
from coursework.gradients.monitor.slopes import THRESHOLD, steepest

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes
    ----------
    rule : its name. text : what was seen, with numbers, and what to try. threshold : from where on it counts.
    source : where threshold or explanation come from. names : the parameters or modules it is about.
    """

    rule: str
    text: str
    threshold: str
    source: str
    names: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.rule}: {self.text} [{self.threshold}; {self.source}]"


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def nonfinite(frame: pd.DataFrame, model: Any) -> Finding | None:
    """Gradients that are infinite or not a number."""
    rows = frame[frame["nonfinite"] > 0]
    if rows.empty:
        return None
    first = rows[rows["step"] == rows["step"].iloc[0]]
    names = list(first["name"])
    return Finding(
        "not finite",
        f"{int(first['nonfinite'].sum())} entries are infinite or NaN from step {first['step'].iloc[0]} on, "
        f"in {_some(names)}: lower the learning rate or clip the gradient; in half precision scale the loss",
        "one entry",
        "Pascanu, Mikolov and Bengio 2013, section 3.2 (clipping)",
        tuple(names),
    )


def underflowed(last: pd.DataFrame, model: Any) -> Finding | None:
    """Gradients that floating point has lost."""
    rows = last[last["label"] == "underflowed"]
    if rows.empty:
        return None
    names, types = list(rows["name"]), sorted(set(rows["computed"]))
    return Finding(
        "underflowed",
        f"{len(rows)} gradients are exactly 0 because {' and '.join(types)} ends, not because nothing "
        f"arrives: {_some(names)}. No learning rate brings them back; mend the fall or widen the type",
        "exactly 0 where the fall of the layers above leads to the smallest number of the type computed in",
        "IEEE 754 (subnormal numbers)",
        tuple(names),
    )


def dead(last: pd.DataFrame, model: Any) -> Finding | None:
    """Gradients that are exactly zero with nothing small above them."""
    rows = last[last["label"] == "dead"]
    if rows.empty:
        return None
    names = list(rows["name"])
    return Finding(
        "dead",
        f"{len(rows)} gradients are exactly 0 although those above are not small: "
        f"{_some(names)}. No path is alive there (rectifiers never fire, an input or a weight is 0): "
        "use more units a layer, another initialization, a lower learning rate or leaky rectifiers",
        "all entries exactly 0",
        "Lu, Shin, Su and Karniadakis 2019 (dying ReLU)",
        tuple(names),
    )


def fall(frame: pd.DataFrame, model: Any) -> Finding | None:
    """Gradients that fall or grow layer by layer towards the inputs, at the first step or at the last.

    Where they fall, the upper layers soon learn to do without the lower ones, and what is left of the
    gradient drowns in rounding errors: a fall is clearest before training has done that.
    """
    steps = sorted({int(frame["step"].min()), int(frame["step"].max())}, reverse=True)
    slopes = [(slope, step) for step in steps if (slope := steepest(_weights(frame[frame["step"] == step])))]
    if not slopes:
        return None
    slope, step = max(slopes, key=lambda one: abs(one[0].per_layer) * (one[0].last - one[0].first))
    when = f" at step {step}" if len(steps) > 1 else ""
    return Finding(
        "vanishing" if slope.per_layer > 0 else "exploding",
        f"{slope.in_words('gradients')}{when}{cause_of(slope, model)}",
        THRESHOLD,
        "Hochreiter 1991; Bengio, Simard and Frasconi 1994; depth scale: Schoenholz et al. 2017",
        slope.names,
    )


def parted(last: pd.DataFrame, model: Any) -> Finding | None:
    """Deltas that fall while the gradients of the weights do not."""
    weights, deltas = _weights(last), last[last["kind"] == "delta"]
    if len(weights):
        deltas = deltas[deltas["module"].isin(weights["module"])]
    delta = steepest(deltas)
    if delta is None or steepest(weights) is not None:
        return None
    return Finding(
        "delta and dW part",
        f"{delta.in_words('deltas')} while the gradients of the weights stay level, as in Glorot's scheme: "
        "what falls in delta grows in the activations, and the weights learn at one pace; judge by dW",
        f"{THRESHOLD}, for delta alone",
        "Glorot and Bengio 2010, section 4.2",
        delta.names,
    )


def dead_units(last: pd.DataFrame, model: Any) -> Finding | None:
    """Units that are zero for the whole batch."""
    rows = last[(last["dead_units"] > 0.6 * last["units"]) & (last["units"] > 0)]
    if rows.empty:
        return None
    names, share = list(rows["name"]), rows["dead_units"].sum() / rows["units"].sum()
    return Finding(
        "dead units",
        f"{share:.0%} of the units of {_some(names)} are 0 for the whole batch: lower the learning rate, or "
        "use He initialization or leaky rectifiers",
        "60% of a module's units; half is chance where all examples look alike",
        "CS231n notes, Neural Networks 1 (dying ReLU)",
        tuple(names),
    )


def updates(last: pd.DataFrame, model: Any) -> Finding | None:
    """Steps that are out of proportion to the weights."""
    rows = last[(last["label"] == "ok") & (last["update_ratio"] > 0) & (last["weight_norm"] > 0)]
    ratio = float(rows["update_ratio"].median()) if len(rows) else 1e-3
    if 1e-5 < ratio < 1e-1:
        return None
    advice = "raise" if ratio < 1e-3 else "lower"
    return Finding(
        "updates",
        f"a step changes the weights by {ratio:.1e} of their norm (median of {len(rows)}), and about 1e-3 "
        f"is usual: {advice} the learning rate",
        "two decades from 1e-3",
        "CS231n notes, Neural Networks 3 (ratio of weights to updates)",
        tuple(rows["name"]),
    )


def growth(frame: pd.DataFrame, model: Any) -> Finding | None:
    """Gradients that grow from step to step."""
    rows = frame[(frame["kind"] == "dW") & np.isfinite(frame["log10_norm"])]
    by_step = rows.groupby("step")["log10_norm"].median()
    if len(by_step) < 10:
        return None
    tenth = max(1, len(by_step) // 10)
    grown = float(by_step.iloc[-tenth:].median() - by_step.iloc[:tenth].median())
    if grown < 3:
        return None
    return Finding(
        "growing",
        f"the median gradient norm grew {grown:.1f} decades between the steps {by_step.index[0]} and "
        f"{by_step.index[-1]}: training diverges; lower the learning rate or clip the gradient's norm",
        "3 decades between the first and the last tenth of the steps",
        "Pascanu, Mikolov and Bengio 2013, section 3.2",
        tuple(dict.fromkeys(rows["name"])),
    )


def unused(last: pd.DataFrame, model: Any) -> Finding | None:
    """Parameters that ask for a gradient and get none."""
    rows = last[(last["label"] == "unused") & (last["kind"] == "dW")]
    if rows.empty:
        return None
    names = list(rows["name"])
    return Finding(
        "unused",
        f"{len(rows)} parameters ask for a gradient and got none: {_some(names)}. The loss does not depend "
        "on them: freeze them, or look for a branch that is never taken",
        "no gradient at the step",
        "torch.nn.parallel.DistributedDataParallel, find_unused_parameters",
        tuple(names),
    )


#: Rules about the last step, and those about all of them, in order of urgency.
RULES_OF_A_STEP: tuple[Callable[[pd.DataFrame, Any], Finding | None], ...] = (
    underflowed, dead, parted, dead_units, updates, unused,
)  # fmt: skip
RULES_OF_TIME: tuple[Callable[[pd.DataFrame, Any], Finding | None], ...] = (nonfinite, growth, fall)


def diagnose(frame: pd.DataFrame, model: Any = None) -> list[Finding]:
    """Return what is wrong in a tidy table; nothing if nothing is.

    Parameters
    ----------
    frame : of a monitor, or of `read_log`.
    model : the module, for words about its activations and weights.
    """
    if frame.empty:
        return []
    last = frame[frame["step"] == frame["step"].max()]
    found = [rule(frame, model) for rule in RULES_OF_TIME] + [rule(last, model) for rule in RULES_OF_A_STEP]
    return [finding for finding in found if finding is not None]


def _weights(last: pd.DataFrame) -> pd.DataFrame:
    """Return the gradients of the most frequent sort of matrices (convolutions' among them).

    Biases and the scales and shifts of normalization have sizes of their own, and no place in their row.
    """
    rows = last[(last["kind"] == "dW") & (last["axes"] >= 2)]
    series = [series_of(name) for name in rows["name"]]
    common = Counter(series).most_common(1)
    return rows[[one == common[0][0] for one in series]] if common else rows
