"""What a slip can make of a part of a formula, and of a formula in every place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

from coursework.backprop.expression import Difference, Expression, Number, Product, Quotient
from coursework.backprop.functions import Function
from coursework.backprop.series import Prod
from coursework.backprop.sums import Sum
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


def symbols(*kinds: type[Symbol]) -> Callable[[Callable[[Any], Iterable[Expression]]], Change]:
    """Return a decorator: the change is made of symbols of these kinds only."""

    def only(change: Callable[[Any], Iterable[Expression]]) -> Change:
        return lambda part: change(part) if isinstance(part, kinds) else ()

    return only


def without(*kinds: type[Expression]) -> Change:
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


def twice(*kinds: type[Expression]) -> Change:
    def change(part: Expression) -> Iterator[Expression]:
        if isinstance(part, Product):
            yield from (Product((*part.factors, f)) for f in part.factors if isinstance(f, kinds))

    return change


def moved(by: int, *kinds: type[Symbol]) -> Change:
    def change(symbol: Any) -> Iterator[Expression]:
        # x, t and y have one layer each, which is not printed
        if not isinstance(symbol, X | T | Y):
            yield replace(symbol, l=symbol.l + by)

    return symbols(*kinds)(change)


def as_kind(source: type[Symbol], kind: type[Expression]) -> Change:
    return lambda part: (kind(part.l, part.j),) if type(part) is source else ()  # type: ignore[call-arg]


def sums(change: Callable[[Sum], Iterable[Expression]]) -> Change:
    return lambda part: change(part) if isinstance(part, Sum) else ()


def products(change: Callable[[Prod], Iterable[Expression]]) -> Change:
    return lambda part: change(part) if isinstance(part, Prod) else ()


def bound_by(by: int) -> Change:
    return sums(lambda s: (replace(s, last=s.last + by),) if isinstance(s.last, int) else ())


def split_sum(part: Sum) -> Iterator[Expression]:
    if isinstance(part.body, Product):
        sums = tuple(replace(part, body=factor) for factor in part.body.factors)
        yield Product(sums)


def free_for_bound(part: Sum) -> Iterator[Expression]:
    """Yield the sum with a letter or a number that is fixed in it where its own letter stands once."""
    fixed = {s.j for s in part.body.walk() if isinstance(s, Symbol) and s.j != part.letter}

    def change(symbol: Any) -> Iterator[Expression]:
        for name in ("j", "k"):
            if getattr(symbol, name, None) == part.letter:
                yield from (replace(symbol, **{name: index}) for index in fixed)

    for body in everywhere(part.body, symbols(A, Z, Delta, W, T, Y)(change)):
        yield replace(part, body=body)


def bound_for_free(part: Sum) -> Iterator[Expression]:
    """Yield the sum with its own letter where a fixed index stands."""

    def change(symbol: Any) -> Iterator[Expression]:
        for name in ("j", "k"):
            index = getattr(symbol, name, None)
            if index is not None and index != part.letter:
                yield replace(symbol, **{name: part.letter})

    for body in everywhere(part.body, symbols(A, Z, Delta, HPrime, W, Y)(change)):
        yield replace(part, body=body)


def into_the_product(part: Expression) -> Iterator[Expression]:
    """Yield z (or x) moved from before a product over the layers into it."""
    if isinstance(part, Product) and isinstance(part.factors[-1], Prod):
        product = part.factors[-1]
        for i, factor in enumerate(part.factors[:-1]):
            if isinstance(factor, Z | X):
                rest = (*part.factors[:i], *part.factors[i + 1 : -1])
                yield Product((*rest, replace(product, body=factor * product.body)))


def out_of_the_product(*kinds: type[Symbol]) -> Change:
    def change(part: Prod) -> Iterator[Expression]:
        if isinstance(part.body, Product):
            inside = tuple(f for f in part.body.factors if not isinstance(f, kinds))
            for f in part.body.factors:
                if isinstance(f, kinds):
                    yield Product((replace(f, l=part.first), replace(part, body=Product(inside))))

    return products(change)


def put_off(part: Expression) -> Iterator[Expression]:
    """Yield w_kj h'(a_j) as w_kj h'(a_k): the derivative at the unit above."""
    if isinstance(part, Sum) and isinstance(part.body, Product):
        above = symbols(HPrime)(lambda h: (replace(h, l=h.l + 1, j=part.letter),))
        for body in everywhere(part.body, above):
            yield replace(part, body=body)


def denominator(part: Expression) -> Iterator[Expression]:
    if isinstance(part, Quotient):
        yield part.over


def own_left_out(part: Expression) -> Iterator[Expression]:
    if isinstance(part, Quotient) and isinstance(part.under, Sum):
        yield Quotient(part.over, Difference(part.under, part.over))


def other_function(part: Expression) -> Iterator[Expression]:
    if isinstance(part, Function):
        yield from (replace(part, name=name) for name in ("exp", "sigmoid") if name != part.name)


def softmax_as_sigmoid(part: Expression) -> Iterator[Expression]:
    if isinstance(part, Quotient) and isinstance(part.over, Function):
        yield Function("sigmoid", part.over.argument)


def slope_of_the_output(part: Expression) -> Iterator[Expression]:
    """Yield (y - t) y (1 - y): what squared error would make of a sigmoid output."""
    if isinstance(part, Difference) and isinstance(part.right, T):
        yield Product((part, part.left, Number(1) - part.left))
