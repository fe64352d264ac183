import re

from coursework.backprop.chains import two_chains
from coursework.backprop.drawing import draw_network, draw_values
from coursework.backprop.point import random_point


def test_the_text_alternative_states_the_numbers() -> None:
    point = random_point([3, 3, 3, 1], seed=3)
    alt = draw_values(point).alt.replace("−", "-")
    assert f"output {point.trace.y[0, 0]:.2g}, target {point.t[0, 0]:.2g}" in alt
    assert f"{point.gradients.delta[2][0, 2]:.2g}" in alt
    for l, w in point.network.w.items():
        for j, row in enumerate(w):
            numbers = [", ".join(f"{value:.2g}" for value in v) for v in (row, point.gradients.w[l][j])]
            assert f"into unit {j + 1} of layer {l + 1}, w: {numbers[0]}, dE/dw: {numbers[1]}" in alt
        a, z = (", ".join(f"{v:.2g}" for v in layers[l + 1][0]) for layers in (point.trace.a, point.trace.z))
        assert f"layer {l + 1}, a: {a}, z: {z}" in alt
    assert "4 layers with 3-3-3-1 units" in draw_network([3, 3, 3, 1]).alt


def test_what_is_not_written_on_the_edges_is_not_in_the_words() -> None:
    alt = draw_values(random_point([5, 6, 2], seed=1)).alt
    assert "of layer 2, w:" not in alt
    assert "into unit 2 of layer 3, w:" in alt
    rows = two_chains(2)
    words = draw_values(random_point(rows.sizes, masks=rows.masks, seed=1)).alt
    assert re.search(r"into unit 1 of layer 2, w: [^,]+, dE/dw: [^,;]+;", words)
