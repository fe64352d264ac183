import numpy as np
import pytest

from coursework.backprop.batches import two_batches
from coursework.backprop.layers import Level
from coursework.backprop.line_mutations import LINE_SLIPS
from coursework.backprop.lines import (
    backward_program,
    batch_state,
    bias_line,
    hidden_line,
    output_line,
    program_code,
    run_program,
    weight_line,
)
from coursework.backprop.network import DenseNetwork, Gradients
from coursework.backprop.oracles import autograd, relative_error
from tests.backprop.masks import MASKS

l = Level("l")


def run_text(code, state):
    """Run the printed program; the text is our own, so it may be."""
    exec(compile(code, "program", "exec"), {"__builtins__": {"range": range, "len": len}}, state)
    return Gradients(dict(state["delta"]), dict(state["dw"]), dict(state["db"]))


def equal(ours, theirs):
    return all(
        mine.keys() == other.keys() and all(np.array_equal(mine[l], other[l]) for l in mine)
        for mine, other in ((ours.delta, theirs.delta), (ours.w, theirs.w), (ours.b, theirs.b))
    )


def test_the_four_lines():
    network = DenseNetwork([5, 3, 7, 2], biases=True)
    lines = [output_line(network, Level("L")), hidden_line(l), weight_line(network, l), bias_line(l)]
    assert [line.code() for line in lines] == [
        "delta[L] = a[L] - t",
        "delta[l] = h_prime(a[l]) * (delta[l + 1] @ w[l])",
        "dw[l] = delta[l + 1].T @ z[l]",
        "db[l] = delta[l + 1].sum(axis=0)",
    ]
    assert [line.latex() for line in lines] == [
        r"\Delta^{(L)}=A^{(L)}-T",
        r"\Delta^{(l)}=h'(A^{(l)})\odot (\Delta^{(l+1)}\,W^{(l)})",
        r"\frac{\partial E}{\partial W^{(l)}}={\Delta^{(l+1)}}^{\mathsf{T}}\,Z^{(l)}",
        r"\frac{\partial E}{\partial B^{(l)}}=\sum_{n}\Delta^{(l+1)}_{n}",
    ]


def test_the_shapes_of_the_lines():
    network = DenseNetwork([5, 3, 7, 2], masks=MASKS)
    assert hidden_line(3).shapes(network.sizes) == "(N, 7) = h_prime((N, 7)) * ((N, 2) @ (2, 7))"
    assert weight_line(network, 2).shapes(network.sizes) == "(7, 3) = ((N, 7).T @ (N, 3)) * (7, 3)"
    assert weight_line(network, 3).shapes(network.sizes) == "(2, 7) = (N, 2).T @ (N, 7)"
    assert bias_line(1).shapes(network.sizes) == "(3,) = (N, 3).sum(axis=0)"
    assert output_line(network, 4).shapes(network.sizes) == "(N, 2) = (N, 2) - (N, 2)"
    assert hidden_line(l).shapes(network.sizes) == (
        "(N, D[l]) = h_prime((N, D[l])) * ((N, D[l + 1]) @ (D[l + 1], D[l]))"
    )


@pytest.mark.parametrize("loss", ["squared", "logistic", "softmax"])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_the_program_finds_autograds_gradients(loss, activation):
    network = DenseNetwork([5, 3, 7, 2], activation, loss=loss, masks=MASKS, biases=True)
    batches = two_batches(network)
    found = batches.run(lambda state: run_program(backward_program(network), state))
    true = autograd(network, batches.x[1], batches.t[1])
    for ours, theirs in ((found.delta, true.delta), (found.w, true.w), (found.b, true.b)):
        assert ours.keys() == theirs.keys()
        assert all(relative_error(ours[l], theirs[l]) <= 1e-12 for l in theirs)


@pytest.mark.parametrize("loss", ["squared", "softmax"])
def test_what_is_printed_is_what_is_run(loss):
    network = DenseNetwork([5, 3, 7, 2], "tanh", loss=loss, masks=MASKS, biases=True)
    batches, right = two_batches(network), backward_program(network)
    compared = 0
    for program in [right, *(mutant for slip in LINE_SLIPS for mutant in slip.of(right))]:
        try:
            with np.errstate(all="ignore"):
                tree = batches.run(lambda state, program=program: run_program(program, state))
        except (LookupError, ValueError):
            continue
        with np.errstate(all="ignore"):
            text = batches.run(lambda state, program=program: run_text(program_code(program), state))
        assert equal(text, tree), program_code(program)
        compared += 1
    assert compared > 25


def test_a_state_starts_with_zeros():
    network = DenseNetwork([2, 3, 1], biases=True)
    state = batch_state(network, network.forward(np.ones((4, 2))), np.ones((4, 1)))
    assert state["delta"][2].shape == (4, 3)
    assert state["dw"][1].shape == (3, 2)
    assert not any(array.any() for kind in ("delta", "dw", "db") for array in state[kind].values())
