"""The assignment's questions: which derivative is asked for, in which network, at which layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

from coursework.backprop.judge.draws import LIVE, Draws, draws, network_draws
from coursework.backprop.judge.layout import BIPARTITE, CHAINS, NETWORK, Layout
from coursework.backprop.judge.tree import Index, Node, Partial, Ref, free_letters

#: Values of the letters at which a formula is compared.
Point = Mapping[str, int]


class UnknownQuestion(ValueError):
    """There is no such question; the message lists those there are."""


@dataclass(frozen=True)
class Asked:
    """What a formula is compared with.

    Attributes
    ----------
    target : the derivative, a tree without a typed formula in it.
    activation : of the hidden units.
    points : the letters' values at which it must hold; at the first one slips are searched.
    further : points at which the usual formula names units that do not exist; it need not hold there.
    own : the target's own names; a formula that contains one answers with the question.
    """

    target: Node
    layout: Layout
    activation: str
    points: tuple[Point, ...]
    further: tuple[Point, ...] = ()
    own: tuple[Node, ...] = ()

    def __hash__(self) -> int:  # points are dictionaries
        return hash((self.target, self.layout.L, self.activation))

    def draws(self, activation: str | None = None, seed: int = 0, biases: bool = True) -> Draws:
        """Return networks of this layout, with the question's activation or another."""
        return _draws(self.layout, activation or self.activation, seed, biases)

    def few_draws(self, activation: str) -> Draws:
        """Return the draws by which slips are searched: two, and for ReLU those with a dead unit near."""
        return _few_draws(self.layout, activation)

    def by(self, target: Node) -> Asked:
        """Return the same with another target, its free unit letters ranging over their layer."""
        letters = sorted(free_letters(target) - {"l", "L"})
        ranges = [range(1, _units(self.layout, target, letter) + 1) for letter in letters]
        points = tuple(
            {**point, **dict(zip(letters, values, strict=True))}
            for values in product(*ranges)
            for point in self.points
        )
        return Asked(target, self.layout, self.activation, points)


def _units(layout: Layout, target: Node, letter: str) -> int:
    refs = (target.top, target.bottom) if isinstance(target, Partial) else (target,)
    for ref in refs:
        if isinstance(ref, Ref) and ref.layer and Index(letter) in ref.units:
            return layout.units(ref.layer.offset + (ref.name == "w" and ref.units[0] == Index(letter)))
    return 1


@dataclass(frozen=True)
class Question:
    """One question.

    Attributes
    ----------
    bottom : the quantity by which the loss is derived.
    answer : the formula that mends an answer, as LaTeX.
    """

    id: str
    bottom: Ref
    layout: Layout
    activation: str
    answer: str

    @property
    def target(self) -> Partial:
        """The derivative asked for."""
        return Partial(Ref("E"), self.bottom)

    @property
    def own_names(self) -> tuple[Node, ...]:
        """The derivative asked for, as it is written, and as a delta where it is one."""
        delta = Ref("delta", self.bottom.layer, self.bottom.units)
        return (self.target, delta) if self.bottom.name == "a" else (self.target,)

    @property
    def asked(self) -> Asked:
        """What the answer is compared with."""
        L = self.layout.L
        if self.layout is NETWORK:
            return Asked(self.target, self.layout, self.activation, ({"L": L},), own=self.own_names)
        last = L - 4 if self.layout is BIPARTITE else L - 1
        layers = [l for l in (L - 4, L - 3, L - 2, L - 1, 1, 2, 77) if l <= last]
        return Asked(
            self.target,
            self.layout,
            self.activation,
            tuple({"L": L, "l": l} for l in layers),
            tuple({"L": L, "l": l} for l in range(last + 1, L)),
            self.own_names,
        )


def _at(name: str, layer: int | str, *units: int) -> Ref:
    index = Index(layer) if isinstance(layer, str) else Index("", layer)
    return Ref(name, index, tuple(Index("", unit) for unit in units))


_CHAIN = r"(a_{1}^{(153)}-t_{n})\,z_{1}^{(l)}\prod_{m=l+1}^{152}w_{11}^{(m)}\,"
QUESTIONS: dict[str, Question] = {
    question.id: question
    for question in (
        Question("1.1", _at("a", 4, 1), NETWORK, "sigmoid", r"a_{1}^{(4)}-t_{n}"),
        Question("1.2", _at("w", 3, 1, 2), NETWORK, "sigmoid", r"\delta_{1}^{(4)}\,z_{2}^{(3)}"),
        Question(
            "1.3", _at("a", 3, 1), NETWORK, "sigmoid", r"h'(a_{1}^{(3)})\,w_{11}^{(3)}\,\delta_{1}^{(4)}"
        ),
        Question("1.4", _at("w", 2, 1, 1), NETWORK, "sigmoid", r"\delta_{1}^{(3)}\,z_{1}^{(2)}"),
        Question(
            "1.5", _at("a", 2, 1), NETWORK, "sigmoid",
            r"h'(a_{1}^{(2)})\sum_{k=1}^{3}w_{k1}^{(2)}\,\delta_{k}^{(3)}",
        ),
        Question("1.6", _at("w", 1, 1, 1), NETWORK, "sigmoid", r"\delta_{1}^{(2)}\,x_{1}"),
        Question("2.1", _at("w", "l", 1, 1), CHAINS, "sigmoid", _CHAIN + r"h'(a_{1}^{(m)})"),
        Question("2.2", _at("w", "l", 1, 1), CHAINS, "sigmoid", _CHAIN + r"\sigma'(a_{1}^{(m)})"),
        Question("2.3", _at("w", "l", 1, 1), CHAINS, "relu", _CHAIN + r"[a_{1}^{(m)}>0]"),
        Question(
            "2.4", _at("w", "l", 1, 1), BIPARTITE, "relu",
            r"[a_{1}^{(l+1)}>0]\,\Bigl(\sum_{k=1}^{2}w_{k1}^{(l+1)}\,\delta_{k}^{(l+2)}\Bigr)z_{1}^{(l)}",
        ),
    )
}  # fmt: skip


def question(name: str) -> Question:
    """Return the question called `name`; `UnknownQuestion` lists those there are."""
    try:
        return QUESTIONS[name]
    except KeyError:
        raise UnknownQuestion(f"there is no question {name!r}; take one of {', '.join(QUESTIONS)}") from None


@lru_cache(maxsize=16)
def _few_draws(layout: Layout, activation: str) -> Draws:
    drawn = _draws(layout, activation, 0, True)
    dead = drawn.count - LIVE
    near = dead if layout is NETWORK else dead // 2  # those of the late layers, where the search is
    return drawn.some([0, 1, *range(drawn.count - near, drawn.count)])


@lru_cache(maxsize=32)
def _draws(layout: Layout, activation: str, seed: int, biases: bool) -> Draws:
    if layout is NETWORK:
        return network_draws(activation, seed, biases)
    dead: tuple[tuple[int, int], ...] = ()
    if activation == "relu":  # one dead unit a draw, at the layers that the compared l reach
        rows = (1,) if layout is CHAINS else (1, 2)
        dead = tuple((m, j) for m in (2, 3, 77, 78, 149, 150, 151, 152) for j in rows)
    return draws(layout, activation, seed=seed, dead=dead)
