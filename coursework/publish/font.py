"""A mathematics font cut down to what one page shows, as text that a style sheet can hold."""

from __future__ import annotations

import base64
import html
import io
import re
import unicodedata
from functools import cache
from importlib.util import find_spec
from pathlib import Path

#: What MathML draws by itself and no page's text contains: the radical, stretched brackets and bars.
_DRAWN = "√()[]{}|‖⟨⟩⌈⌉⌊⌋‾¯ˆ˜→∑∏∫⏞⏟′″‴−"
_ASCII = "".join(map(chr, range(0x20, 0x7F)))
_HTML_TAG = re.compile(r"<[^>]*>")

#: The italic letter that a browser shows for a letter alone in an `<mi>`; the italic h has a place of
#: its own in Unicode, as Planck's constant.
_ITALIC = {
    chr(int(unicodedata.decomposition(character).split()[1], 16)): character
    for character in map(chr, range(0x1D434, 0x1D7CC))
    if unicodedata.name(character, "").startswith("MATHEMATICAL ITALIC")
} | {"h": "ℎ"}


def characters_of(mathml: str) -> str:
    """Return, sorted, the characters needed to draw the formulas of `mathml`."""
    shown = set(html.unescape(_HTML_TAG.sub("", mathml))) | set(_ASCII) | set(_DRAWN)
    return "".join(sorted(shown | {_ITALIC[letter] for letter in shown if letter in _ITALIC}))


@cache
def font_for(characters: str) -> str:
    """Return STIX Two Math (OFL), reduced to `characters`, as a `data:` address of a WOFF2 font.

    The font comes out of the `ziamath` package. The glyphs that the kept ones grow into (larger
    brackets, longer radicals, letters for scripts) are kept with them.
    """
    from fontTools import subset
    from fontTools.ttLib import TTFont

    # found and not imported: the package draws formulas by itself, which takes it a while to set up
    package = find_spec("ziamath")
    if package is None or package.origin is None:
        raise FileNotFoundError("the ziamath package, which holds the mathematics font, is not installed")
    source = Path(package.origin).parent / "fonts" / "STIXTwoMath-Regular.ttf"
    font = TTFont(source, recalcTimestamp=False)
    options = subset.Options(layout_features=["*"], notdef_outline=True)
    cutter = subset.Subsetter(options)
    cutter.populate(text=characters)
    cutter.subset(font)
    font.flavor = "woff2"
    buffer = io.BytesIO()
    font.save(buffer)
    return "data:font/woff2;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
