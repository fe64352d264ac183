"""Unicode mathematics spelled as LaTeX is, every character with the place it was typed at."""

from __future__ import annotations

import unicodedata

_SPELLED = {
    "·": "*", "⋅": "*", "×": "*", "∗": "*", "•": "*", "⊙": "*", "∘": "*", "÷": "/", "−": "-", "–": "-",
    "′": "'", "’": "'", "ʹ": "'", "″": "''", "≡": "=", "⟨": "(", "⟩": ")", "∣": "|", "‖": "|",
    "δ": " delta ", "Δ": " delta ", "σ": " sigma ", "ς": " sigma ", "Σ": " sum ", "∑": " sum ",
    "Π": " prod ", "∏": " prod ", "∂": " partial ", "φ": " phi ", "ϕ": " phi ", "Θ": " Theta ",
    "θ": " theta ", "ω": " omega ", "½": "(1/2)", "¼": "(1/4)", "𝟙": " Ind ", "√": " sqrt ", "\u00a0": " ",
    "⋯": "…", "ℎ": "h", "⟺": "⇔", "↔": "⇔", "⩽": "≤", "⩾": "≥",
}  # fmt: skip
_SUBSCRIPTS = dict(zip("₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ᵢⱼₖₗₘₙ", "0123456789+-=()ijklmn", strict=True))
_SUPERSCRIPTS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁱʲᵏˡᵐⁿᴸ", "0123456789+-()ijklmnL", strict=True))
_SCRIPTS = ((_SUBSCRIPTS, "_"), (_SUPERSCRIPTS, "^"))


def spelled(text: str) -> tuple[str, list[int]]:
    """Return `text` without Unicode's mathematics, and for each character the place of its origin."""
    if text.isascii():
        return text, list(range(len(text) + 1))
    written: list[str] = []
    places: list[int] = []
    place = 0
    while place < len(text):
        end = place + 1
        for table, mark in _SCRIPTS:
            if text[place] in table:
                while text[end : end + 1] in table:
                    end += 1
                shown = mark + "{" + "".join(table[c] for c in text[place:end]) + "}"
                break
        else:
            shown = _letter(text[place])
        written.append(shown)
        places += [place] * len(shown)
        place = end
    return "".join(written), [*places, len(text)]


def _letter(character: str) -> str:
    if character not in _SPELLED and "\U0001d400" <= character <= "\U0001d7ff":  # 𝑎, 𝛿: letters in a font
        character = unicodedata.normalize("NFKC", character)
    return _SPELLED.get(character, character)
