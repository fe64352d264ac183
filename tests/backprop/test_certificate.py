"""Four outcomes: two wrong backward passes before the usual checkers, which pass them, and before ours."""

from dataclasses import replace

import numpy as np
import pytest

from coursework.backprop.certificate import Certificate, NotCertified
from coursework.backprop.chains import chain, two_chains
from coursework.backprop.finding import Finding, WrongGradient
from coursework.backprop.network import DenseNetwork, NetworkError
from coursework.backprop.oracles import certify, verify
from coursework.backprop.perturbation import TooLarge, in_double

T = np.array([[0.0]])


def ones(network):
    """The network with every weight 1, where a sigmoid layer multiplies the gradient by about 1/4.5."""
    for l, w in network.w.items():
        w[...] = network.masks.get(l, 1)
    return network


def inputs(network):
    return np.full((1, network.sizes[0]), 0.3)


def wrong_backward(network, x, factor):
    """A backward pass in which every layer's derivative is `factor` times the right one."""
    right, L = network.backward(network.forward(x), T), network.L
    return replace(
        right,
        delta={l: delta * factor ** (L - l) for l, delta in right.delta.items()},
        w={l: dw * factor ** (L - 1 - l) for l, dw in right.w.items()},
    )


def wrong_by_input(network, x, factor):
    """What the wrong backward pass takes dE/dx for."""
    return factor * wrong_backward(network, x, factor).delta[2] @ network.w[1]


def gradcheck_passes(network, factor):
    import torch

    class Loss(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return torch.tensor(network.loss(network.forward(x.numpy()), T))

        @staticmethod
        def backward(ctx, upstream):
            (x,) = ctx.saved_tensors
            return upstream[:, None] * torch.tensor(wrong_by_input(network, x.numpy(), factor))

    x = torch.tensor(inputs(network), requires_grad=True)
    return torch.autograd.gradcheck(Loss.apply, (x,), raise_exception=False)


def check_grads_passes(network, factor):
    import jax
    from jax.test_util import check_grads

    with jax.enable_x64(True):
        like_E = jax.ShapeDtypeStruct((1,), np.float64)
        like_x = jax.ShapeDtypeStruct((1, network.sizes[0]), np.float64)

        @jax.custom_vjp
        def loss(x):
            return jax.pure_callback(lambda x: network.loss(network.forward(np.asarray(x)), T), like_E, x)

        def backward(x, upstream):
            wrong = jax.pure_callback(lambda x: wrong_by_input(network, np.asarray(x), factor), like_x, x)
            return (upstream[:, None] * wrong,)

        loss.defvjp(lambda x: (loss(x), x), backward)
        try:
            check_grads(loss, (jax.numpy.array(inputs(network)),), order=1, modes=["rev"])
        except AssertionError:
            return False
        return True


@pytest.mark.parametrize("checker", [gradcheck_passes, check_grads_passes])
def test_the_usual_checkers_see_a_wrong_backward_pass_in_a_shallow_chain(checker):
    network = ones(chain(3))
    assert checker(network, 1.0)
    assert not checker(network, 1.5)
    assert not checker(network, 0.0)


@pytest.mark.parametrize("checker", [gradcheck_passes, check_grads_passes])
@pytest.mark.parametrize(("weights", "factor"), [(13, 1.5), (13, 0.0), (9, 0.0)])
def test_the_usual_checkers_pass_a_wrong_backward_pass_in_a_deep_one(checker, weights, factor):
    # twelve sigmoid layers: 1.5^12 is 130
    assert checker(ones(chain(weights)), factor)


@pytest.mark.parametrize("network", [chain, two_chains])
@pytest.mark.parametrize("weights", [9, 13, 152])
@pytest.mark.parametrize("factor", [1.5, 0.0])
def test_the_certificate_refuses_both_at_every_depth(network, weights, factor):
    network = ones(network(weights))
    x = inputs(network)
    certificate = certify(network, x, T, wrong_backward(network, x, factor))
    judges = {f.judge for f in certificate.wrong if f.what == "w[1]"}
    assert judges >= {"torch autograd", "complex step", "log domain"}
    with pytest.raises(WrongGradient, match=r"w\[1\] is .* off complex step"):
        certificate.require()


@pytest.mark.parametrize("factor", [0.0, -1.0, 130.0, 1 + 1e-9])
def test_the_weaker_of_two_chains_is_not_hidden_by_the_stronger(factor):
    network = two_chains(152, seed=1)
    for l in range(1, 152):
        network.w[l][0, 0] *= 0.4
    x, weak = inputs(network), range(20, 40)
    wrong = network.backward(network.forward(x), T)
    for array in (part[l] for part in (wrong.delta, wrong.w) for l in weak):
        assert 0 < abs(array[0, 0]) < 1e-30 * abs(array).max()
        array[0, 0] *= factor
    certificate = certify(network, x, T, wrong)
    names = {f"{kind}[{l}]" for kind in ("delta", "w") for l in weak}
    for judge in ("torch autograd", "complex step", "log domain"):
        assert {f.what for f in certificate.wrong if f.judge == judge} == names
    right = {f.what: f.verdict for f in certificate if f.judge == "complex step" and f.what not in names}
    assert set(right.values()) == {"right"}


@pytest.mark.parametrize("network", [chain, two_chains])
def test_at_152_weights_a_right_backward_pass_is_certified_relatively(network):
    network = network(152, seed=1)
    certificate = verify(network, inputs(network), T)
    assert len(certificate) == 4 * 2 * 152
    verdicts = {(f.judge, f.verdict) for f in certificate if f.what in ("w[1]", "delta[2]")}
    assert verdicts == {
        ("torch autograd", "right"),
        ("complex step", "right"),
        ("log domain", "right"),
        ("central differences", "cannot resolve"),
    }
    assert max(f.error for f in certificate if f.judge == "complex step") < 1e-12
    assert max(f.error for f in certificate if f.judge == "log domain") < 1e-10


def test_no_judge_passes_what_float64_cannot_hold():
    network = chain(30)
    network.parameters[...] = 1e-12
    x = inputs(network)
    zeros = wrong_backward(network, x, 0.0)
    certificate = certify(network, x, T, zeros)
    assert not any(f.passed for f in certificate if f.what == "w[1]")
    with pytest.raises(NotCertified, match=r"in delta\[2\].* below 2e-305.*take fewer layers or larger"):
        verify(network, x, T)


def test_a_dead_relu_chain_is_certified_as_exactly_zero():
    network = chain(20, "relu")
    network.w[3][...] = -1
    network.w[1][...] = network.w[2][...] = 1
    certificate = verify(network, np.ones((1, 1)), T)
    assert certificate.passed
    assert not network.backward(network.forward(np.ones((1, 1))), T).w[1].any()


def test_a_gradient_that_should_be_zero_and_is_not_is_wrong():
    network = chain(4, "relu")
    network.parameters[...] = [1, -1, 1, 1]
    x = np.ones((1, 1))
    gradients = network.backward(network.forward(x), T)
    with pytest.raises(WrongGradient, match=r"w\[1\] is inf off"):
        verify(network, x, T, replace(gradients, w={**gradients.w, 1: np.full((1, 1), 1e-300)}))


def test_no_examples_are_no_certificate():
    network = DenseNetwork([2, 3, 1])
    with pytest.raises(NotCertified, match="there is no example"):
        verify(network, np.empty((0, 2)), np.empty((0, 1)))
    assert not Certificate(()).passed


def test_numbers_that_are_not_finite_are_never_certified():
    network = DenseNetwork([2, 3, 1])
    x = np.ones((1, 2))
    right = network.backward(network.forward(x), T)
    with pytest.raises(WrongGradient, match=r"delta\[2\] is inf off torch autograd"):
        verify(network, x, T, replace(right, delta={**right.delta, 2: np.full((1, 3), np.nan)}))
    network.w[1][0, 1] = np.nan
    with pytest.raises(NetworkError, match=r"w\[1\] holds nan"):
        verify(network, x, T)


def test_a_forward_pass_that_overflows_is_not_certified():
    network = chain(4, "relu")
    network.parameters[...] = 1e200
    gradients = chain(4, "relu").backward(chain(4, "relu").forward(np.ones((1, 1))), T)
    certificate = certify(network, np.ones((1, 1)), T, gradients)
    assert not certificate.passed
    assert not any(f.passed for f in certificate)
    with pytest.raises(NotCertified, match="a number is not finite: take smaller weights"):
        verify(network, np.ones((1, 1)), T)


@pytest.mark.parametrize("network", [chain, two_chains])
def test_float32_says_where_its_digits_end_and_its_copy_in_float64_is_certified(network):
    single = network(40, dtype=np.float32)
    x = inputs(single)
    with pytest.raises(NotCertified, match=r"is below 1e-35, where float32 .*certify in_double\(network\)"):
        verify(single, x, T)
    double = in_double(single)
    assert all((double.w[l] == single.w[l]).all() for l in single.w)
    assert verify(double, x, T).passed
    # what is too small is said of the layers in which it is, and of no other
    certificate = certify(single, x, T)
    assert "w[1]" in certificate.unconfirmed
    assert "w[40]" not in certificate.unconfirmed
    assert "runs out of digits: certify in_double(network)" in str(certificate)


def test_a_shallow_network_of_float32_is_certified_as_it_is():
    network = DenseNetwork([3, 5, 2], "tanh", biases=True, dtype=np.float32)
    certificate = verify(network, np.full((2, 3), 0.3), np.ones((2, 2)))
    assert certificate.number == "float32"
    assert 1e-9 < max(finding.error for finding in certificate) < 1e-4


def test_a_relu_at_its_kink_is_reported_and_central_differences_hold_back():
    network = DenseNetwork.from_weights({1: np.array([[1.0], [2.0]]), 2: np.ones((1, 2))}, activation="relu")
    network.w[1][0] = 1e-7
    certificate = verify(network, np.ones((1, 1)), T)
    assert [str(kink) for kink in certificate.kinks] == ["a_1^(2) of example 0 is 1.0e-07"]
    verdict = {f.what: f.verdict for f in certificate if f.judge == "central differences"}
    assert verdict["w[1]"] == verdict["delta[2]"] == "cannot resolve"
    # dE/dw_11^(2), of the size of the kink's 1e-7, is too small for differences; its neighbour is not
    above = next(f for f in certificate if f.judge == "central differences" and f.what == "w[2]")
    assert above.confirms.tolist() == [[False, True]]
    assert "near a kink: a_1^(2)" in str(certificate)


def test_exactly_at_the_kink_the_flat_side_is_right():
    network = DenseNetwork.from_weights({1: np.array([[0.0], [2.0]]), 2: np.ones((1, 2))}, activation="relu")
    x = np.ones((1, 1))
    assert verify(network, x, T).passed
    steep = network.backward(network.forward(x), T)
    steep.w[1][0] = steep.w[1][1]
    with pytest.raises(WrongGradient, match=r"w\[1\]"):
        verify(network, x, T, steep)


@pytest.mark.parametrize("loss", ["logistic", "softmax"])
@pytest.mark.parametrize("scale", [1.0, 40.0])
def test_saturated_outputs_of_a_cross_entropy_keep_their_digits(loss, scale):
    network = DenseNetwork([2, 4, 3], "tanh", loss=loss, seed=3)
    network.w[2][...] *= scale
    t = np.eye(3)[[0, 1]]
    certificate = verify(network, np.array([[0.5, -1.0], [2.0, 0.1]]), t)
    assert max(f.error for f in certificate if f.judge == "complex step") < 1e-11


def test_saturated_sigmoids_are_judged_without_autograds_cancellation():
    # z (1 - z), as autograd has it, keeps no digit of e^-34
    network = chain(3)
    network.parameters[...] = [34.0, 1.0, 1.0]
    certificate = verify(network, np.ones((1, 1)), T)
    verdict = {f.judge: f.verdict for f in certificate if f.what == "w[1]"}
    assert verdict["torch autograd"] == "cannot resolve"
    assert verdict["complex step"] == verdict["log domain"] == "right"


def _finding(judge, errors, allowances):
    return Finding(judge, "w[1]", np.array(errors), np.array(allowances))


def test_an_entry_that_one_judge_alone_confirms_is_not_confirmed_by_its_neighbour():
    both = Certificate((_finding("a", [0, 0], [1e-12, 1e-12]), _finding("b", [0, 0], [1e-12, 1.0])))
    assert [f.verdict for f in both] == ["right", "cannot resolve"]
    assert both.unconfirmed == ("w[1]",)
    third = Certificate((*both.findings, _finding("c", [0, 0], [1.0, 1e-12])))
    assert third.passed


def test_one_judge_alone_confirms_nothing():
    alone = Certificate((_finding("a", [0.0], [1e-12]), _finding("b", [0.5], [1.0])))
    assert alone.unconfirmed == ("w[1]",)
    assert not alone.passed
    with pytest.raises(NotCertified):
        alone.require()


def test_the_certificate_reads_as_a_summary():
    network = DenseNetwork([3, 3, 3, 1])
    text = str(verify(network, np.ones((1, 3)), T))
    assert "log domain           6 right; largest relative error" in text
    assert text.endswith("\npassed")


def test_a_network_too_large_to_move_every_weight_is_refused():
    with pytest.raises(TooLarge, match="judge fewer examples"):
        verify(DenseNetwork([300, 200, 1]), np.ones((50, 300)), np.ones((50, 1)))


def test_complex_weights_are_refused():
    network = DenseNetwork.from_weights({1: np.array([[1j]])})
    with pytest.raises(NetworkError, match="weights are complex"):
        certify(network, np.ones((1, 1)), T)


def test_where_layers_magnify_rounding_judges_allow_what_it_comes_to():
    network = DenseNetwork([8] * 50 + [1], "tanh", seed=2)
    network.parameters[...] *= 4
    certificate = certify(network, np.full((1, 8), 0.3), T)
    first = [f for f in certificate if f.what == "w[1]" and f.judge == "complex step"]
    assert first[0].allowed > 1e-10
    assert not certificate.wrong
