"""The panel of section 1, without a browser."""

import re
from collections.abc import Iterator

import numpy as np
import pytest
from bs4 import BeautifulSoup

from coursework._common.panel import Panel
from coursework.backprop.derivation import derive
from coursework.backprop.network import DenseNetwork
from coursework.backprop.panel import Workbench, network_panel
from coursework.backprop.targets import dE_dw
from coursework.publish.mathematics import convert_delimited


@pytest.fixture
def panel() -> Iterator[Panel]:
    made = network_panel(seed=2)
    assert made.widget.children  # built: from here on it follows its controls
    yield made
    made.widget.close()


def shown(panel: Panel) -> str:
    return str(BeautifulSoup(panel.widget.children[1].value, "html.parser").img["alt"])


def test_there_is_a_control_for_every_input_the_target_and_any_weight(panel: Panel) -> None:
    assert set(panel.controls) == {"activation", "place", "weight", "x1", "x2", "x3", "t"}
    assert len(panel.controls["place"].options) == 21
    assert panel.controls["place"].options[4] == ("w₂₂⁽¹⁾", (1, 2, 2))


def test_what_stands_there_is_what_the_network_computes(panel: Panel) -> None:
    bench = Workbench((3, 3, 3, 1), seed=2)
    panel.controls["activation"].value = "tanh"
    panel.controls["place"].value = (2, 3, 1)
    panel.controls["weight"].value = 1.25
    panel.controls["x2"].value = -0.5
    panel.controls["t"].value = 2.0
    w = {l: array.copy() for l, array in bench.w.items()}
    w[2][2, 0] = 1.25
    x, t = np.array([[bench.x[0], -0.5, bench.x[2]]]), np.array([[2.0]])
    network = DenseNetwork.from_weights(w, activation="tanh")
    trace = network.forward(x)
    derivative = network.backward(trace, t).w[2][2, 0]
    words = shown(panel)
    assert "with tanh units" in words
    assert f"The weight w₃₁⁽²⁾ is 1.25, its derivative {derivative:.4g}.".replace("-", "−") in words
    assert f"loss {network.loss(trace, t)[0]:.2g}" in words


def test_another_weight_brings_its_own_value_and_leaves_the_others(panel: Panel) -> None:
    bench = Workbench((3, 3, 3, 1), seed=2)
    panel.controls["weight"].value = 3.5
    for place in bench.places[1:]:
        panel.controls["place"].value = place
        assert panel.controls["weight"].value == bench.weight(place)
    panel.controls["place"].value = (1, 1, 1)
    assert panel.controls["weight"].value == 3.5


def test_the_formulas_can_be_typeset_in_a_report() -> None:
    bench = Workbench((3, 3, 3, 1), seed=2)
    for activation in ("sigmoid", "relu", "tanh", "softplus", "sin", "identity"):
        for place in ((1, 1, 1), (3, 1, 2)):
            for line in bench.state(activation, place, -1.5, 0.5).lines:
                assert "<math" in convert_delimited(line)


def test_a_long_formula_may_be_broken_before_its_sums() -> None:
    bench = Workbench((2, 3, 2, 2, 1), "tanh", seed=2)
    line = bench.state("tanh", (1, 1, 1), 0.5, 1.0).lines[1]
    whole = derive(DenseNetwork((2, 3, 2, 2, 1), "tanh"), dE_dw(1, 1, 1)).specific.latex
    pieces = re.findall(r"\$\\displaystyle (.*?)\$", line)
    assert len(pieces) == 1 + whole.count(r"\sum")
    assert r"\,".join(pieces).endswith(whole)


def test_the_states_are_the_same_each_time_and_say_their_numbers() -> None:
    first, second = (network_panel(seed=2)._repr_mimebundle_()["text/html"] for _ in range(2))
    assert first == second
    figures = BeautifulSoup(first, "html.parser").select("figure")
    assert len(figures) == 2 * 3 * 2 * 2
    for figure in figures:
        values = dict(knob.split(": ") for knob in figure.b.get_text().split(", "))
        assert list(values) == ["activation", "w₁₁⁽¹⁾", "x₁", "target t"]
        assert f"with {values['activation']} units" in figure.img["alt"]
        assert f"w₁₁⁽¹⁾ is {values['w₁₁⁽¹⁾']}," in figure.img["alt"]
        assert f"inputs {float(values['x₁'].replace('−', '-')):.2g}".replace("-", "−") in figure.img["alt"]
        assert (
            f"target {float(values['target t'].replace('−', '-')):.2g}".replace("-", "−") in figure.img["alt"]
        )


@pytest.mark.parametrize("activation", ["relu", "softplus"])
def test_the_states_start_at_the_networks_own_numbers_and_stay_small(activation: str) -> None:
    found = str(network_panel(activation=activation, seed=3)._repr_mimebundle_()["text/html"])
    page = BeautifulSoup(found, "html.parser")
    bench = Workbench((3, 3, 3, 1), activation, seed=3)
    start = page.select_one(f'figure[data-state="{page.section["data-start"]}"]')
    assert start is not None
    own = bench.state(activation, (1, 1, 1), bench.weight((1, 1, 1)), float(bench.t[0]))
    assert start.img["alt"] == own.alt
    assert len({str(figure.img["src"]) for figure in page.select("figure")}) == 24
    assert len(found) < 500_000
