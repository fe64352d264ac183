"""A delta written out: all the way to the output, or in one product where only one path leads there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from coursework.backprop.expression import Difference, Expression, Quotient
from coursework.backprop.functions import Function
from coursework.backprop.layers import Layer, Level
from coursework.backprop.links import is_output, links_from, only_unit, single_path
from coursework.backprop.network import DenseNetwork
from coursework.backprop.series import Among, Prod
from coursework.backprop.sums import Sum
from coursework.backprop.symbols import A, Delta, HPrime, Index, T, TOfMany, W

#: The letters of nested sums, outermost first.
LETTERS = "kmpqrsuvcdfg"

#: Terms of all the nested sums together, above which a delta is left standing.
TERMS = 100_000


def target_of(network: DenseNetwork, j: Index) -> T:
    """Return the target of output unit j."""
    return T(network.L, j) if network.sizes[-1] == 1 else TOfMany(network.L, j)


def output_of(network: DenseNetwork, l: Layer, j: Index, letter: str) -> Expression:
    """Return what the loss takes output unit j for, in terms of a; `letter` is free for a sum."""
    a = A(l, j)
    match network.loss_record.name:
        case "logistic":
            return Function("sigmoid", a)
        case "softmax":
            every = Sum(letter, network.sizes[-1], Function("exp", A(l, letter)))
            return Quotient(Function("exp", a), every)
    return a


def output_delta(network: DenseNetwork, l: Layer, j: Index, letter: str) -> Expression:
    """Return delta_j^(L) in terms of a and t."""
    return Difference(output_of(network, l, j, letter), target_of(network, j))


def written_out(
    network: DenseNetwork, l: int, j: Index, letters: Iterator[str], terms: int = TERMS
) -> Expression:
    """Return delta_j^(l) with the deltas above put in, as far as `letters` and `terms` reach."""
    if is_output(network, l):
        letter = next(letters, None)
        return output_delta(network, l, j, letter) if letter else Delta(l, j)
    bound = links_from(network, l, j)
    if bound == Among(()):
        return HPrime(l, j) * Sum("k", bound, W(l, "k", j) * Delta(l + 1, "k"))
    one = only_unit(bound)
    k: Index | None = next(letters, None) if one is None else one
    terms //= network.sizes[l] if one is None else 1
    if k is None or terms < 1:
        return Delta(l, j)
    term = W(l, k, j) * written_out(network, l + 1, k, letters, terms)
    return HPrime(l, j) * (Sum(k, bound, term) if isinstance(k, str) else term)


def one_product(
    network: DenseNetwork, l: Layer, j: Index, layers: Sequence[int], letter: str
) -> Expression | None:
    """Return delta_j^(l) as delta^(L) times one product over the layers l to L - 1, if one path leads on.

    Parameters
    ----------
    layers : every layer that l stands for.
    letter : is free for a sum.

    Returns
    -------
    None where the signal forks, where it changes its row on the way (but for the last step, into the
    output), or where unit j is any unit.
    """
    if not isinstance(j, int):
        return None
    paths = [single_path(network, layer, j) for layer in layers]
    ends = {path[-1] for path in paths if path}
    if len(ends) != 1 or any(path is None or {j, *path[:-1]} != {j} for path in paths):
        return None
    L: Layer = Level("L") if isinstance(l, Level) else network.L
    end = ends.pop()
    delta = output_delta(network, L, end, letter)
    m = Level("m")
    if end == j:
        return delta * Prod("m", l, L - 1, W(m, j, j) * HPrime(m, j))
    return W(L - 1, end, j) * HPrime(L - 1, j) * delta * Prod("m", l, L - 2, W(m, j, j) * HPrime(m, j))
