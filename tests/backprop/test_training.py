import numpy as np
import pytest

from coursework.backprop.chains import two_chains
from coursework.backprop.network import DenseNetwork, NetworkError
from coursework.backprop.training import TrainingError, mean_loss, share_right, spirals, train


@pytest.mark.parametrize("name", ["tanh", "relu"])
def test_gradient_descent_tells_two_spirals_apart(name):
    x, t = spirals()
    network = DenseNetwork([2, 16, 16, 1], name, loss="logistic", biases=True, seed=1)
    before = share_right(network, x, t)
    history = train(network, x, t, epochs=150)
    assert before < 0.7
    assert share_right(network, x, t) == 1
    assert history.loss[-1] < 0.02 < 0.6 < history.loss[0]
    assert len(history.loss) == 151


def test_two_steps_with_momentum_by_hand():
    # E = (w x - t)^2 / 2 at w = 1, x = 2, t = 0: dE/dw = 4 w
    network = DenseNetwork.from_weights({1: np.array([[1.0]])})
    x, t = np.array([[2.0]]), np.zeros((1, 1))
    history = train(network, x, t, epochs=2, rate=0.1, momentum=0.5)
    # v = -0.4, w = 0.6; v = -0.2 - 0.24 = -0.44, w = 0.16
    assert network.w[1].item() == pytest.approx(0.16)
    assert history.loss == pytest.approx((2, 0.72, 0.0512))


def test_the_gradient_of_a_batch_is_the_mean_over_its_examples():
    x, t = np.array([[2.0]]), np.zeros((1, 1))
    one, many = (DenseNetwork.from_weights({1: np.array([[1.0]])}) for _ in range(2))
    train(one, x, t, epochs=3)
    train(many, np.repeat(x, 8, axis=0), np.repeat(t, 8, axis=0), epochs=3)
    assert many.w[1].item() == pytest.approx(one.w[1].item())


def test_a_link_that_is_not_there_stays_away():
    network = two_chains(4, "tanh", seed=2)
    x = np.random.default_rng(0).normal(size=(20, 2))
    before = {l: w.copy() for l, w in network.w.items()}
    history = train(network, x, x[:, :1], epochs=20, rate=0.02)
    assert history.loss[-1] < history.loss[0]
    for l, mask in network.masks.items():
        assert not network.w[l][mask == 0].any()
        assert (network.w[l] != before[l])[mask == 1].all()


def test_the_same_seed_gives_the_same_weights_in_single_precision_too():
    x, t = spirals(50)
    first, second = (
        DenseNetwork([2, 5, 1], "tanh", loss="logistic", dtype=np.float32, seed=3) for _ in range(2)
    )
    train(first, x, t, epochs=3, batch=8, seed=4)
    train(second, x, t, epochs=3, batch=8, seed=4)
    assert first.parameters.dtype == np.float32
    np.testing.assert_array_equal(first.parameters, second.parameters)


def test_one_chain_can_be_trained():
    network = DenseNetwork([1, 1, 1], "tanh", seed=1)
    x = np.linspace(-1, 1, 9)[:, None]
    before = mean_loss(network, x, np.tanh(2 * x))
    train(network, x, np.tanh(2 * x), batch=1, epochs=60, rate=0.05)
    assert mean_loss(network, x, np.tanh(2 * x)) < before / 10


@pytest.mark.parametrize(
    "setting",
    [
        {"rate": 0},
        {"rate": float("nan")},
        {"momentum": 1},
        {"momentum": -0.1},
        {"epochs": 0},
        {"epochs": 1.5},
        {"batch": 0},
    ],
)
def test_settings_out_of_range_are_refused(setting):
    with pytest.raises(TrainingError, match="take a finite rate above 0"):
        train(DenseNetwork([2, 1]), np.ones((1, 2)), np.ones((1, 1)), **setting)


def test_a_loss_that_leaves_the_finite_numbers_stops_training():
    network = DenseNetwork([1, 1], seed=0)
    with pytest.raises(TrainingError, match="take a rate below 1000"):
        train(network, np.full((1, 1), 10.0), np.ones((1, 1)), rate=1000.0)


def test_nothing_to_train_on_is_refused():
    with pytest.raises(TrainingError, match="no example to train on"):
        train(DenseNetwork([2, 1]), np.empty((0, 2)), np.empty((0, 1)))
    with pytest.raises(NetworkError, match="2 targets t for 1 examples"):
        train(DenseNetwork([2, 1]), np.ones((1, 2)), np.ones((2, 1)))


def test_sides_are_the_logistic_losss():
    with pytest.raises(NetworkError, match="take loss='logistic'"):
        share_right(DenseNetwork([2, 1]), np.ones((1, 2)), np.ones((1, 1)))


def test_the_spirals_take_turns():
    x, t = spirals(11, seed=5)
    assert x.shape == (11, 2)
    assert t.ravel().tolist() == [0, 1] * 5 + [0]
