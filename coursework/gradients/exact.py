"""Gradients of networks of whole numbers in whole numbers: what is zero here is zero."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from coursework.gradients.arithmetic import Arithmetic
from coursework.gradients.chain import Networks, Pass, Trace, propagate
from coursework.gradients.scaled import Scaled

Whole = NDArray[Any]

#: Activations under which whole numbers stay whole: h and h'.
_WHOLE = {
    "relu": (lambda a: np.maximum(a, 0), lambda a, z: (a > 0).astype(a.dtype)),
    "identity": (lambda a: a, lambda a, z: np.ones_like(a)),
}


def largest_possible(networks: Networks) -> int:
    """Return a bound on every number of a pass, the gradients included, as a Python int.

    With c_l = (units of l) max |w^(l)|, |a^(l+1)| <= c_l |z^(l)| + |b^(l)|, and on the way back
    |delta^(l)| <= (units of l+1) max |w^(l)| |delta^(l+1)|.
    """
    z = [_largest(networks.x)]
    for l, w in networks.w.items():
        fan = 1 if networks.in_rows(l) else networks.units(l)
        z.append(fan * _largest(w) * z[-1] + (_largest(networks.b[l]) if networks.b else 0))
    bound = delta = z[-1] + _largest(networks.t)
    for l in range(networks.depth, 0, -1):
        bound = max(bound, delta * z[l - 1], z[l])
        fan = 1 if networks.in_rows(l) else networks.units(l + 1)
        delta = max(1, fan * _largest(networks.w[l])) * delta
    return max(bound, delta)


def _largest(values: NDArray[Any]) -> int:
    return int(np.abs(values).max())


def exact_pass(networks: Networks) -> Pass[Whole]:
    """Run networks whose weights, biases, inputs and targets are whole numbers without any rounding.

    In int64 where no number of the pass can exceed it, else in Python's unlimited ints.

    Raises
    ------
    ValueError
        for numbers that are not whole, an activation other than "relu" and "identity", cures or several
        examples.
    """
    networks.require_plain("exact arithmetic")
    if networks.activation not in _WHOLE:
        raise ValueError(f"{networks.activation!r} does not keep whole numbers whole: use relu or identity")
    if not _all_whole(networks):
        raise ValueError("exact arithmetic needs whole numbers, and some of the network's are not")
    kind: type = np.int64 if largest_possible(networks) < 2**62 else object

    def lift(values: Any) -> Whole:
        return np.asarray(np.vectorize(int, otypes=[kind])(values))

    value, slope = _WHOLE[networks.activation]
    number = Arithmetic(lift, value, slope, lambda x: x == 0, _no_root)
    return propagate(networks, number)


def _all_whole(networks: Networks) -> bool:
    everything = (networks.x, networks.t, *networks.w.values(), *networks.b.values())
    return all(np.array_equal(values, np.round(values)) for values in everything)


def certain(trace: Trace) -> Trace:
    """Return the trace with every sign and every zero as whole-number arithmetic has them.

    A trace keeps 53 bits. Where a batch of whole numbers under "relu" or "identity" may need more, it is run
    again by `exact_pass` and then rounded; every other trace is returned as it is.
    """
    networks = trace.networks
    if networks.activation not in _WHOLE or not _all_whole(networks):
        return trace
    if largest_possible(networks) < 2**53:
        return trace
    exact = exact_pass(networks)
    layers = (exact.a, exact.z, exact.delta)
    a, z, delta = ({l: Scaled.of_whole(numbers) for l, numbers in layer.items()} for layer in layers)
    return Trace(networks, a, z, delta)


def _no_root(x: Any, mask: Any) -> Any:
    raise ValueError("whole numbers have no square root here")
