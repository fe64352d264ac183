"""Drawings as text."""

import base64
import re
import xml.etree.ElementTree as ElementTree

from coursework._common.svg import PALETTE, Svg, picture, runs, subscript, superscript


def drawn() -> Svg:
    svg = Svg(100, 50)
    svg.line((0, 1), (2.345, 3), "ink", 1.5)
    svg.circle(5, 5, 2)
    svg.curve([(0, 0), (1, 1.26)], "minus", 2)
    svg.area([(0, 0), (1, 0), (1, 1)], "plus", 0.3)
    svg.text(50, 25, "<w> & 'δ'", 10, boxed=True)
    return svg


def test_a_drawing_is_xml_and_its_text_is_text() -> None:
    root = ElementTree.fromstring(str(drawn()))
    names = [element.tag.partition("}")[2] for element in root]
    assert names == ["style", "rect", "line", "circle", "polyline", "polygon", "rect", "text"]
    assert root[-1].text == "<w> & 'δ'"
    assert root[2].get("x2") == "2.3"
    assert root[4].get("points") == "0.0,0.0 1.0,1.3"


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_every_colour_of_text_stands_out_from_both_papers() -> None:
    for name in PALETTE.keys() - {"paper", "line"}:
        for colour, paper in zip(PALETTE[name], PALETTE["paper"], strict=True):
            high, low = sorted((luminance(colour), luminance(paper)), reverse=True)
            assert (high + 0.05) / (low + 0.05) >= 4.5, name


def test_both_papers_are_in_the_drawing() -> None:
    style = str(drawn()).partition("</style>")[0]
    light, dark = style.split("@media (prefers-color-scheme:dark)")
    for name, (on_light, on_dark) in PALETTE.items():
        assert f"--{name}:{on_light};" in light
        assert f"--{name}:{on_dark};" in dark


def test_a_picture_holds_the_drawing_and_its_words() -> None:
    found = re.fullmatch(
        r'<img src="data:image/svg\+xml;base64,([^"]*)" alt="([^"]*)">', picture("<svg/>", '"<a>" & b')
    )
    assert found is not None
    assert base64.b64decode(found[1]) == b"<svg/>"
    assert found[2] == "&quot;&lt;a&gt;&quot; &amp; b"


def test_digits_and_brackets_go_up_and_down() -> None:
    assert subscript(120) == "₁₂₀"
    assert superscript("(-3)") == "⁽⁻³⁾"


def test_gaps_part_the_stretches() -> None:
    assert runs([None, 1, 2, None, None, 3]) == [[1, 2], [3]]
    assert runs([None]) == runs([]) == []
