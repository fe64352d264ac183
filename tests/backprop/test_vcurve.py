import numpy as np
import pytest

from coursework.backprop.chains import two_chains
from coursework.backprop.network import DenseNetwork, NetworkError
from coursework.backprop.point import assignment_point
from coursework.backprop.vcurve import STEPS, draw_v_curve, v_curve


@pytest.fixture(scope="module")
def curve():
    point = assignment_point()
    return v_curve(point.network, point.x, point.t)


def slope(steps, errors):
    return np.polyfit(np.log10(steps), np.log10(errors), 1)[0]


def test_truncation_falls_with_the_step_and_with_its_square(curve):
    long = slice(0, 7)
    assert slope(curve.steps[long], curve.forward[long]) == pytest.approx(1, abs=0.1)
    assert slope(curve.steps[long], curve.central[long]) == pytest.approx(2, abs=0.1)
    assert slope(curve.steps[long], curve.complex[long]) == pytest.approx(2, abs=0.1)


def test_rounding_rises_as_the_step_falls(curve):
    short = curve.steps < 10**-9.4
    for errors in (curve.forward[short], curve.central[short]):
        assert slope(curve.steps[short], errors) == pytest.approx(-1, abs=0.3)
    assert curve.forward[-1] > 0.1
    assert curve.central[-1] > 0.1


def test_each_way_has_its_floor(curve):
    assert 1e-9 < curve.best("forward")[0] < 1e-6
    assert 1e-12 < curve.best("central")[0] < 1e-8
    assert np.all(curve.complex[curve.steps < 1e-8] < 1e-14)


def test_far_down_a_deep_network_only_the_complex_step_has_digits():
    network = two_chains(40, seed=1)
    deep = v_curve(network, np.full((1, 2), 0.5), np.zeros((1, 1)))
    assert deep.true < 1e-20
    assert deep.best("forward")[0] > 0.1
    assert deep.best("central")[0] > 0.1
    assert deep.complex[-1] < 1e-13


def test_the_drawing_states_its_numbers(curve):
    svg, alt = draw_v_curve(curve)
    for name in ("forward differences", "central differences", "complex step", "step s"):
        assert f">{name}</text>" in svg
    # three curves, and a marker for every point and for every line of the key
    assert svg.count("<polyline") == 3 * (1 + len(STEPS) + 1)
    assert f"longest step, 0.1, forward differences are off by {curve.forward[0]:.1e}" in alt
    assert "The complex step falls to 10^-1" in alt


@pytest.mark.parametrize(("layer", "steps"), [(0, STEPS), (4, STEPS), (1, np.empty(0))])
def test_a_layer_that_is_not_there_or_no_step_is_refused(layer, steps):
    point = assignment_point()
    with pytest.raises(NetworkError, match=r"take a layer of \[1, 2, 3\], and a step"):
        v_curve(point.network, point.x, point.t, layer, steps)


def test_a_gradient_of_zero_has_no_relative_error():
    network = DenseNetwork([1, 2, 1], "relu")
    network.w[1][...] = -1
    with pytest.raises(NetworkError, match=r"dE/dw\^\(1\) is 0"):
        v_curve(network, np.ones((1, 1)), np.ones((1, 1)))
