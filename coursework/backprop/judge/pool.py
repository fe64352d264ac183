"""The quantities that may be meant somewhere in a formula: what a wrong one is exchanged with."""

from __future__ import annotations

from collections.abc import Iterator

from coursework.backprop.judge.layout import NETWORK, Layout
from coursework.backprop.judge.tree import Apply, Index, Negative, Node, Ref, add

ERROR = add([Ref("y"), Negative(Ref("t"))])


def pool(layout: Layout, letters: tuple[str, ...], *, sigma: bool) -> list[Node]:
    """Return quantities, h' of pre-activations, and the error, at the layers and units near at hand.

    Parameters
    ----------
    letters : bound by the sums and products around the place, "l" included where the question has it.
    sigma : write sigma' for h'.
    """
    found: list[Node] = [ERROR, Ref("t"), Ref("y")]
    derived = "sigma'" if sigma else "h'"
    found += [Ref("x", Index("", 1), (Index("", unit),)) for unit in range(1, layout.units(1) + 1)]
    for name in ("a", "z", "delta", "w"):
        for layer in _layers(layout, letters):
            for units in _units(layout, name, layer, letters):
                ref = Ref(name, layer, units)
                found.append(ref)
                if name == "a":
                    found.append(Apply(derived, ref))
    return found


def _layers(layout: Layout, letters: tuple[str, ...]) -> list[Index]:
    if layout is NETWORK:
        return [Index("", l) for l in range(1, layout.L + 1)]
    around = [Index(letter, step) for letter in letters for step in (-1, 0, 1, 2)]
    return [*around, *(Index("", l) for l in (1, 2, layout.L - 1, layout.L))]


def _units(layout: Layout, name: str, layer: Index, letters: tuple[str, ...]) -> Iterator[tuple[Index, ...]]:
    counted = [Index(letter) for letter in letters if letter != "l"] if layout.links == "full" else []
    numbers = [Index("", unit) for unit in range(1, max(layout.sizes) + 1)]
    singles = [*numbers, *counted]
    if name != "w":
        yield from ((unit,) for unit in singles)
    elif layout.links == "full":
        yield from ((above, below) for above in singles for below in singles)
    else:
        yield from ((unit, unit) for unit in numbers)


def has_units_of(layout: Layout, ref: Ref, place: int) -> int:
    """Return how many units index number `place` of `ref` can name, 0 where the layer is unclear."""
    if ref.layer is None or not ref.units:
        return 0
    if ref.layer.letter:
        return layout.units(2) if layout is not NETWORK else 0
    return layout.units(ref.layer.offset + (ref.name == "w" and place == 0))
