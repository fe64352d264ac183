import warnings

import pytest

from coursework.backprop.drawing import MOST_UNITS, draw_network, draw_values
from coursework.backprop.point import random_point


def texts(drawing):
    return [text.get_text() for text in drawing.figure.axes[0].texts]


def test_every_unit_is_named_as_in_the_assignment():
    shown = texts(draw_network([3, 3, 3, 1]))
    for name in ("x_{3}", "a_{2}^{(2)}", "z_{2}^{(2)}", "a_{3}^{(3)}", "a_{1}^{(4)}", "y"):
        assert f"${name}$" in shown
    assert {"layer 1: inputs", "layer 2: hidden", "layer 3: hidden", "layer 4: output"} <= set(shown)


def test_the_first_weights_are_marked():
    shown = texts(draw_network([3, 3, 3, 1]))
    assert [text for text in shown if text.startswith("$w")] == [f"$w_{{11}}^{{({l})}}$" for l in (1, 2, 3)]


def test_there_is_a_circle_for_every_unit_and_a_line_for_every_weight():
    axes = draw_network([2, 5, 3]).figure.axes[0]
    assert len(axes.patches) == 10
    halves = 5 + 3
    assert len(axes.lines) == 2 * 5 + 5 * 3 + halves


def test_large_layers_are_drawn_with_dots():
    drawing = draw_network([100, 2, 2, 1])
    assert len(drawing.figure.axes[0].patches) == MOST_UNITS - 1 + 5
    assert r"$\vdots$" in texts(drawing)
    assert "$x_{100}$" in texts(drawing)


def test_values_and_gradients_stand_on_the_drawing():
    point = random_point([3, 3, 3, 1], seed=3)
    shown = " ".join(texts(draw_values(point))).replace("−", "-")
    w, dw = point.network.w[3][0, 1], point.gradients.w[3][0, 1]
    assert f"{w:.2g} | {dw:.2g}" in shown
    assert f"{point.trace.a[4][0, 0]:.2f}" in shown
    assert f"{point.gradients.delta[2][0, 2]:.2g}" in shown


def test_the_text_alternative_states_the_numbers():
    point = random_point([3, 3, 3, 1], seed=3)
    alt = draw_values(point).alt.replace("−", "-")
    assert f"output {point.trace.y[0, 0]:.2g}, target {point.t[0, 0]:.2g}" in alt
    assert f"{point.gradients.delta[2][0, 2]:.2g}" in alt
    assert "4 layers with 3-3-3-1 units" in draw_network([3, 3, 3, 1]).alt


@pytest.mark.parametrize("sizes", [[2, 5, 4, 1], [9, 3, 9, 2], [1, 1, 1, 1, 1]])
@pytest.mark.parametrize("activation", ["sigmoid", "relu"])
def test_any_network_can_be_drawn_without_a_warning(tmp_path, sizes, activation):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        point = random_point(sizes, activation, biases=True, seed=1)
        for drawing in (draw_network(sizes), draw_values(point)):
            drawing.figure.savefig(tmp_path / "network.svg", bbox_inches="tight")
    assert (tmp_path / "network.svg").stat().st_size > 1000


def test_labels_of_edges_do_not_meet():
    drawing = draw_values(random_point([3, 3, 3, 1], seed=0))
    drawing.figure.draw_without_rendering()
    labels = [t for t in drawing.figure.axes[0].texts if " | " in t.get_text() and "$" not in t.get_text()]
    boxes = [label.get_window_extent() for label in labels]
    assert len(boxes) == 21
    overlaps = [(a, b) for i, a in enumerate(boxes) for b in boxes[i + 1 :] if a.overlaps(b)]
    assert overlaps == []
