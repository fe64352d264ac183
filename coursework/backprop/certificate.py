"""What the judges found, array by array, and what may be concluded from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from coursework.backprop.activations import Array

#: A judge that must allow more than this relative error cannot tell right from wrong.
RESOLVES = 1e-3

#: So many judges must confirm an array before it counts as right.
CONFIRMATIONS = 2


#: kind ("delta", "w" or "b"), layer, sizes of the entries' terms -> the absolute error of a judge's entries.
Bounds = Callable[[str, int, Array], Array | float]


class WrongGradient(AssertionError):
    """A gradient differs from what a judge found."""


class NotCertified(WrongGradient):
    """Nothing was found wrong, but too few judges could tell."""


@dataclass(frozen=True)
class Finding:
    """What one judge says of one array.

    Attributes
    ----------
    judge, what : who, and of what: "delta[3]".
    errors : of each entry, relative to the sum of the sizes of the terms that it is added up from, so that
        no entry hides behind a larger one; infinite where something is not a number.
    allowances : what the judge's own error may come to, entry by entry; infinite where it cannot tell.
    """

    judge: str
    what: str
    errors: Array | float
    allowances: Array | float

    @property
    def resolves(self) -> Array:
        """Where the judge can tell."""
        return np.asarray(self.allowances) <= RESOLVES

    @property
    def confirms(self) -> Array:
        """Where the judge can tell, and says right."""
        return np.asarray(self.resolves & (np.asarray(self.errors) <= self.allowances))

    @property
    def refutes(self) -> Array:
        """Where the judge can tell, and says wrong."""
        return np.asarray(self.resolves & ~self.confirms)

    @property
    def resolved(self) -> bool:
        """Whether the judge can tell of every entry."""
        return bool(self.resolves.all())

    @property
    def passed(self) -> bool:
        """Whether the judge confirms every entry."""
        return bool(self.confirms.all())

    @property
    def verdict(self) -> str:
        """What the judge says: "right", "wrong" (of some entry) or "cannot resolve" (some entry)."""
        return "wrong" if self.refutes.any() else "right" if self.passed else "cannot resolve"

    @property
    def error(self) -> float:
        """The largest error of an entry, of those that count."""
        return float(np.asarray(self.errors)[self._counts].max())

    @property
    def allowed(self) -> float:
        """What is allowed: where something is wrong the least of it there, else the most of any entry."""
        counted = np.asarray(self.allowances)[self._counts]
        return float(counted.min() if self.refutes.any() else counted.max())

    @property
    def _counts(self) -> Array:
        return self.refutes if self.refutes.any() else np.full(np.shape(self.errors), True)


@dataclass(frozen=True)
class Kink:
    """A ReLU so near to 0 that differences are taken across its kink."""

    layer: int
    unit: int
    example: int
    a: float

    def __str__(self) -> str:
        """Say where, units numbered from 1, examples counted from 0."""
        return f"a_{self.unit}^({self.layer}) of example {self.example} is {self.a:.1e}"


@dataclass(frozen=True)
class Certificate:
    """The findings on one network at one batch.

    Attributes
    ----------
    findings : every judge's on every array.
    kinks : the ReLUs that stand too near to 0; empty for smooth activations.
    """

    findings: tuple[Finding, ...]
    kinks: tuple[Kink, ...] = ()

    def __iter__(self) -> Iterator[Finding]:
        """Go through the findings."""
        return iter(self.findings)

    def __len__(self) -> int:
        """Count the findings."""
        return len(self.findings)

    @property
    def wrong(self) -> tuple[Finding, ...]:
        """The findings that say wrong."""
        return tuple(finding for finding in self.findings if finding.verdict == "wrong")

    @property
    def unconfirmed(self) -> tuple[str, ...]:
        """The arrays with an entry that fewer than `CONFIRMATIONS` judges confirm."""
        confirmed: dict[str, Array] = {}
        for finding in self.findings:
            confirmed[finding.what] = confirmed.get(finding.what, 0) + finding.confirms.astype(int)
        return tuple(what for what, judges in confirmed.items() if (judges < CONFIRMATIONS).any())

    @property
    def passed(self) -> bool:
        """Whether there are findings, none says wrong, and every array is confirmed."""
        return bool(self.findings) and not self.wrong and not self.unconfirmed

    def require(self) -> Certificate:
        """Return self if it passed.

        Raises
        ------
        WrongGradient : naming the judge, the array and the error of everything that is wrong.
        NotCertified : naming the arrays that too few judges could confirm.
        """
        if self.wrong:
            raise WrongGradient(
                "; ".join(
                    f"{f.what} is {f.error:.1e} off {f.judge} (allowed {f.allowed:.0e})" for f in self.wrong
                )
            )
        if not self.passed:
            kinks = f"; near a kink: {_some(self.kinks)}" if self.kinks else ""
            arrays = _some(self.unconfirmed) or "anything, since there is no example"
            raise NotCertified(
                f"fewer than {CONFIRMATIONS} judges can confirm {arrays}: a number there is not finite, or "
                f"smaller than its type can hold; take other weights, fewer layers or float64{kinks}"
            )
        return self

    def __str__(self) -> str:
        """Return a line for every judge."""
        lines = []
        for judge in dict.fromkeys(finding.judge for finding in self.findings):
            own = [finding for finding in self.findings if finding.judge == judge]
            counts = {
                word: sum(f.verdict == word for f in own) for word in ("right", "wrong", "cannot resolve")
            }
            largest = max((f.error for f in own if f.resolved), default=float("nan"))
            said = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
            lines.append(f"{judge:<20} {said}; largest relative error {largest:.1e}")
        if self.kinks:
            lines.append(f"near a kink: {_some(self.kinks)}")
        return "\n".join([*lines, "passed" if self.passed else "NOT passed"])


def _some(things: Sequence[object]) -> str:
    more = f" and {len(things) - 5} more" if len(things) > 5 else ""
    return ", ".join(map(str, things[:5])) + more


def relative_error(found: Array | float, true: Array | float) -> float:
    """Return max |found - true| / max |true|; two that are all zero agree, NaN agrees with nothing."""
    found, true = np.asarray(found), np.asarray(true)
    if found.shape != true.shape:
        raise WrongGradient(f"a gradient of shape {found.shape} cannot be compared with one of {true.shape}")
    difference = largest(found - true)
    if difference == 0:
        return 0.0
    scale = largest(true)
    return difference / scale if scale > 0 and difference == difference else float("inf")


def largest(array: Array) -> float:
    """Return max |array|, NaN if there is one in it."""
    return float(np.max(np.abs(array), initial=0.0))
