import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coursework.backprop.losses import LOSSES, UnknownLoss, loss
from coursework.backprop.network import DenseNetwork, NetworkError

STEP = 2.0**-332


def exact(name, a, t):
    a, t = [mpmath.mpf(v) for v in a], [mpmath.mpf(v) for v in t]
    if name == "squared":
        return sum((a_j - t_j) ** 2 for a_j, t_j in zip(a, t, strict=True)) / 2
    if name == "logistic":
        return -sum(
            t_j * mpmath.log(1 / (1 + mpmath.exp(-a_j))) + (1 - t_j) * mpmath.log(1 / (1 + mpmath.exp(a_j)))
            for a_j, t_j in zip(a, t, strict=True)
        )
    total = sum(mpmath.exp(a_k) for a_k in a)
    return -sum(t_j * mpmath.log(mpmath.exp(a_j) / total) for a_j, t_j in zip(a, t, strict=True))


@pytest.mark.parametrize("name", LOSSES)
@given(
    a=st.lists(st.floats(-60, 60), min_size=3, max_size=3),
    hard=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
@settings(deadline=None, max_examples=40, derandomize=True)
def test_value_and_delta_agree_with_a_hundred_digits(name, a, hard, seed):
    t = np.eye(3)[seed % 3] if hard else LOSSES[name].draw(np.random.default_rng(seed), (1, 3))[0]
    record, row = LOSSES[name], np.array([a])
    with mpmath.workdps(100):
        value = exact(name, a, t)
        assert float(abs(record.E(row, t[None])[0] - value)) <= 1e-13 * max(1e-300, float(value))
        for j in range(3):

            def along(a_j, j=j):
                return exact(name, [*a[:j], a_j, *a[j + 1 :]], t)

            slope = mpmath.diff(along, mpmath.mpf(a[j]))
            error = float(abs(record.delta(row, t[None])[0, j] - slope))
            # a target that is no 0 or 1 may cancel with the answer, as it should
            assert error <= 1e-13 * float(abs(slope)) + (0 if hard and name != "squared" else 1e-14)


@pytest.mark.parametrize("name", LOSSES)
def test_delta_is_the_answer_minus_the_target(name):
    rng = np.random.default_rng(1)
    a, t = rng.normal(size=(4, 3)), LOSSES[name].draw(rng, (4, 3))
    np.testing.assert_allclose(LOSSES[name].delta(a, t), LOSSES[name].y(a) - t, atol=1e-15)


@pytest.mark.parametrize("name", LOSSES)
def test_complex_step_of_the_loss_is_delta(name):
    rng = np.random.default_rng(2)
    a, t = 5 * rng.normal(size=(1, 3)), LOSSES[name].draw(rng, (1, 3))
    for j in range(3):
        moved = a.astype(complex)
        moved[0, j] += 1j * STEP
        found = LOSSES[name].E(moved, t)[0].imag / STEP
        assert found == pytest.approx(LOSSES[name].delta(a, t)[0, j], rel=1e-12)


@pytest.mark.parametrize("name", ["logistic", "softmax"])
def test_nothing_overflows_far_out_and_a_right_answer_costs_next_to_nothing(name):
    a, t = np.array([[1e4, -1e4, -1e4]]), np.array([[1.0, 0.0, 0.0]])
    with np.errstate(over="raise", invalid="raise"):
        assert LOSSES[name].E(a, t).tolist() == [0]
        assert LOSSES[name].E(a, t[:, ::-1])[0] == pytest.approx(2e4)
    near = np.array([[40.0, 0.0, -5.0]])
    assert LOSSES["softmax"].E(near, t)[0] == pytest.approx(np.exp(-40) + np.exp(-45), rel=1e-13)


def test_equal_answers_share_the_probability():
    np.testing.assert_allclose(LOSSES["softmax"].y(np.full((1, 4), 7.0)), np.full((1, 4), 0.25))


@pytest.mark.parametrize("name", LOSSES)
def test_drawn_targets_fit(name):
    assert LOSSES[name].refusal(LOSSES[name].draw(np.random.default_rng(0), (50, 3))) == ""


@pytest.mark.parametrize(
    ("name", "t", "message"),
    [
        ("logistic", [[0.0, 1.5]], r"the target 1\.5 is not a probability"),
        ("softmax", [[0.5, 0.6]], r"the targets of example 0 .* sum to 1\.1; make every row sum to 1"),
        ("softmax", [[-0.5, 1.5]], r"the target -0\.5 is not a probability"),
    ],
)
def test_targets_that_do_not_fit_are_refused(name, t, message):
    network = DenseNetwork([1, 2], loss=name)
    trace = network.forward(np.ones((1, 1)))
    with pytest.raises(NetworkError, match=message):
        network.loss(trace, np.array(t))


def test_single_precision_targets_may_round():
    t = np.full((1, 3), 1 / 3, dtype=np.float32)
    network = DenseNetwork([1, 3], loss="softmax", dtype=np.float32)
    gradients = network.backward(network.forward(np.ones((1, 1))), t)
    assert gradients.w[1].dtype == np.float32


def test_an_unknown_loss_is_refused_with_the_names_there_are():
    with pytest.raises(UnknownLoss, match="'hinge' is not in the table; take one of squared, logistic, soft"):
        loss("hinge")


def test_delta_is_printed_as_answer_minus_target():
    said = LOSSES["logistic"].delta_latex % {"a": "a_1", "t": "t_1"}
    assert said == r"\sigma\bigl(a_1\bigr)-t_1"
