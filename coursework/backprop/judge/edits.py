"""The edits of one part of a formula, each with the slip that it would mend."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from coursework.backprop.judge.latex import latex
from coursework.backprop.judge.slips import KINDS, Slip
from coursework.backprop.judge.tree import (
    ONE,
    ZERO,
    Apply,
    Divide,
    Index,
    Multiply,
    Negative,
    Node,
    Number,
    Partial,
    Power,
    Ref,
    add,
    multiply,
    normal,
)

_FUNCTION_PAIRS = {
    "h": ("h'", "sigma'"), "h'": ("h",), "sigma": ("sigma'",), "sigma'": ("sigma",),
    "tanh": ("tanh'",), "tanh'": ("tanh",), "relu": ("step",), "step": ("relu",),
}  # fmt: skip


@dataclass(frozen=True)
class Edit:
    """`new` in the place of `old`.

    Attributes
    ----------
    kinds : of the slip that it mends; two for a quantity wrong in two ways.
    extra : how much less likely than a plain slip of the kind it is.
    """

    old: Node
    new: Node
    kinds: tuple[str, ...]
    extra: float = 0.0

    @property
    def cost(self) -> float:
        """The smaller, the likelier."""
        return sum(KINDS[kind][1] for kind in self.kinds) + self.extra

    @property
    def slips(self) -> tuple[Slip, ...]:
        """The slips that the edit mends, in words."""
        return tuple(self._slip(kind) for kind in self.kinds)

    def _slip(self, kind: str) -> Slip:
        found, mend = latex(normal(self.old)), latex(normal(self.new))
        match kind, self.new:
            case "missing factor", Multiply(factors=factors):
                mend = latex(factors[-1])
                return Slip(kind, found, mend, f"multiply by ${mend}$, beside ${found}$")
            case "extra factor", _:
                return Slip(kind, found, mend, f"leave the factor ${found}$ out")
            case "extra term", _:
                return Slip(kind, found, mend, f"leave the term ${found}$ out")
            case "constant", Number(value=1):
                return Slip(kind, found, mend, f"leave the factor ${found}$ out")
            case "sign", _:
                return Slip(kind, found, mend, f"turn the sign of ${found}$")
        return Slip(kind, found, mend, f"write ${mend}$ for ${found}$")


def replacements(node: Node, pool: list[Node]) -> Iterator[Edit]:
    """Yield `node` exchanged with each of `pool`, the slips named after their difference."""
    for other in pool:
        if other != node:
            kinds, extra = _difference(node, other)
            yield Edit(node, other, kinds, extra)


def _difference(old: Node, new: Node) -> tuple[tuple[str, ...], float]:
    match old, new:
        case Ref(), Ref():
            return _ref_difference(old, new)
        case Apply(function=f, argument=Ref() as one), Apply(function=g, argument=Ref() as two):
            kinds, extra = _ref_difference(one, two) if one != two else ((), 0.0)
            return (kinds, extra) if f == g else (("derivative", *kinds), extra)
        case Ref(name="z" | "a") as one, Apply(argument=Ref() as two):
            if one.units == two.units:
                return ("derivative",), 0.0 if one.layer == two.layer else 0.7
        case Apply(argument=Ref() as one), Ref() as two:
            if (one.layer, one.units) == (two.layer, two.units):
                return ("symbol",), 0.0
    return ("symbol",), 1.3 if isinstance(old, Ref | Apply) else 2.0


def _ref_difference(old: Ref, new: Ref) -> tuple[tuple[str, ...], float]:
    """Name what differs in layer, units and name; several differences are less likely than each alone."""
    kinds: list[str] = []
    extra = 0.0
    if old.name != new.name:
        kinds.append("symbol")
        extra += 0.0 if old.units == new.units else 1.3
    if old.layer != new.layer and (old.units == new.units or old.name == new.name):
        kinds.append("layer")
        if old.layer and new.layer and old.layer.letter == new.layer.letter:
            extra += 0.1 * (abs(old.layer.offset - new.layer.offset) - 1)
    if old.name == new.name and old.units != new.units:
        swapped = old.units == new.units[::-1] and len(old.units) == 2
        changed = sum(one != two for one, two in zip(old.units, new.units, strict=True))
        kinds.append("swap" if swapped else "index")
        extra += 0.0 if swapped else 0.8 * (changed - 1)
    return tuple(kinds), extra + 0.4 * (len(kinds) - 1)


def additions(node: Node, pool: list[Node]) -> Iterator[Edit]:
    """Yield `node` multiplied with each of `pool`."""
    for other in pool:
        plain = isinstance(other, Apply) or (isinstance(other, Ref) and other.name != "a")
        rare = (0.0 if plain else 0.5) + isinstance(node, Number)
        yield Edit(node, multiply([node, other]), ("missing factor",), rare)


def changes(node: Node) -> Iterator[Edit]:
    """Yield what can be done to a factor or term without another quantity."""
    number = isinstance(node, Number)
    yield Edit(node, ONE, ("constant",) if number else ("extra factor",))
    yield Edit(node, ZERO, ("extra term",), -0.4 if number else 0.0)
    yield Edit(node, Negative(node), ("sign",))
    yield Edit(node, Power(node, Number(2, "2")), ("power",), 0.3)
    for count in (2.0, 3.0) if not number else ():
        text = f"{count:g}"
        yield Edit(node, multiply([Number(count, text), node]), ("constant",), 0.4 * (count - 2))
        yield Edit(node, Divide(node, Number(count, text)), ("constant",), 0.4 * (count - 2))
    if not number:
        yield Edit(node, add([ONE, Negative(node)]), ("missing term",), 0.2)
    if node != Ref("t"):
        yield Edit(node, add([node, Negative(Ref("t"))]), ("missing term",))
    yield Edit(node, Divide(ONE, node), ("fraction",), 0.3)
    match node:
        case Apply(function=function, argument=argument):
            for other in _FUNCTION_PAIRS.get(function, ()):
                yield Edit(node, Apply(other, argument), ("derivative",))
            yield Edit(node, argument, ("symbol",), 0.5)
        case Number(value=value):
            for new in sorted({0.5, 2.0, value / 2, value * 2} - {value, 1.0, 0.0}):
                yield Edit(node, Number(new, f"{new:g}"), ("constant",), 0.2 * (value == 1))
        case Power(base=base, exponent=Number(value=n)):
            yield Edit(node, base, ("power",))
            yield Edit(node, Power(base, Number(n + 1, f"{n + 1:g}")), ("power",), 0.2)
        case Divide(top=top, bottom=bottom):
            yield Edit(node, Divide(bottom, top), ("fraction",))
            yield Edit(node, multiply([top, bottom]), ("fraction",))
        case Partial():
            yield from _partials(node)


def _partials(node: Partial) -> Iterator[Edit]:
    for side in ("top", "bottom"):
        ref: Ref = getattr(node, side)
        if ref.layer is None:
            continue
        for step in (-1, 1):
            moved = replace(ref, layer=Index(ref.layer.letter, ref.layer.offset + step))
            yield Edit(node, replace(node, **{side: moved}), ("layer",))
        for place in range(len(ref.units)):
            for unit in (1, 2, 3):
                units = tuple(Index("", unit) if i == place else u for i, u in enumerate(ref.units))
                if units != ref.units:
                    yield Edit(node, replace(node, **{side: replace(ref, units=units)}), ("index",))
        if len(ref.units) == 2:
            yield Edit(node, replace(node, **{side: replace(ref, units=ref.units[::-1])}), ("swap",))
