from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from coursework.gradients.chain import LINKS, Networks
from coursework.gradients.ensembles import ChainSpec, draw
from coursework.gradients.exact import exact_pass, largest_possible


def rounded(spec: ChainSpec, count: int, seed: int) -> Networks:
    networks = draw(spec, count, seed)
    w = {layer: np.round(values) for layer, values in networks.w.items()}
    b = {layer: np.round(values) for layer, values in networks.b.items()}
    return Networks(networks.links, networks.activation, w, np.round(networks.x), np.round(networks.t), b)


@pytest.mark.parametrize("links", LINKS)
@pytest.mark.parametrize(("depth", "scale", "kind"), [(5, 2.0, np.int64), (30, 40.0, object)])
def test_whole_number_gradients_are_those_worked_number_by_number(
    links: str, depth: int, scale: float, kind: type, exact_gradients: Callable[..., dict]
) -> None:
    networks = rounded(ChainSpec(depth, links, "relu", scale=scale, bias_scale=scale), 6, seed=1)
    done = exact_pass(networks)
    for member in range(6):
        one = exact_gradients(networks, member, int, lambda a: max(a, 0), lambda a: int(a > 0))
        for (layer, j, k), gradient in one.items():
            found = done.gradient(layer, j, k)
            assert found.dtype == kind
            assert int(found[member]) == gradient


def test_no_number_of_a_pass_exceeds_the_bound() -> None:
    networks = rounded(ChainSpec(6, "full", "relu", scale=2.0, bias_scale=1.0, width=3), 500, seed=2)
    done = exact_pass(networks)
    numbers = [*done.a.values(), *done.z.values(), *done.delta.values()]
    numbers += [done.gradients(layer) for layer in networks.w]
    assert max(int(np.abs(values).max()) for values in numbers) <= largest_possible(networks) < 2**62


def test_numbers_that_are_not_whole_and_other_activations_are_refused() -> None:
    with pytest.raises(ValueError, match="needs whole numbers"):
        exact_pass(draw(ChainSpec(4, activation="relu"), 2, seed=1))
    with pytest.raises(ValueError, match="'sigmoid' does not keep"):
        exact_pass(rounded(ChainSpec(4), 2, seed=1))
