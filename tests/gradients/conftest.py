from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from coursework.gradients.chain import Networks

Function = Callable[[Any], Any]


def _exact_gradients(
    networks: Networks, member: int, number: Function, h: Function, slope: Function
) -> dict[Any, Any]:
    depth, width = networks.depth, networks.x.shape[0]
    w: dict[Any, Any] = {}
    for layer in range(1, depth + 1):
        for j in range(1, (1 if layer == depth else width) + 1):
            for k in range(1, width + 1):
                if networks.links == "full" or layer == depth or j == k:
                    w[layer, j, k] = number(networks.weight(layer, j, k)[member])
    z: dict[Any, Any] = {(1, k + 1): number(x) for k, x in enumerate(networks.x[:, member])}
    a: dict[Any, Any] = {}
    for layer in range(1, depth + 1):
        for j in range(1, (1 if layer == depth else width) + 1):
            bias = number(networks.b[layer][j - 1, member]) if networks.b else number(0)
            inputs = [w[layer, j, k] * z[layer, k] for k in range(1, width + 1) if (layer, j, k) in w]
            a[layer + 1, j] = bias + sum(inputs)
            if layer < depth:
                z[layer + 1, j] = h(a[layer + 1, j])
    delta: dict[Any, Any] = {(depth + 1, 1): a[depth + 1, 1] - number(networks.t[member])}
    for layer in range(depth, 1, -1):
        for k in range(1, width + 1):
            back = [w[layer, j, k] * delta[layer + 1, j] for j in range(1, width + 1) if (layer, j, k) in w]
            delta[layer, k] = slope(a[layer, k]) * sum(back)
    return {(layer, j, k): delta[layer + 1, j] * z[layer, k] for layer, j, k in w}


@pytest.fixture
def exact_gradients() -> Callable[..., dict[Any, Any]]:
    """dE/dw_jk^(l) of one network by (l, j, k), number by number in any arithmetic (mpmath, int)."""
    return _exact_gradients
