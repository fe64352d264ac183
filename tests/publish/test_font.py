"""The font that a page's formulas are drawn with."""

import base64
import io

from fontTools.ttLib import TTFont

from coursework.publish.font import characters_of, font_for
from coursework.publish.mathematics import to_mathml


def test_the_italic_letters_that_a_browser_shows_are_kept() -> None:
    characters = characters_of(to_mathml(r"h(\pi) = \partial", display=False))
    assert {"ℎ", "𝜋", "𝜕", "π", "h"} <= set(characters)
    assert "𝜛" not in characters  # the variant of pi is another letter


def test_the_radical_that_no_text_contains_is_kept_with_its_larger_forms() -> None:
    address = font_for(characters_of(to_mathml(r"\sqrt{x}", display=False)))
    head, _, encoded = address.partition(",")
    font = TTFont(io.BytesIO(base64.b64decode(encoded)))
    assert head == "data:font/woff2;base64"
    assert 0x221A in font.getBestCmap()
    assert 0x1D465 in font.getBestCmap()
    assert "MATH" in font
    constructions = font["MATH"].table.MathVariants.VertGlyphCoverage.glyphs
    assert font.getBestCmap()[0x221A] in constructions


def test_the_same_characters_give_the_same_bytes() -> None:
    font_for.cache_clear()
    first = font_for("abc")
    font_for.cache_clear()
    assert font_for("abc") == first
