"""Slips that are made in derivations, each a change of a formula, applied wherever it applies.

The proof must refute every formula that a slip makes of a right one; what share it refutes is its mutation
score.  `line_mutations` has the slips that are made in the lines of numpy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

from coursework.backprop.expression import (
    Difference,
    Expression,
    Number,
    Product,
    Quotient,
    Sum,
)
from coursework.backprop.functions import Function, Negative, Same
from coursework.backprop.series import Prod, Units
from coursework.backprop.slopes import SLOPES, slope
from coursework.backprop.symbols import A, B, Delta, HPrime, Partial, Symbol, T, W, X, Y, Z

#: What a slip can make of one part of a formula.
Change = Callable[[Expression], Iterable[Expression]]


@dataclass(frozen=True)
class Slip:
    """A slip: `change` says what it makes of a part, and of which; `whole` if only of a whole formula."""

    name: str
    change: Change
    whole: bool = False

    def of(self, formula: Expression) -> Iterator[Expression]:
        """Yield `formula` with the slip made once, for every place where it can be made."""
        made = self.change(formula) if self.whole else everywhere(formula, self.change)
        yield from (mutant for mutant in made if mutant != formula)


def everywhere(formula: Any, change: Change) -> Iterator[Any]:
    """Yield `formula` with one part of it changed, for every part and every change of it."""
    yield from change(formula)
    for field in fields(formula):
        part = getattr(formula, field.name)
        if isinstance(part, Expression):
            for mutant in everywhere(part, change):
                yield replace(formula, **{field.name: mutant})
        elif isinstance(part, tuple):
            for i, member in enumerate(part):
                for mutant in everywhere(member, change):
                    yield replace(formula, **{field.name: (*part[:i], mutant, *part[i + 1 :])})


@dataclass(frozen=True)
class SlopeOfZ(Symbol):
    """h'(z_j^(l)), a slip for h'(a_j^(l))."""

    letter = "h_prime(z)"

    def latex(self) -> str:
        return f"h'({Z(self.l, self.j).latex()})"

    def code(self) -> str:
        return f"h_prime({Z(self.l, self.j).code()})"


def _symbols(*kinds: type[Symbol]) -> Callable[[Callable[[Any], Iterable[Expression]]], Change]:
    """Return a decorator: the change is made of symbols of these kinds only."""

    def only(change: Callable[[Any], Iterable[Expression]]) -> Change:
        return lambda part: change(part) if isinstance(part, kinds) else ()

    return only


def _without(*kinds: type[Expression]) -> Change:
    def change(part: Expression) -> Iterator[Expression]:
        if isinstance(part, Product):
            for i, factor in enumerate(part.factors):
                if isinstance(factor, kinds) and not is_one(factor):
                    rest = (*part.factors[:i], *part.factors[i + 1 :])
                    yield rest[0] if len(rest) == 1 else Product(rest)

    return change


def is_one(part: Expression) -> bool:
    """Return whether `part` is the derivative of a pre-activation by its own bias: it is 1."""
    return isinstance(part, Partial) and isinstance(part.bottom, B)


def _twice(*kinds: type[Expression]) -> Change:
    def change(part: Expression) -> Iterator[Expression]:
        if isinstance(part, Product):
            yield from (Product((*part.factors, f)) for f in part.factors if isinstance(f, kinds))

    return change


def _moved(by: int, *kinds: type[Symbol]) -> Change:
    def change(symbol: Any) -> Iterator[Expression]:
        # x, t and y have one layer each, which is not printed
        if not isinstance(symbol, X | T | Y):
            yield replace(symbol, l=symbol.l + by)

    return _symbols(*kinds)(change)


def _as_kind(source: type[Symbol], kind: type[Expression]) -> Change:
    return lambda part: (kind(part.l, part.j),) if type(part) is source else ()  # type: ignore[call-arg]


def _sums(change: Callable[[Sum], Iterable[Expression]]) -> Change:
    return lambda part: change(part) if isinstance(part, Sum) else ()


def _products(change: Callable[[Prod], Iterable[Expression]]) -> Change:
    return lambda part: change(part) if isinstance(part, Prod) else ()


def _bound_by(by: int) -> Change:
    return _sums(lambda s: (replace(s, last=s.last + by),) if isinstance(s.last, int) else ())


def _split_sum(part: Sum) -> Iterator[Expression]:
    if isinstance(part.body, Product):
        sums = tuple(replace(part, body=factor) for factor in part.body.factors)
        yield Product(sums)


def _free_for_bound(part: Sum) -> Iterator[Expression]:
    """Yield the sum with a letter or a number that is fixed in it where its own letter stands once."""
    fixed = {s.j for s in part.body.walk() if isinstance(s, Symbol) and s.j != part.letter}

    def change(symbol: Any) -> Iterator[Expression]:
        for name in ("j", "k"):
            if getattr(symbol, name, None) == part.letter:
                yield from (replace(symbol, **{name: index}) for index in fixed)

    for body in everywhere(part.body, _symbols(A, Z, Delta, W, T, Y)(change)):
        yield replace(part, body=body)


def _bound_for_free(part: Sum) -> Iterator[Expression]:
    """Yield the sum with its own letter where a fixed index stands."""

    def change(symbol: Any) -> Iterator[Expression]:
        for name in ("j", "k"):
            index = getattr(symbol, name, None)
            if index is not None and index != part.letter:
                yield replace(symbol, **{name: part.letter})

    for body in everywhere(part.body, _symbols(A, Z, Delta, HPrime, W, Y)(change)):
        yield replace(part, body=body)


def _into_the_product(part: Expression) -> Iterator[Expression]:
    """Yield z (or x) moved from before a product over the layers into it."""
    if isinstance(part, Product) and isinstance(part.factors[-1], Prod):
        product = part.factors[-1]
        for i, factor in enumerate(part.factors[:-1]):
            if isinstance(factor, Z | X):
                rest = (*part.factors[:i], *part.factors[i + 1 : -1])
                yield Product((*rest, replace(product, body=factor * product.body)))


def _out_of_the_product(*kinds: type[Symbol]) -> Change:
    def change(part: Prod) -> Iterator[Expression]:
        if isinstance(part.body, Product):
            inside = tuple(f for f in part.body.factors if not isinstance(f, kinds))
            for f in part.body.factors:
                if isinstance(f, kinds):
                    yield Product((replace(f, l=part.first), replace(part, body=Product(inside))))

    return _products(change)


def _put_off(part: Expression) -> Iterator[Expression]:
    """Yield w_kj h'(a_j) as w_kj h'(a_k): the derivative at the unit above."""
    if isinstance(part, Sum) and isinstance(part.body, Product):
        above = _symbols(HPrime)(lambda h: (replace(h, l=h.l + 1, j=part.letter),))
        for body in everywhere(part.body, above):
            yield replace(part, body=body)


def _denominator(part: Expression) -> Iterator[Expression]:
    if isinstance(part, Quotient):
        yield part.over


def _own_left_out(part: Expression) -> Iterator[Expression]:
    if isinstance(part, Quotient) and isinstance(part.under, Sum):
        yield Quotient(part.over, Difference(part.under, part.over))


def _other_function(part: Expression) -> Iterator[Expression]:
    if isinstance(part, Function):
        yield from (replace(part, name=name) for name in ("exp", "sigmoid") if name != part.name)


def _softmax_as_sigmoid(part: Expression) -> Iterator[Expression]:
    if isinstance(part, Quotient) and isinstance(part.over, Function):
        yield Function("sigmoid", part.over.argument)


def _slope_of_the_output(part: Expression) -> Iterator[Expression]:
    """Yield (y - t) y (1 - y): what squared error would make of a sigmoid output."""
    if isinstance(part, Difference) and isinstance(part.right, T):
        yield Product((part, part.left, Number(1) - part.left))


SLIPS: tuple[Slip, ...] = (
    Slip("the whole has the wrong sign", lambda part: (Negative(part),), whole=True),
    Slip("target minus output", lambda d: (d.right - d.left,) if isinstance(d, Difference) else ()),
    Slip("plus for minus", lambda d: (d.left - Negative(d.right),) if isinstance(d, Difference) else ()),
    Slip("the subtrahend is missing", lambda d: (d.left,) if isinstance(d, Difference) else ()),
    Slip("the 2 of the square is kept", lambda part: (Number(2) * part,), whole=True),
    Slip("the one half is kept", lambda part: (Number(0.5) * part,), whole=True),
    Slip("h' is missing", _without(HPrime)),
    Slip("w is missing", _without(W)),
    Slip("delta is missing", _without(Delta)),
    Slip("z is missing", _without(Z, X)),
    Slip("y is missing", _without(Y)),
    Slip("a derivative of the chain is missing", _without(Partial)),
    Slip("h' twice", _twice(HPrime)),
    Slip("w twice", _twice(W)),
    Slip("delta twice", _twice(Delta)),
    Slip("z twice", _twice(Z, X)),
    Slip(
        "factors added",
        lambda p: (p.factors[0] - Negative(Product(p.factors[1:])),) if isinstance(p, Product) else (),
    ),
    Slip("the weight's indices swapped", _symbols(W)(lambda w: (replace(w, j=w.k, k=w.j),))),
    Slip("the weight of the layer above", _moved(+1, W)),
    Slip("the weight of the layer below", _moved(-1, W)),
    Slip("the delta of the layer above", _moved(+1, Delta)),
    Slip("the delta of the layer below", _moved(-1, Delta)),
    Slip("h' of the layer above", _moved(+1, HPrime)),
    Slip("h' of the layer below", _moved(-1, HPrime)),
    Slip("a of the layer above", _moved(+1, A)),
    Slip("a of the layer below", _moved(-1, A)),
    Slip("z of the layer above", _moved(+1, Z)),
    Slip("z of the layer below", _moved(-1, Z)),
    Slip("a for z", _as_kind(Z, A)),
    Slip("h for h'", lambda part: (Z(part.l, part.j),) if isinstance(part, HPrime) else ()),
    Slip("h' at z, not at a", lambda part: (SlopeOfZ(part.l, part.j),) if isinstance(part, HPrime) else ()),
    Slip("a for h'", lambda part: (A(part.l, part.j),) if isinstance(part, HPrime) else ()),
    Slip("delta for z", _as_kind(Z, Delta)),
    Slip("z for delta", _as_kind(Delta, Z)),
    Slip(
        "the derivative of one activation for that of any",
        lambda part: (slope(h, part) for h in SLOPES if isinstance(part, HPrime)),
    ),
    Slip(
        "the derivative upside down",
        lambda p: (Partial(p.bottom, p.top),) if isinstance(p, Partial) and not is_one(p) else (),
    ),
    Slip("the sum is missing", _sums(lambda s: (s.body,))),
    Slip("the first term for the sum", _sums(lambda s: (s.body.at(s.letter, 1),))),
    Slip("the second term for the sum", _sums(lambda s: (s.body.at(s.letter, 2),))),
    Slip("the mean for the sum", _sums(lambda s: (Quotient(s, replace(s, body=Number(1))),))),
    Slip("the sum stops one short", _bound_by(-1)),
    Slip("the sum goes one too far", _bound_by(+1)),
    Slip(
        "the sum runs over the units of the layer below",
        _sums(lambda s: (replace(s, last=Units(s.last.l - 1)),) if isinstance(s.last, Units) else ()),
    ),
    Slip("a product of sums for the sum of products", _sums(_split_sum)),
    Slip("a fixed index for the sum's own", _sums(_free_for_bound)),
    Slip("the sum's index for the fixed one", _sums(_bound_for_free)),
    Slip("h' at the unit above", _put_off),
    Slip("the product starts one early", _products(lambda p: (replace(p, first=p.first - 1),))),
    Slip("the product starts one late", _products(lambda p: (replace(p, first=p.first + 1),))),
    Slip("the product stops one short", _products(lambda p: (replace(p, last=p.last - 1),))),
    Slip("the product goes one too far", _products(lambda p: (replace(p, last=p.last + 1),))),
    Slip("z inside the product", _into_the_product),
    Slip("h' once, before the product", _out_of_the_product(HPrime)),
    Slip("w once, before the product", _out_of_the_product(W)),
    Slip("the denominator is missing", _denominator),
    Slip("the fraction upside down", lambda q: (q.under / q.over,) if isinstance(q, Quotient) else ()),
    Slip("the softmax leaves its own term out", _own_left_out),
    Slip("the sigmoid for the softmax", _softmax_as_sigmoid),
    Slip("another function", _other_function),
    Slip("the slope of the output kept", _slope_of_the_output),
    Slip("the bracket [k = j] always 1", lambda part: (Number(1),) if isinstance(part, Same) else ()),
    Slip("the bracket [k = j] always 0", lambda part: (Number(0),) if isinstance(part, Same) else ()),
)
