"""What the judges found, array by array, and whether it is enough."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from coursework.backprop.activations import Array
from coursework.backprop.finding import RESOLVES, Finding, Kink, WrongGradient

#: So many judges must confirm an array before it counts as right.
CONFIRMATIONS = 2

#: Why judges cannot tell, and what to do about it.
NOT_FINITE = "in {arrays} a number is not finite: take smaller weights or inputs"
LOST = (
    "in {arrays} the judges' own errors may be as large as what they judge: take other weights or inputs, "
    "away from saturation and from kinks"
)
TOO_SMALL = "in {arrays} a number is below {least:.0e}, where {number} runs out of digits: {remedy}"
REMEDIES = {
    "float32": "certify in_double(network), the same numbers in float64",
    "float64": "take fewer layers or larger weights",
}


class NotCertified(WrongGradient):
    """Nothing was found wrong, but too few judges could tell."""


@dataclass(frozen=True)
class Certificate:
    """The findings on one network at one batch.

    Attributes
    ----------
    findings : every judge's on every array.
    kinks : the ReLUs that stand too near to 0; empty for smooth activations.
    number : the network's type of number.
    """

    findings: tuple[Finding, ...]
    kinks: tuple[Kink, ...] = ()
    number: str = "float64"

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
        return tuple(what for what, entries in self._open.items() if entries.any())

    @property
    def _open(self) -> dict[str, Array]:
        """Where in each array fewer than `CONFIRMATIONS` judges confirm an entry."""
        confirmed: dict[str, Array] = {}
        for finding in self.findings:
            confirmed[finding.what] = confirmed.get(finding.what, 0) + finding.confirms.astype(int)
        return {what: judges < CONFIRMATIONS for what, judges in confirmed.items()}

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why arrays are unconfirmed, and what to do about it: a sentence for each cause."""
        arrays: dict[str, list[str]] = {TOO_SMALL: [], NOT_FINITE: [], LOST: []}
        for what, entries in self._open.items():
            own = [finding for finding in self.findings if finding.what == what]
            small = np.logical_or.reduce([entries & finding.too_small for finding in own])
            infinite = np.logical_and.reduce([entries & np.isinf(finding.errors) for finding in own]) & ~small
            for cause, where in zip(arrays, (small, infinite, entries & ~small & ~infinite), strict=True):
                arrays[cause] += [what] if where.any() else []
        least, remedy = np.finfo(self.number).smallest_normal / RESOLVES, REMEDIES[self.number]
        return tuple(
            cause.format(arrays=_some(found), least=least, number=self.number, remedy=remedy)
            for cause, found in arrays.items()
            if found
        )

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
            why = "; ".join(self.reasons) or "there is no example: give one row of x and of t at least"
            raise NotCertified(
                f"nothing was found wrong, but not every entry is confirmed by {CONFIRMATIONS} judges: "
                f"{why}{kinks}"
            )
        return self

    def __str__(self) -> str:
        """Return a line for every judge, and why they could not tell where they could not."""
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
        return "\n".join([*lines, *self.reasons, "passed" if self.passed else "NOT passed"])


def _some(things: Sequence[object]) -> str:
    more = f" and {len(things) - 5} more" if len(things) > 5 else ""
    return ", ".join(map(str, things[:5])) + more
