"""Points to prove formulas at, with what three judges of gradients find there."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from coursework.backprop.network import DenseNetwork, Gradients
from coursework.backprop.oracles import autograd, central_differences, complex_step, difference_noise
from coursework.backprop.point import DRAWS, ExamplePoint, random_point
from coursework.backprop.symbols import B, Symbol, W

#: Judges that are good to nearly all digits of every number, however small.
EXACT = {"torch autograd": autograd, "complex step": complex_step}

#: All judges of a proof; they share nothing with each other.
JUDGES = {**EXACT, "central differences": central_differences}


def entry(gradients: Gradients, bottom: Symbol) -> float:
    """Return the derivative of the loss by `bottom`, its indices numbers."""
    l, j = int(bottom.l), int(bottom.j) - 1
    if isinstance(bottom, W):
        return float(gradients.w[l][j, int(bottom.k) - 1])
    return float(gradients.b[l][j] if isinstance(bottom, B) else gradients.delta[l][0, j])


class Judged:
    """A point, with what each judge finds there."""

    def __init__(self, point: ExamplePoint) -> None:
        self.point = point

    @cached_property
    def found(self) -> dict[str, Gradients]:
        """The gradients under the names of the judges."""
        point = self.point
        return {name: gradients(point.network, point.x, point.t) for name, gradients in JUDGES.items()}

    @cached_property
    def exact(self) -> Gradients:
        """The gradients by the first of the exact judges."""
        return next(iter(self.found.values()))

    @cached_property
    def noise(self) -> float:
        """What rounding alone may put on a central difference."""
        return difference_noise(self.point.network, self.point.x, self.point.t)


def proof_points(network: DenseNetwork, points: int, seed: int = 0) -> list[Judged]:
    """Draw points of networks that are like `network` but for weights and biases, to prove a formula at.

    Where the units are rectifiers, the first point has live units and dead ones, if the hidden layers are
    wide enough for both.
    """
    if not isinstance(points, int) or points < 1:
        raise ValueError(
            f"points={points}: a proof at no point proves nothing; give 1 or more, a whole number"
        )
    # a stream of its own, so that the point shown on the page is not among them
    rng = np.random.default_rng([seed, points])

    def draw() -> ExamplePoint:
        return random_point(
            network.sizes,
            network.activation.name,
            loss=network.loss_record.name,
            masks=network.masks,
            biases=bool(network.b),
            seed=rng,
        )

    drawn = [draw() for _ in range(points)]
    if network.activation.name == "relu" and min(network.sizes[1:-1], default=1) > 1:
        for _ in range(DRAWS):
            if live_and_dead(drawn[0]):
                break
            drawn[0] = draw()
    return [Judged(point) for point in drawn]


def live_and_dead(point: ExamplePoint) -> bool:
    """Return whether some hidden units are off, and the error comes back to some unit of every layer."""
    hidden = range(2, point.network.L)
    off = any((point.trace.a[l] < 0).any() for l in hidden)
    return off and all(point.gradients.delta[l].any() for l in hidden)
