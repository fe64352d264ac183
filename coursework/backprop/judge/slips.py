"""What can go wrong in a formula, in words."""

from __future__ import annotations

from dataclasses import dataclass

#: Kind of slip: what is wrong, and how likely it is to be made (small numbers are likelier).
KINDS: dict[str, tuple[str, float]] = {
    "layer": ("a superscript names the wrong layer", 1.0),
    "index": ("an index names the wrong unit", 1.0),
    "swap": ("the two indices of a weight are swapped", 0.8),
    "unbound": ("an index is bound nowhere", 0.5),
    "symbol": ("one quantity stands where another belongs", 1.2),
    "derivative": ("a function stands where its derivative belongs, or the other way round", 0.9),
    "activation": ("the answer is for another activation", 0.6),
    "missing factor": ("a factor is missing", 1.0),
    "extra factor": ("there is a factor too many", 1.0),
    "missing term": ("a term is missing", 1.1),
    "extra term": ("there is a term too many", 1.1),
    "sign": ("a sign is wrong", 0.8),
    "constant": ("a constant factor is wrong", 0.9),
    "power": ("a power is wrong", 1.0),
    "missing sum": ("a sum is missing", 1.0),
    "extra sum": ("a sum stands where one term belongs", 1.0),
    "sum of products": ("a product of sums stands where a sum of products belongs", 0.9),
    "sum or product": ("a sum stands where a product belongs, or the other way round", 1.0),
    "bound": ("a bound of a sum or product is wrong", 1.0),
    "scope": ("a factor stands on the wrong side of a sum's or product's reach", 0.9),
    "parenthesis": ("a parenthesis is missing or misplaced", 0.9),
    "fraction": ("a fraction is upside down, or a product where a quotient belongs", 1.1),
    "partial sign": ("a partial sign is missing", 0.5),
    "transpose": ("an array has to be transposed", 0.8),
    "matrix product": ("@ and * are confused", 1.0),
    "order": ("the operands of a matrix product are in the wrong order", 1.0),
}


@dataclass(frozen=True)
class Slip:
    """One slip.

    Attributes
    ----------
    kind : a key of `KINDS`.
    found : the typed part, as LaTeX.
    mend : what belongs there, as LaTeX.
    advice : how to mend it, a sentence with the formulas between dollar signs.
    """

    kind: str
    found: str
    mend: str
    advice: str

    @property
    def what(self) -> str:
        """What is wrong, without saying where."""
        return KINDS[self.kind][0]
