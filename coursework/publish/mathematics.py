"""LaTeX to MathML while a page is built, so that it needs no script and no network to show formulas."""

from __future__ import annotations

import html
import re

from bs4 import BeautifulSoup
from math_core import LatexError, LatexToMathML

_CONVERTER = LatexToMathML(fancy_error=False)

#: Delimited mathematics inside HTML: `$$...$$`, `\[...\]`, `$...$`, `\(...\)`.
_DELIMITED = re.compile(
    r"(?<!\\)\$\$(?P<display_tex>.+?)(?<!\\)\$\$"
    r"|\\\[(?P<display_latex>.+?)\\\]"
    r"|(?<![\\$])\$(?P<inline_tex>[^$\n]+?)(?<![\\$])\$"
    r"|\\\((?P<inline_latex>.+?)\\\)",
    re.DOTALL,
)

#: What math-core 0.9 puts over the argument of `\overline`: a low line that no browser stretches.
_LOW_LINE = "\u0332"


class FormulaError(ValueError):
    """A formula that cannot be shown as mathematics."""


def to_mathml(latex: str, *, display: bool) -> str:
    """Return `latex`, without its dollar signs, as a `<math>` element.

    Raises
    ------
    FormulaError
        The converter refuses the formula, or an inline one has a space next to its dollar sign, as
        two amounts of money in one line have.
    """
    if not display and latex != latex.strip():
        raise FormulaError(
            f"${latex}$ starts or ends with a space: write \\$ for a dollar sign, "
            "or take the space out if it is a formula"
        )
    latex = latex.strip()
    try:
        mathml = _CONVERTER.convert_with_local_state(latex, displaystyle=display)
    except LatexError as error:
        place, _, reason = str(error).partition(": ")
        rest = latex[int(place) :][:20] if place.isdigit() else ""
        raise FormulaError(f"${latex}$: {reason} (at “{rest}”)") from None
    return _draw_overlines(mathml) if _LOW_LINE in mathml else mathml


def _draw_overlines(mathml: str) -> str:
    r"""Return `mathml` with the lines of `\overline` left to the style sheet."""
    formula = BeautifulSoup(mathml, "html.parser")
    for line in formula.find_all("mo", string=_LOW_LINE):
        if line.parent is not None:
            line.parent.name, line.parent.attrs = "mrow", {"class": "overline"}
            line.decompose()
    return str(formula)


def convert_delimited(text: str) -> str:
    """Return `text`, a piece of HTML between two tags, with its delimited formulas as MathML."""

    def replace(match: re.Match[str]) -> str:
        kind = match.lastgroup or ""
        return to_mathml(html.unescape(match[kind]), display=kind.startswith("display"))

    return _DELIMITED.sub(replace, text)
