"""Which layers, units and weights a question's network has."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Layout:
    """A network of the assignment.

    Attributes
    ----------
    sizes : units of the layers 1 to L.
    links : "full", or "chains" where each unit leads only to the next in its row until the rows meet.
    row : the unit that is meant where none is typed (the top row of the two chains); 0 for none.
    """

    sizes: tuple[int, ...]
    links: str = "full"
    row: int = 0

    @property
    def L(self) -> int:
        """The number of layers."""
        return len(self.sizes)

    def units(self, l: int) -> int:
        """Return the number of units of layer `l`, 0 for a layer that does not exist."""
        return self.sizes[l - 1] if 1 <= l <= self.L else 0

    def has(self, name: str, l: int, units: tuple[int, ...]) -> bool:
        """Return whether the quantity `name` exists there."""
        if name == "w":
            j, k = units
            inside = 1 <= l < self.L and 1 <= j <= self.units(l + 1) and 1 <= k <= self.units(l)
            return inside and (self.links == "full" or j == k or l == self.L - 1)
        lowest = 1 if name in ("z", "x") else 2
        return lowest <= l <= (1 if name == "x" else self.L) and 1 <= units[0] <= self.units(l)


NETWORK = Layout((3, 3, 3, 1))
CHAINS = Layout((2,) * 152 + (1,), links="chains", row=1)
BIPARTITE = Layout((2,) * 152 + (1,), row=1)
