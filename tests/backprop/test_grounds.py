import numpy as np
import pytest

from coursework.backprop.activations import ACTIVATIONS
from coursework.backprop.chains import bipartite, two_chains
from coursework.backprop.expression import UndefinedSymbol
from coursework.backprop.grounds import FloatGround, Supplied
from coursework.backprop.oracles import autograd
from coursework.backprop.point import ExamplePoint, random_point
from coursework.backprop.whole import WholeGround


@pytest.fixture
def small():
    return FloatGround(random_point([2, 3, 3, 1], "tanh", biases=True, seed=3))


def test_quantities_are_the_networks(small):
    network, trace = small.point.network, small.point.trace
    assert small.L == 4
    assert small.quantity(("w", 2, 3, 1)) == network.w[2][2, 0]
    assert small.quantity(("a", 3, 2)) == trace.a[3][0, 1]
    assert small.quantity(("z", 1, 2)) == small.quantity(("x", 2)) == small.point.x[0, 1]
    assert small.quantity(("hp", 2, 1)) == pytest.approx(1 - trace.z[2][0, 0] ** 2)
    assert small.quantity(("err",)) == trace.y[0, 0] - small.point.t[0, 0]
    assert small.quantity(("E",)) == pytest.approx(small.quantity(("err",)) ** 2 / 2)
    assert [small.quantity(("units", l)) for l in (1, 2, 3, 4)] == [2, 3, 3, 1]


def test_derivatives_are_autograds(small):
    point = small.point
    true = autograd(point.network, point.x, point.t)
    assert small.derivative(("E",), ("w", 1, 3, 2)) == pytest.approx(true.w[1][2, 1], rel=1e-13)
    assert small.derivative(("E",), ("a", 2, 2)) == pytest.approx(true.delta[2][0, 1], rel=1e-13)
    assert small.derivative(("a", 3, 1), ("w", 3, 1, 1)) == 0


@pytest.mark.parametrize(
    "place",
    [
        ("w", 4, 1, 1),
        ("w", 3, 2, 1),
        ("a", 1, 1),
        ("z", 5, 1),
        ("hp", 4, 1),
        ("d", 2, 4),
        ("x", 3),
        ("z", 2, 0),
    ],
)
def test_what_does_not_exist_is_refused(small, place):
    whole = WholeGround([[[1, 1]] * 3, [[1] * 3] * 3, [[1] * 3]], [[0] * 3, [0] * 3, [0]], [1, 1], 0)
    for ground in (small, whole):
        assert ground.sizes == [2, 3, 3, 1]
        with pytest.raises(UndefinedSymbol):
            ground.quantity(place)
        if place[0] in ("w", "a"):
            with pytest.raises(UndefinedSymbol):
                ground.derivative(("E",), place)


def test_a_layer_that_does_not_exist_has_no_units(small):
    with pytest.raises(UndefinedSymbol, match="no layer 5"):
        small.quantity(("units", 5))


@pytest.mark.parametrize("name", ["sigmoid", "relu", "sin"])
def test_functions_are_those_of_the_network(name):
    ground = FloatGround(random_point([2, 3, 1], name, biases=True, seed=1))
    assert ground.function("h")(0.3) == ACTIVATIONS[name].h(np.float64(0.3))
    assert ground.function("sig")(0.0) == 0.5
    assert (ground.function("relu")(-2.0), ground.function("relu")(2.0)) == (0, 2)
    assert [ground.function("step")(a) for a in (-1.0, 0.0, 1.0)] == [0, 0, 1]
    assert ground.function("exp")(0.0) == 1 == ground.function("Abs")(-1)


def test_a_sum_over_paths_by_hand():
    # unit 1 of layer 2 reaches the output through both units of layer 3, one of which is off
    ground = WholeGround([[[1], [1]], [[2, 5], [-3, 5]], [[7, 11]]], [[0, 0], [0, -9], [0]], [1], 0)
    assert ground.a == [[], [1, 1], [7, -7], [49]]
    assert ground.quantity(("S", 2, 1)) == 2 * 7
    assert ground.quantity(("S", 3, 2)) == 11
    assert ground.quantity(("S", 4, 1)) == 1
    assert ground.quantity(("path", 2, 1)) is True


def test_paths_may_cancel_though_there_are_some():
    ground = WholeGround([[[1]], [[2], [2]], [[3, -3]]], [[0], [0, 0], [0]], [1], 5)
    assert ground.quantity(("S", 2, 1)) == 0
    assert ground.quantity(("path", 2, 1)) is True
    assert ground.derivative(("E",), ("w", 1, 1, 1)) == 0


def test_there_is_no_path_through_a_missing_link_or_a_unit_that_is_off():
    cut = WholeGround([[[1]], [[0]], [[1]]], [[0], [4], [0]], [1], 5)
    off = WholeGround([[[1]], [[1]], [[1]]], [[0], [-1], [0]], [1], 5)
    assert cut.quantity(("path", 2, 1)) is off.quantity(("path", 2, 1)) is False
    assert cut.quantity(("path", 3, 1)) is True


@pytest.mark.parametrize("seed", range(5))
def test_whole_numbers_have_the_gradients_of_the_same_floats(seed):
    rng = np.random.default_rng(seed)
    sizes = [2, 3, 2, 1]
    shapes = list(zip(sizes[1:], sizes, strict=False))
    w = [rng.integers(-3, 4, shape) for shape in shapes]
    b = [rng.integers(-3, 4, above) for above, _ in shapes]
    x, t = rng.integers(-3, 4, 2), int(rng.integers(-3, 4))
    whole = WholeGround([v.tolist() for v in w], [v.tolist() for v in b], x.tolist(), t)
    network = bipartite(3, "relu").from_weights(
        {l: v.astype(float) for l, v in enumerate(w, start=1)},
        {l: v.astype(float) for l, v in enumerate(b, start=1)},
        "relu",
    )
    true = autograd(network, x[None].astype(float), np.array([[float(t)]]))
    for l, (above, below) in enumerate(shapes, start=1):
        for j in range(1, above + 1):
            assert whole.quantity(("d", l + 1, j)) == true.delta[l + 1][0, j - 1]
            for k in range(1, below + 1):
                assert whole.derivative(("E",), ("w", l, j, k)) == true.w[l][j - 1, k - 1]


def test_whole_numbers_stay_exact_152_layers_deep():
    ground = WholeGround([[[3]]] * 152, [[0]] * 152, [1], 0)
    assert ground.a[-1] == [3**152]
    assert ground.derivative(("E",), ("w", 1, 1, 1)) == 3**152 * 3**151
    assert ground.derivative(("a", 153, 1), ("a", 2, 1)) == 3**151


def test_floats_reach_152_layers_deep_with_their_digits():
    network = two_chains(152, "sigmoid", biases=True, seed=4)
    ground = FloatGround(ExamplePoint(network, np.array([0.3, -0.8]), np.array([0.5])))
    found = ground.derivative(("E",), ("w", 1, 1, 1))
    expected = ground.quantity(("err",)) * ground.quantity(("x", 1)) * ground.quantity(("w", 152, 1, 1))
    expected *= ground.quantity(("hp", 2, 1))
    for m in range(2, 152):
        expected *= ground.quantity(("w", m, 1, 1)) * ground.quantity(("hp", m + 1, 1))
    assert 0 < abs(found) < 1e-60
    assert found == pytest.approx(expected, rel=1e-12)


def test_what_is_given_goes_before_what_is_there_and_what_is_drawn(small):
    rng = np.random.default_rng(0)
    supplied = Supplied(small, {("w", 1, 1, 1): 7}, rng)
    assert supplied.quantity(("w", 1, 1, 1)) == 7
    assert supplied.quantity(("w", 1, 2, 1)) == small.quantity(("w", 1, 2, 1))
    drawn = supplied.quantity(("w", 9, 1, 1))
    assert drawn == supplied.quantity(("w", 9, 1, 1)) != supplied.quantity(("w", 9, 2, 1))
    with pytest.raises(UndefinedSymbol):
        Supplied(small, {}).quantity(("w", 9, 1, 1))


def test_only_sums_and_outputs_are_differentiated_by_weights_and_sums():
    ground = WholeGround([[[1]], [[1]]], [[0], [0]], [1], 0)
    with pytest.raises(UndefinedSymbol, match="neither a weight nor a pre-activation"):
        ground.derivative(("E",), ("x", 1))
    with pytest.raises(UndefinedSymbol, match="is not computed"):
        ground.derivative(("t",), ("w", 1, 1, 1))
