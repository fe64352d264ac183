"""The panel of section 2, without a browser, and its chart."""

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from bs4 import BeautifulSoup

from coursework.gradients.chain import Networks, run
from coursework.gradients.ensembles import ChainSpec, draw
from coursework.gradients.layer_chart import layer_chart
from coursework.gradients.panel import (
    NETWORKS,
    REMEDIES,
    Knobs,
    gradient_panel,
    gradient_state,
    log10_gradients,
)
from coursework.publish.mathematics import convert_delimited

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("cure", REMEDIES)
@pytest.mark.parametrize("activation", ["sigmoid", "relu", "tanh", "gelu"])
def test_the_logarithms_are_those_of_numbers_that_do_not_underflow(activation: str, cure: str) -> None:
    networks = draw(Knobs(12, activation, 2.0, 3, cure).spec(), 5, 1)
    exact = run(networks).log10_gradients
    assert np.allclose(log10_gradients(networks), exact, rtol=1e-9, atol=1e-9, equal_nan=True)


def test_what_float64_loses_is_computed_again() -> None:
    networks = draw(ChainSpec(150, scale=0.01), 4, 0)
    found = log10_gradients(networks)
    assert np.all(np.isfinite(found))
    assert found.min() < -330
    assert np.allclose(found, run(networks).log10_gradients, rtol=1e-10)


@pytest.mark.parametrize("activation", ["leaky relu", "identity", "relu"])
@pytest.mark.parametrize("scale", [0.01, 1e-3])
def test_what_underflows_on_the_way_is_not_called_zero(activation: str, scale: float) -> None:
    networks = draw(Knobs(152, activation, scale, 2, "none").spec(), 12, 0)
    if activation == "relu":
        networks = draw(ChainSpec(152, "full", "relu", scale=scale / np.sqrt(2), width=2, alive=True), 12, 0)
    found, exact = log10_gradients(networks), run(networks).log10_gradients
    assert exact[0].min() < -290
    np.testing.assert_array_equal(np.isneginf(found), np.isneginf(exact))
    np.testing.assert_allclose(found, exact, rtol=1e-9)


def test_the_panel_does_not_say_zero_where_nothing_is() -> None:
    assert (
        "in 0 of 30 networks it is exactly 0"
        in gradient_state(Knobs(152, "leaky relu", 0.1, 1, "none"), 0).alt
    )


def test_a_product_that_underflows_of_factors_that_do_not_is_computed_again() -> None:
    # z^(2) = 1e-200 and delta^(3) = 1e-200 are floats, their product is none
    one = np.ones((1, 1))
    w = {1: one[np.newaxis] * 1e-200, 2: one[np.newaxis], 3: one[np.newaxis] * 1e-200}
    networks = Networks("full", "relu", w, one, np.full(1, 1.0))
    np.testing.assert_allclose(log10_gradients(networks)[1], -400.0, rtol=1e-12)


def test_a_saturated_unit_keeps_its_slope() -> None:
    networks = draw(ChainSpec(6, scale=40.0), 50, 0)
    assert np.allclose(log10_gradients(networks), run(networks).log10_gradients, rtol=1e-10)


def test_he_weights_scale_with_the_width_and_others_are_scaled() -> None:
    assert Knobs(5, "relu", 2.0, 4, "none").spec().scale == 1.0
    assert Knobs(5, "relu", 2.0, 4, "He weights").spec() == ChainSpec(
        5, "full", "relu", "he", scale=2.0, width=4
    )
    with pytest.raises(ValueError, match="cure 'prayer' is unknown"):
        Knobs(5, "relu", 2.0, 4, "prayer").spec()


def test_the_words_say_the_median_and_how_many_are_zero() -> None:
    knobs = Knobs(10, "relu", 1.0, 2, "none")
    logs = run(draw(knobs.spec(), NETWORKS, 3)).log10_gradients
    first = np.median(logs[0][np.isfinite(logs[0])])
    state = gradient_state(knobs, 3)
    assert f"the median is 10^{first:.1f} in layer 1" in state.alt
    assert f"in {np.isneginf(logs[0]).sum()} of {NETWORKS} networks it is exactly 0 in layer 1" in state.alt
    (line,) = state.lines
    assert f"$10^{{{first:.1f}}}$" in line
    assert "<math" in convert_delimited(line)


def test_networks_without_any_gradient_have_a_state_too() -> None:
    state = gradient_state(Knobs(152, "relu", 1.0, 1, "none"), 0)
    assert f"exactly 0 in layer 1 of all {NETWORKS} networks" in state.alt
    assert ElementTree.fromstring(state.drawing).find(f"{SVG}text") is not None


def test_knobs_that_do_not_go_together_are_explained_in_the_panel() -> None:
    panel = gradient_panel(depth=5)
    panel.controls["cure"].value = "layer norm"
    panel.controls["width"].value = 1
    assert "make the layers at least 2 wide" in panel.widget.children[1].value
    panel.controls["width"].value = 2
    assert "<img" in panel.widget.children[1].value
    panel.widget.close()


def test_the_states_are_the_same_each_time() -> None:
    first, second = (gradient_panel(depth=8)._repr_mimebundle_()["text/html"] for _ in range(2))
    assert first == second
    figures = BeautifulSoup(first, "html.parser").select("figure")
    assert len(figures) == 24
    assert all(
        re.search(r"8 layers of 8, (sigmoid|relu), weights times", figure.img["alt"]) for figure in figures
    )


def test_a_chart_draws_the_median_of_every_layer_and_leaves_gaps_where_there_is_none() -> None:
    bands = np.linspace(-3, -1, 5)[:, np.newaxis] + np.linspace(-20, 0, 30)
    root = ElementTree.fromstring(layer_chart(bands, "<title>", np.zeros(30, dtype=bool)))
    (curve,) = root.findall(f"{SVG}polyline")
    points = [tuple(map(float, point.split(","))) for point in (curve.get("points") or "").split()]
    assert len(points) == 30
    assert points == sorted(points)
    assert [y for _, y in points] == sorted((y for _, y in points), reverse=True)
    assert len(root.findall(f"{SVG}polygon")) == 2
    bands[:, 10:12] = np.nan
    root = ElementTree.fromstring(layer_chart(bands, "t", np.zeros(30, dtype=bool)))
    assert len(root.findall(f"{SVG}polyline")) == 2
    assert len(root.findall(f"{SVG}polygon")) == 4


def test_the_floor_of_float32_is_drawn_where_it_is_in_view() -> None:
    def words(low: float) -> str:
        bands = np.linspace(low, 0, 20) * np.ones((5, 1))
        root = ElementTree.fromstring(layer_chart(bands, "t", np.zeros(20, dtype=bool)))
        return " ".join(text.text or "" for text in root.findall(f"{SVG}text"))

    assert "float32 stores 0" in words(-60.0)
    assert "float32 stores 0" not in words(-30.0)


def test_layers_that_rounding_decides_are_marked() -> None:
    bands = np.linspace(-30, 0, 20) * np.ones((5, 1))

    def marks(unresolved: np.ndarray) -> tuple[int, bool]:
        root = ElementTree.fromstring(layer_chart(bands, "t", unresolved))
        words = " ".join(text.text or "" for text in root.findall(f"{SVG}text"))
        bars = [line for line in root.findall(f"{SVG}line") if line.get("stroke-width") == "6.0"]
        return len(bars), "rounding decides" in words

    assert marks(np.zeros(20, dtype=bool)) == (0, False)
    assert marks(np.arange(20) % 10 < 3) == (2, True)


def test_layers_that_53_bits_do_not_resolve_are_left_out() -> None:
    # leaky slopes under batch norm: in the middle the units are alike to far more than 53 bits
    state = gradient_state(Knobs(152, "leaky relu", 2.0, 2, "batch norm"), 0)
    found = re.search(r"; (\d+) layers are left out: rounding decides there", state.alt)
    assert found is not None
    assert 50 < int(found[1]) < 150
    curves = ElementTree.fromstring(state.drawing).findall(f"{SVG}polyline")
    points = sum(len((curve.get("points") or "").split()) for curve in curves)
    assert points == 152 - int(found[1])
    assert "rounding" not in gradient_state(Knobs(152, "relu", 2.0, 2, "batch norm"), 0).alt
