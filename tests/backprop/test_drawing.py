"""The network as a drawing: what stands where, and in words."""

import re
import xml.etree.ElementTree as ElementTree
from itertools import combinations

import pytest

from coursework._common.svg import text_width
from coursework.backprop.chains import two_chains
from coursework.backprop.drawing import MOST_UNITS, RADIUS, Drawing, draw_network, draw_values
from coursework.backprop.layout import NetworkError
from coursework.backprop.point import random_point

SVG = "{http://www.w3.org/2000/svg}"


def elements(drawing: Drawing, name: str) -> list[ElementTree.Element]:
    return ElementTree.fromstring(drawing.svg).findall(SVG + name)


def texts(drawing: Drawing) -> list[str]:
    return [element.text or "" for element in elements(drawing, "text")]


def test_every_unit_is_named_as_in_the_assignment() -> None:
    shown = texts(draw_network([3, 3, 3, 1]))
    assert {"x₃", "a₂⁽²⁾", "z₂⁽²⁾", "a₃⁽³⁾", "a₁⁽⁴⁾", "y"} <= set(shown)
    assert {"layer 1: inputs", "layer 2: hidden", "layer 3: hidden", "layer 4: output"} <= set(shown)


def test_the_first_weights_are_marked() -> None:
    shown = texts(draw_network([3, 3, 3, 1]))
    assert [text for text in shown if text.startswith("w")] == ["w₁₁⁽¹⁾", "w₁₁⁽²⁾", "w₁₁⁽³⁾"]


def test_there_is_a_circle_for_every_unit_and_a_line_for_every_weight() -> None:
    drawing = draw_network([2, 5, 3])
    assert len(elements(drawing, "circle")) == 10
    halves = 5 + 3
    assert len(elements(drawing, "line")) == 2 * 5 + 5 * 3 + halves


def test_large_layers_are_drawn_with_dots() -> None:
    drawing = draw_network([100, 2, 2, 1])
    assert len(elements(drawing, "circle")) == MOST_UNITS - 1 + 5
    assert {"⋮", "x₁₀₀"} <= set(texts(drawing))


def test_links_that_are_not_there_are_not_drawn() -> None:
    rows = two_chains(3)
    point = random_point(rows.sizes, masks=rows.masks, seed=1)
    halves = 2 + 2 + 1
    assert len(elements(draw_values(point), "line")) == 2 + 2 + 2 + halves


@pytest.mark.parametrize("sizes", [[], [3], [3, -1]])
def test_sizes_of_no_network_are_not_drawn(sizes: list[int]) -> None:
    with pytest.raises(NetworkError, match="two layers or more"):
        draw_network(sizes)


def test_values_and_gradients_stand_on_the_drawing() -> None:
    point = random_point([3, 3, 3, 1], seed=3)
    shown = " ".join(texts(draw_values(point))).replace("−", "-")
    w, dw = point.network.w[3][0, 1], point.gradients.w[3][0, 1]
    assert f"{w:.2g} | {dw:.2g}" in shown
    assert f"{point.trace.a[4][0, 0]:.2f}" in shown
    assert f"δ = {point.gradients.delta[2][0, 2]:.2g}" in shown


def test_an_edge_is_coloured_by_the_sign_of_its_gradient_and_wide_where_that_is_large() -> None:
    point = random_point([2, 1], seed=1)
    lines = elements(draw_values(point), "line")[:2]
    dw = point.gradients.w[1][0]
    assert [line.get("class") for line in lines] == ["s-plus" if value > 0 else "s-minus" for value in dw]
    widths = [float(line.get("stroke-width", 0)) for line in lines]
    expected = 1 + 5 * abs(dw) / abs(dw).max()
    assert widths == pytest.approx(expected, abs=0.05)


@pytest.mark.parametrize("sizes", [[2, 5, 4, 1], [9, 3, 9, 2], [1, 1, 1, 1, 1], [12, 12]])
@pytest.mark.parametrize("activation", ["sigmoid", "relu"])
def test_everything_lies_within_the_drawing(sizes: list[int], activation: str) -> None:
    point = random_point(sizes, activation, biases=True, seed=1)
    for drawing in (draw_network(sizes), draw_values(point)):
        root = ElementTree.fromstring(drawing.svg)
        width, height = (float(root.get(name, 0)) for name in ("width", "height"))
        for element in root.iter(f"{SVG}text"):
            x, y, size = (float(element.get(name, 0)) for name in ("x", "y", "font-size"))
            half = text_width(element.text or "", size) / 2
            assert half - 1 <= x <= width - half + 1
            assert 0 < y < height


def boxes_of_labels(drawing: Drawing) -> list[tuple[float, float, float, float]]:
    boxes = []
    for element in elements(drawing, "text"):
        x, y, size = (float(element.get(name, 0)) for name in ("x", "y", "font-size"))
        if re.fullmatch(r"[^a-z]*(e[^a-z]*)? \| .*", element.text or ""):
            half = text_width(element.text or "", size) / 2
            boxes.append((x - half, y - size, x + half, y))
    return boxes


def test_labels_of_edges_meet_neither_each_other_nor_a_unit() -> None:
    drawing = draw_values(random_point([3, 3, 3, 1], seed=0))
    boxes = boxes_of_labels(drawing)
    assert len(boxes) == 21
    for (a, b, c, d), (e, f, g, h) in combinations(boxes, 2):
        assert c <= e or g <= a or d <= f or h <= b
    for circle in elements(drawing, "circle"):
        x, y = (float(circle.get(name, 0)) for name in ("cx", "cy"))
        for left, top, right, bottom in boxes:
            nearest = (min(max(x, left), right), min(max(y, top), bottom))
            assert (nearest[0] - x) ** 2 + (nearest[1] - y) ** 2 > (RADIUS - 4) ** 2
