from __future__ import annotations

import numpy as np
import pytest

from coursework.gradients import plots, sweep
from coursework.gradients.chain import Trace, run
from coursework.gradients.ensembles import ChainSpec, draw
from coursework.gradients.mlp import watch_training
from coursework.gradients.precision import death_layers
from coursework.gradients.rare import living_probability
from coursework.gradients.sigmoid_chain import sigmoid_step
from coursework.gradients.theory import sigmoid_bound
from coursework.gradients.zeros import first_conditions


@pytest.fixture(scope="module")
def sigmoid() -> Trace:
    return run(draw(ChainSpec(), 50, seed=0))


def line(axes: object, label: str) -> np.ndarray:
    (found,) = [drawn for drawn in axes.lines if drawn.get_label() == label]  # type: ignore[attr-defined]
    return np.asarray(found.get_ydata())


def test_the_closed_form_figure_draws_the_measurement(sigmoid: Trace) -> None:
    (axes,) = plots.plot_closed_form({"sigmoid": sigmoid}, network=3).axes
    np.testing.assert_array_equal(line(axes, "sigmoid: backward pass"), sigmoid.log10_gradients[:, 3])


def test_the_sigmoid_figure_shows_the_bound_above_the_median_and_where_float32_dies(sigmoid: Trace) -> None:
    figure = plots.plot_sigmoid(sigmoid)
    (axes,) = figure.axes
    bound = np.median(sigmoid_bound(sigmoid), axis=1)
    (drawn,) = [item for item in axes.lines if str(item.get_label()).startswith("bound")]
    np.testing.assert_array_equal(drawn.get_ydata(), bound)
    words = " ".join(text.get_text() for text in axes.texts)
    assert "float32 ends at" in words
    assert "it is 0 from" in words


def test_a_shallow_network_has_no_floor_to_mark() -> None:
    (axes,) = plots.plot_sigmoid(run(draw(ChainSpec(depth=2), 1, seed=0))).axes
    assert list(axes.texts) == []


def test_the_law_is_drawn_from_the_last_layer_on(sigmoid: Trace) -> None:
    (axes,) = plots.plot_sigmoid(sigmoid, law=sigmoid_step(1.0)).axes
    law = line(axes, "log-normal law, its median and 5 to 95 %")
    assert law[-1] == pytest.approx(np.median(sigmoid.log10_gradients[-1]))
    assert law[0] - law[-1] == pytest.approx(151 * -2.0852 / np.log(10), abs=1e-2)


def test_the_formats_figure_says_where_each_dies() -> None:
    trace = run(draw(ChainSpec(depth=160, law="constant"), 1, seed=0))
    (axes,) = plots.plot_formats(trace).axes
    said = [text.get_text() for text in axes.texts]
    assert [words.split(":")[0] for words in said] == ["exact", "float32", "float16"]  # float64 lives
    death = int(death_layers(trace, "float32")[0])
    assert 60 < 160 - death < 80
    assert f"$l = {death}$" in said[1]


def test_the_scale_figure_has_a_point_for_each_scale() -> None:
    scales, offsets = [0.5, 2.0], [0.0, 1e-6]
    decay = sweep.decay_against_scale(ChainSpec(depth=20), scales, 20, seed=0)
    figure = plots.plot_scales(scales, decay, sweep.knife_edge(20, offsets), offsets)
    left, right = figure.axes
    np.testing.assert_array_equal(left.lines[0].get_ydata(), decay[:, 1])
    assert [text.get_text() for text in right.get_legend().get_texts()] == [
        "x = 0.5 exactly",
        "x = 0.5 + $10^{-6}$",
    ]


def test_the_probability_figure_draws_counts_over_the_closed_form() -> None:
    shares = {
        links: sweep.nonzero_shares(ChainSpec(links=links, activation="relu"), [2, 14], 300, seed=1)
        for links in ("chains", "full")
    }
    assert shares["chains"][1].nonzero == 0
    near, far = plots.plot_nonzero(shares, 152).axes
    np.testing.assert_allclose(line(near, "two chains: closed form"), [1 / 2, 2.0**-13])
    assert [text.get_text() for text in far.texts] == ["two chains: $10^{-45.5}$", "bipartite: $10^{-19.0}$"]


def test_the_probability_figure_draws_what_splitting_measured() -> None:
    shares = {"chains": sweep.nonzero_shares(ChainSpec(activation="relu"), [2, 6], 300, seed=1)}
    split = {"chains": living_probability(ChainSpec(depth=20, activation="relu"), particles=300, runs=4)}
    _, far = plots.plot_nonzero(shares, 20, split).axes
    (point,) = [drawn for drawn in far.lines if drawn.get_marker() == "o"]
    assert point.get_ydata()[0] == split["chains"].log10_probability
    assert point.get_ydata()[0] == pytest.approx(-19 * np.log10(2), abs=0.3)


def test_the_condition_figure_stacks_to_one() -> None:
    shares = first_conditions(run(draw(ChainSpec(depth=4, activation="relu"), 100, seed=0)))
    (axes,) = plots.plot_conditions({"chains": shares}, {"chains": np.full(4, 1 / 8)}).axes
    tops = [bar.get_y() + bar.get_height() for bar in axes.patches]
    assert max(tops) == pytest.approx(1)


def test_the_monitor_figure_has_a_first_and_a_last_step() -> None:
    frame = watch_training("relu", layers=4, steps=3, seed=0).frame()
    (axes,) = plots.plot_monitor({"ReLU": frame}).axes
    last = frame[(frame["step"] == 3) & (frame["kind"] == "dW")]
    np.testing.assert_array_equal(line(axes, "ReLU, step 3"), last["log10_norm"])
