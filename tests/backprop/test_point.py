import numpy as np
import pytest

from coursework.backprop.expression import UndefinedSymbol
from coursework.backprop.network import DenseNetwork, NetworkError
from coursework.backprop.oracles import autograd
from coursework.backprop.point import ExamplePoint, assignment_point, in_general_position, random_point
from coursework.backprop.symbols import LOSS, A, W, X, Z


@pytest.mark.parametrize("biases", [False, True])
def test_partial_derivatives_of_the_loss_are_autograds(biases):
    point = random_point([2, 5, 3, 1], "tanh", biases=biases, seed=2)
    true = autograd(point.network, point.x, point.t)
    assert point.partial(LOSS, A(2, 4)) == pytest.approx(true.delta[2][0, 3], rel=1e-13)
    assert point.partial(LOSS, W(1, 4, 2)) == pytest.approx(true.w[1][3, 1], rel=1e-13)


def test_partial_derivatives_between_layers():
    point = random_point([2, 5, 3, 1], "sigmoid", seed=2)
    z = Z(2, 4).evaluate(point)
    assert point.partial(Z(2, 4), A(2, 4)) == pytest.approx(z * (1 - z), rel=1e-13)
    assert point.partial(A(3, 2), A(2, 4)) == pytest.approx(point.network.w[2][1, 3] * z * (1 - z), rel=1e-13)
    assert point.partial(A(3, 2), A(3, 1)) == 0


def test_only_weights_and_preactivations_can_be_moved():
    point = assignment_point()
    with pytest.raises(UndefinedSymbol, match="neither a weight, a bias nor a pre-activation"):
        point.partial(LOSS, X(1, 1))
    with pytest.raises(UndefinedSymbol, match="there is no"):
        point.partial(LOSS, W(1, 4, 1))


def test_the_seed_decides_the_point():
    np.testing.assert_array_equal(random_point([2, 3, 1], seed=4).x, random_point([2, 3, 1], seed=4).x)
    assert not np.array_equal(random_point([2, 3, 1], seed=4).x, random_point([2, 3, 1], seed=5).x)


def test_random_points_are_in_general_position():
    points = [random_point([3, 3, 3, 1], "relu", seed=seed) for seed in range(10)]
    assert all(in_general_position(point) for point in points)
    assert all(np.all(a != 0) for point in points for a in point.trace.a.values())


@pytest.mark.parametrize(
    ("w", "x", "t"),
    [
        ([[1.0, -1.0]], [1.0, 1.0], 1.0),  # a pre-activation cancels to the kink
        ([[1.0, -1.0]], [1.0, 1.00001], 1.0),  # nearly so
        ([[1.0, 1.0]], [1.0, 1.0], 2.0),  # there is no error to send back
    ],
)
def test_a_point_where_a_sum_cancels_is_not_in_general_position(w, x, t):
    network = DenseNetwork.from_weights({1: np.array(w), 2: np.array([[1.0]])}, activation="relu")
    assert not in_general_position(ExamplePoint(network, np.array(x), np.array([t])))


def test_a_network_that_dies_every_time_is_refused_with_a_remedy():
    with pytest.raises(NetworkError, match="take wider layers, fewer layers or biases"):
        random_point([1] * 40, "relu")


def test_the_assignments_point_is_in_the_assignments_network():
    network = assignment_point(3).network
    assert network.sizes == [3, 3, 3, 1]
    assert network.activation.name == "sigmoid"
    assert network.b == {}
