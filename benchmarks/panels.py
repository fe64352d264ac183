"""How long a panel takes from a knob's move to the new picture: `python benchmarks/panels.py`.

The widgets are moved in this process, to random places; what is timed is everything that the kernel does:
networks drawn and run, picture, words and formulas made and handed to the widget. (In JupyterLab the way to
the browser and back comes on top, a few milliseconds on the same machine.) Wall clock, in milliseconds.

--moves N for another number of moves. --json FILE writes the same as JSON; --check exits with 1 and names
each target that was missed.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
from ipywidgets import Dropdown, FloatLogSlider

from coursework._common.files import write_atomic
from coursework._common.panel import Panel
from coursework.backprop.panel import network_panel
from coursework.gradients.panel import gradient_panel

#: Milliseconds that nine moves in ten may take.
TARGET = 200.0


def move(panel: Panel, rng: np.random.Generator) -> None:
    """Put one of the panel's controls somewhere else."""
    names = list(panel.controls)
    control = panel.controls[names[rng.integers(len(names))]]
    if isinstance(control, Dropdown):
        control.index = int(rng.integers(len(control.options)))
        return
    place = rng.uniform(control.min, control.max)
    if isinstance(control, FloatLogSlider):
        place = control.base**place
    control.value = type(control.value)(place)


def measure(panel: Panel, moves: int) -> dict[str, float]:
    """Return quantiles of the time of a move that redraws."""
    rng = np.random.default_rng(0)
    shown = panel.widget.children[-1]
    times = []
    while len(times) < moves:
        before, start = shown.value, time.perf_counter()
        move(panel, rng)
        if shown.value != before:
            times.append(1000 * (time.perf_counter() - start))
    median, most, worst = np.quantile(times, [0.5, 0.9, 1.0])
    return {"median": float(median), "nine in ten": float(most), "worst": float(worst)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--moves", type=int, default=200)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()

    panels = {"section 1, 3-3-3-1": network_panel(), "section 2, up to 152 x 8": gradient_panel()}
    found = {name: measure(panel, options.moves) for name, panel in panels.items()}
    print(f"milliseconds from a move to the new picture, {options.moves} moves each")
    print(f"{'':<26}{'median':>9}{'nine in ten':>13}{'worst':>9}")
    for name, row in found.items():
        print(f"{name:<26}{row['median']:>9.1f}{row['nine in ten']:>13.1f}{row['worst']:>9.1f}")
    missed = [
        f"{name}: nine moves in ten take up to {row['nine in ten']:.0f} ms, the target is {TARGET:.0f}"
        for name, row in found.items()
        if row["nine in ten"] > TARGET
    ]
    if options.json:
        write_atomic(options.json, json.dumps({"milliseconds": found, "missed": missed}, indent=1) + "\n")
    if options.check and missed:
        print("\n".join(f"missed: {line}" for line in missed))
        sys.exit(1)


if __name__ == "__main__":
    main()
