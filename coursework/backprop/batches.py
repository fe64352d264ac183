"""The backward program on two batches, one after the other, as in training, and before the exact judges.

An array that grows where it should be set, or a trace of the batch before, shows only in the second.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from coursework.backprop.activations import Array
from coursework.backprop.expression import UndefinedSymbol
from coursework.backprop.judged import EXACT
from coursework.backprop.line_proof import TOLERANCE
from coursework.backprop.lines import Program, batch_state, run_program
from coursework.backprop.matrix import State
from coursework.backprop.network import DenseNetwork, Gradients
from coursework.backprop.oracles import relative_error


@dataclass(frozen=True)
class Batches:
    """A network and two batches of one size, one after the other.

    Attributes
    ----------
    network : the network.
    x, t : inputs and targets of the two.
    """

    network: DenseNetwork
    x: tuple[Array, Array]
    t: tuple[Array, Array]

    def run(self, run: Callable[[State], Gradients]) -> Gradients:
        """Return the gradients of the second batch by `run`, which is first run on the other."""
        traces = [self.network.forward(x) for x in self.x]
        state = batch_state(self.network, traces[0], self.t[0])
        first = run(self._with_old(state, state))
        before = {**state, "delta": first.delta, "dw": first.w, "db": first.b}
        return run(self._with_old({**before, "a": traces[1].a, "z": traces[1].z, "t": self.t[1]}, before))

    def _with_old(self, state: State, before: State) -> State:
        w = self.network.w
        return {
            **state,
            **{"old_a": before["a"], "old_z": before["z"], "old_t": before["t"]},
            "old_delta": dict(before["delta"]),
            "new_w": {l: w[l] - 0.1 * (1 + abs(w[l])) for l in w},
        }

    def refute(self, program: Program) -> bool:
        """Return whether `program` fails on the second batch: it stops, or an exact judge disagrees."""
        try:
            with np.errstate(all="ignore"):
                found = self.run(lambda state: run_program(program, state))
        except (LookupError, ValueError, UndefinedSymbol):
            return True
        for judge in EXACT.values():
            true = judge(self.network, self.x[1], self.t[1])
            for ours, theirs in ((found.delta, true.delta), (found.w, true.w), (found.b, true.b)):
                if ours.keys() != theirs.keys():
                    return True
                if any(ours[l].shape != theirs[l].shape for l in theirs):
                    return True
                if any(not relative_error(ours[l], theirs[l]) <= TOLERANCE for l in theirs):
                    return True
        return False


def two_batches(network: DenseNetwork, examples: int = 4, seed: int = 0) -> Batches:
    """Draw two batches for `network`."""
    rng = np.random.default_rng(seed)
    sizes = network.sizes
    x = rng.normal(size=(2, examples, sizes[0]))
    t = [network.loss_record.draw(rng, (examples, sizes[-1])) for _ in range(2)]
    return Batches(network, (x[0], x[1]), (t[0], t[1]))
