import math_core
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coursework.backprop.activations import ACTIVATIONS
from coursework.backprop.chains import two_chains
from coursework.backprop.derivation import derive
from coursework.backprop.expression import UndefinedSymbol
from coursework.backprop.layers import Level
from coursework.backprop.links import places
from coursework.backprop.network import DenseNetwork
from coursework.backprop.oracles import autograd, relative_error
from coursework.backprop.point import ExamplePoint, random_point
from coursework.backprop.symbols import LOSS, A, B, Partial, W, Z
from tests.backprop.masks import MASKS

l, L = Level("l"), Level("L")

# different primes, so that a formula that mixes up two layers cannot come out right by accident
PRIMES = [2, 7, 5, 3]


def every_target(sizes):
    for l in range(1, len(sizes)):
        yield from (A(l + 1, j) for j in range(1, sizes[l] + 1))
        yield from (W(l, j, k) for j in range(1, sizes[l] + 1) for k in range(1, sizes[l - 1] + 1))


def true_value(point, bottom):
    gradients = autograd(point.network, point.x, point.t)
    if isinstance(bottom, W):
        return gradients.w[bottom.l][bottom.j - 1, bottom.k - 1]
    if isinstance(bottom, B):
        return gradients.b[bottom.l][bottom.j - 1]
    return gradients.delta[bottom.l][0, bottom.j - 1]


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_answers_for_every_unit_and_weight_are_autograds(activation):
    point = random_point([2, 5, 3, 1], activation, biases=True, seed=7)
    for bottom in every_target(point.network.sizes):
        derivation = derive(point.network, Partial(LOSS, bottom))
        for step in (derivation.general, derivation.expanded, derivation.specific):
            assert relative_error(step.value(point), true_value(point, bottom)) <= 1e-12, step.latex


@given(data=st.data(), activation=st.sampled_from(sorted(ACTIVATIONS)), seed=st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=30, derandomize=True)
def test_every_line_of_any_derivation_is_the_derivative(data, activation, seed):
    sizes = data.draw(st.permutations(PRIMES))
    point = random_point(sizes, activation, biases=data.draw(st.booleans()), seed=seed)
    bottom = data.draw(st.sampled_from(list(every_target(sizes))))
    true = true_value(point, bottom)
    for step in derive(point.network, Partial(LOSS, bottom)).lines:
        assert relative_error(step.value(point), true) <= 1e-12, step.latex


def run(code, point, **letters):
    """Run a printed line with nothing in reach but the arrays; the text is our own, so it may be."""
    scope = {**point.arrays(), **{name: number - (name != "l") for name, number in letters.items()}}
    return eval(code, {"__builtins__": {"sum": sum, "range": range, "len": len}, **scope})


#: Networks of every kind, and targets in them with what their letters are to be.
KINDS = {
    "squared error": (
        {"sizes": [3, 5, 2, 1], "activation": "tanh"},
        [(A(2, 4), {}), (W(1, 4, 2), {}), (A(l, "j"), {"l": 3, "j": 2}), (A(L, 1), {})],
    ),
    "logistic": (
        {"sizes": [3, 5, 2], "loss": "logistic", "biases": True},
        [(A(L, "j"), {"j": 2}), (A(2, 5), {}), (B(l, "j"), {"l": 1, "j": 4}), (B(2, 1), {})],
    ),
    "softmax": (
        {"sizes": [3, 2, 5, 3], "loss": "softmax", "activation": "relu", "biases": True},
        [(A(L, "j"), {"j": 2}), (A(4, 3), {}), (W(l, "j", "k"), {"l": 2, "j": 5, "k": 1}), (A(2, 1), {})],
    ),
    "links missing": (
        {"sizes": [5, 3, 7, 2], "masks": MASKS, "biases": True},
        [(A(2, 2), {}), (A(3, 4), {}), (W(1, 3, 4), {}), (A(l, "j"), {"l": 2, "j": 3}), (W(2, 1, 3), {})],
    ),
    "two chains": (
        {"sizes": [2] * 12 + [1], "masks": {m: np.eye(2) for m in range(1, 12)}},
        [
            (W(l, 2, 2), {"l": 7}),
            (W(l, 1, 1), {"l": 12}),
            (W(2, 2, 2), {}),
            (A(9, 2), {}),
            (A(l, 1), {"l": 2}),
        ],
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_printed_numpy_gives_the_printed_number(kind):
    options, targets = KINDS[kind]
    point = random_point(seed=5, **options)
    for bottom, letters in targets:
        derivation = derive(point.network, Partial(LOSS, bottom))
        true = true_value(point, derivation.at(**letters).target.bottom.placed("L", point.network.L))
        for step in derivation.lines:
            assert relative_error(step.value(point, **letters), true) <= 1e-12, step.latex
            assert run(step.code, point, **letters) == pytest.approx(true, rel=1e-12), step.code
            assert run(step.at(**letters).code, point) == pytest.approx(true, rel=1e-12), step.code


@pytest.mark.parametrize("kind", KINDS)
def test_the_arrays_that_the_code_reads_have_the_shapes_that_are_shown(kind):
    options, targets = KINDS[kind]
    point = random_point(seed=5, **options)
    scope = {"L": point.network.L, **point.arrays()}
    for bottom, letters in targets:
        derivation = derive(point.network, Partial(LOSS, bottom)).at(**letters)
        for step in derive(point.network, Partial(LOSS, derivation.target.bottom)).lines:
            for name, shape in step.shapes.items():
                if "m" not in name and "L" not in name:
                    assert str(eval(name, {}, scope).shape) == shape, step.code


@pytest.mark.parametrize("kind", KINDS)
def test_every_formula_becomes_mathml_in_letters_and_in_numbers(kind):
    options, targets = KINDS[kind]
    point = random_point(seed=5, **options)
    converter = math_core.LatexToMathML()
    for bottom, letters in targets:
        derivation = derive(point.network, Partial(LOSS, bottom))
        converter.convert_with_local_state(derivation.matrix.latex(), displaystyle=True)
        for step in derivation.lines:
            converter.convert_with_local_state(step.latex, displaystyle=True)
            converter.convert_with_local_state(step.at(**letters).numbers(point), displaystyle=True)
            for formula in step.reason.split("$")[1::2]:
                converter.convert_with_local_state(formula, displaystyle=False)


@given(seed=st.integers(0, 2**32 - 1), activation=st.sampled_from(sorted(ACTIVATIONS)), data=st.data())
@settings(deadline=None, max_examples=20, derandomize=True)
def test_every_line_holds_in_networks_with_links_missing_anywhere(data, activation, seed):
    sizes = data.draw(st.permutations([2, 4, 3, 3]))
    rng = np.random.default_rng(seed)
    # every unit gets something, so that none stands at its kink for want of an input
    masks = {m: rng.integers(0, 2, (sizes[m], sizes[m - 1])) for m in (1, 2, 3)}
    for mask in masks.values():
        mask[:, 0] = 1
    loss = data.draw(st.sampled_from(["squared", "logistic", "softmax"]))
    point = random_point(sizes, activation, loss=loss, masks=masks, biases=True, seed=seed)
    letters = data.draw(st.sampled_from(list(places(point.network, W(l, "j", "k")))))
    for bottom in (
        W(l, "j", "k"),
        W(letters["l"], letters["j"], letters["k"]),
        A(letters["l"] + 1, letters["j"]),
    ):
        true = true_value(point, derive(point.network, Partial(LOSS, bottom)).at(**letters).target.bottom)
        for step in derive(point.network, Partial(LOSS, bottom)).lines:
            assert relative_error(step.value(point, **letters), true) <= 1e-10, step.latex


def latex(network, bottom):
    return [step.latex for step in derive(network, Partial(LOSS, bottom)).lines]


def test_any_hidden_unit_of_any_layer():
    assert latex(DenseNetwork([5, 3, 7, 2]), A(l, "j"))[2:5] == [
        r"\sum_{k=1}^{D_{l+1}}\delta_{k}^{(l+1)}\,\frac{\partial a_{k}^{(l+1)}}{\partial a_{j}^{(l)}}",
        r"\sum_{k=1}^{D_{l+1}}\delta_{k}^{(l+1)}\,w_{kj}^{(l)}\,h'(a_{j}^{(l)})",
        r"h'(a_{j}^{(l)})\,\sum_{k=1}^{D_{l+1}}w_{kj}^{(l)}\,\delta_{k}^{(l+1)}",
    ]


def test_the_closed_form_of_the_two_chains():
    derivation = derive(two_chains(152), Partial(LOSS, W(l, 1, 1)))
    assert derivation.expanded.latex == (
        r"\bigl(a_{1}^{(L)}-t_{n}\bigr)\,z_{1}^{(l)}\,\prod_{m=l+1}^{L-1}w_{11}^{(m)}\,h'(a_{1}^{(m)})"
    )
    assert derivation.at(l=150, L=153).expanded.latex == (
        r"\bigl(a_{1}^{(153)}-t_{n}\bigr)\,z_{1}^{(150)}\,\prod_{m=151}^{152}w_{11}^{(m)}\,h'(a_{1}^{(m)})"
    )
    second = derive(two_chains(152), Partial(LOSS, W(l, 2, 2)))
    assert second.expanded.latex == (
        r"w_{12}^{(L-1)}\,h'(a_{2}^{(L-1)})\,\bigl(a_{1}^{(L)}-t_{n}\bigr)\,z_{2}^{(l)}\,"
        r"\prod_{m=l+1}^{L-2}w_{22}^{(m)}\,h'(a_{2}^{(m)})"
    )


def test_a_path_that_changes_its_row_is_written_out_factor_by_factor():
    swap = np.array([[0, 1], [1, 0]])
    network = DenseNetwork([2, 2, 2, 2], masks=dict.fromkeys((1, 2, 3), swap))
    assert derive(network, Partial(LOSS, A(2, 1))).expanded.latex == (
        r"h'(a_{1}^{(2)})\,w_{21}^{(2)}\,h'(a_{2}^{(3)})\,w_{12}^{(3)}\,\bigl(a_{1}^{(4)}-t_{n1}\bigr)"
    )
    assert (
        latex(network, A(l, 1))[-2] == r"h'(a_{1}^{(l)})\,\sum_{k:\,1\to k}w_{k1}^{(l)}\,\delta_{k}^{(l+1)}"
    )


def test_sums_run_over_the_links_that_there_are():
    network = DenseNetwork([5, 3, 7, 2], masks=MASKS)
    assert latex(network, A(2, 2))[4] == (
        r"h'(a_{2}^{(2)})\,\sum_{k\in\{2,3,5,6\}}w_{k2}^{(2)}\,\delta_{k}^{(3)}"
    )
    assert latex(two_chains(4), A(2, 2))[5] == r"h'(a_{2}^{(2)})\,w_{22}^{(2)}\,\delta_{2}^{(3)}"


def test_a_unit_that_leads_nowhere_has_derivative_0():
    network = DenseNetwork([1, 2, 1], masks={2: np.array([[1, 0]])})
    point = ExamplePoint(network, np.ones(1), np.ones(1))
    assert [step.value(point) for step in derive(network, Partial(LOSS, A(2, 2))).lines] == [0] * 7


def test_the_softmax_line_by_line():
    assert latex(DenseNetwork([2, 3], loss="softmax"), A(2, 1))[1:6] == [
        r"-\sum_{k=1}^{3}\frac{t_{nk}}{y_{k}}\,\frac{\partial y_{k}}{\partial a_{1}^{(2)}}",
        r"-\sum_{k=1}^{3}\frac{t_{nk}}{y_{k}}\,y_{k}\,\bigl([k=1]-y_{1}\bigr)",
        r"\bigl(\sum_{k=1}^{3}t_{nk}\bigr)\,y_{1}-t_{n1}",
        r"y_{1}-t_{n1}",
        r"\frac{e^{a_{1}^{(2)}}}{\sum_{k=1}^{3}e^{a_{k}^{(2)}}}-t_{n1}",
    ]


def test_the_logistic_line_by_line():
    assert latex(DenseNetwork([2, 1], loss="logistic"), A(2, 1))[1:5] == [
        r"\bigl(\frac{1-t_{n}}{1-y_{1}}-\frac{t_{n}}{y_{1}}\bigr)\,"
        r"\frac{\partial y_{1}}{\partial a_{1}^{(2)}}",
        r"\bigl(\frac{1-t_{n}}{1-y_{1}}-\frac{t_{n}}{y_{1}}\bigr)\,y_{1}\,\bigl(1-y_{1}\bigr)",
        r"y_{1}-t_{n}",
        r"\sigma(a_{1}^{(2)})-t_{n}",
    ]


def test_a_deep_dense_network_is_written_out_as_far_as_it_can_be_added_up():
    network = DenseNetwork([9] * 20)
    expanded = derive(network, Partial(LOSS, A(2, 1))).expanded
    assert r"\delta_{" in expanded.latex
    assert "the next layers" in expanded.reason
    point = ExamplePoint(network, np.ones(9), np.ones(9))
    assert relative_error(expanded.value(point), true_value(point, A(2, 1))) <= 1e-12


def test_the_numbers_of_a_point_are_put_in_factor_by_factor():
    w = {1: np.array([[1.0, 2.0], [3.0, 4.0]]), 2: np.array([[5.0, 6.0]])}
    point = ExamplePoint(
        DenseNetwork.from_weights(w, activation="relu"), np.array([3.0, -1.0]), np.array([30.0])
    )
    # a^(2) = (1, 5), a^(3) = 35, delta^(3) = 5
    derivation = derive(point.network, Partial(LOSS, W(1, 2, 1)))
    assert derivation.general.numbers(point) == r"30 \cdot 3"
    assert derivation.expanded.numbers(point) == r"3 \cdot 1 \cdot 6 \cdot \bigl(35-30\bigr)"
    anywhere = derive(point.network, Partial(LOSS, A(l, "j")))
    assert anywhere.general.at(l=2, j=2).numbers(point) == r"1 \cdot \bigl(6 \cdot 5\bigr)"


def test_the_line_of_numpy_for_the_whole_layer_and_its_shapes():
    network = DenseNetwork([5, 3, 7, 2], biases=True)
    lines = {
        bottom: derive(network, Partial(LOSS, bottom)).matrix
        for bottom in (A(4, 1), A(2, 1), W(2, 1, 1), B(1, 1))
    }
    assert [(line.code(), line.shapes(network.sizes)) for line in lines.values()] == [
        ("delta[4] = a[4] - t", "(N, 2) = (N, 2) - (N, 2)"),
        ("delta[2] = h_prime(a[2]) * (delta[3] @ w[2])", "(N, 3) = h_prime((N, 3)) * ((N, 7) @ (7, 3))"),
        ("dw[2] = delta[3].T @ z[2]", "(7, 3) = (N, 7).T @ (N, 3)"),
        ("db[1] = delta[2].sum(axis=0)", "(3,) = (N, 3).sum(axis=0)"),
    ]


def test_a_hidden_unit_of_the_assignment_line_by_line():
    derivation = derive(DenseNetwork([3, 3, 3, 1]), Partial(LOSS, A(3, 1)))
    assert [step.latex for step in derivation.steps] == [
        r"\frac{\partial E_{n}}{\partial a_{1}^{(3)}}",
        r"\sum_{k=1}^{1}\frac{\partial E_{n}}{\partial a_{k}^{(4)}}\,"
        r"\frac{\partial a_{k}^{(4)}}{\partial a_{1}^{(3)}}",
        r"\sum_{k=1}^{1}\delta_{k}^{(4)}\,\frac{\partial a_{k}^{(4)}}{\partial a_{1}^{(3)}}",
        r"\sum_{k=1}^{1}\delta_{k}^{(4)}\,w_{k1}^{(3)}\,h'(a_{1}^{(3)})",
        r"h'(a_{1}^{(3)})\,\sum_{k=1}^{1}w_{k1}^{(3)}\,\delta_{k}^{(4)}",
        r"h'(a_{1}^{(3)})\,w_{11}^{(3)}\,\delta_{1}^{(4)}",
    ]
    assert derivation.specific.latex == (
        r"z_{1}^{(3)}\,\bigl(1-z_{1}^{(3)}\bigr)\,w_{11}^{(3)}\,\bigl(a_{1}^{(4)}-t_{n}\bigr)"
    )


def test_a_first_weight_of_the_assignment_with_everything_put_in():
    derivation = derive(DenseNetwork([3, 3, 3, 1]), Partial(LOSS, W(1, 1, 1)))
    assert derivation.general.latex == r"\delta_{1}^{(2)}\,x_{1}"
    assert derivation.expanded.latex == (
        r"x_{1}\,h'(a_{1}^{(2)})\,\sum_{k=1}^{3}w_{k1}^{(2)}\,h'(a_{k}^{(3)})\,w_{1k}^{(3)}\,"
        r"\bigl(a_{1}^{(4)}-t_{n}\bigr)"
    )


def test_nested_sums_have_letters_of_their_own():
    latex = derive(DenseNetwork([2, 3, 5, 7]), Partial(LOSS, A(2, 1))).expanded.latex
    assert r"\sum_{k=1}^{5}" in latex
    assert r"\sum_{m=1}^{7}" in latex
    assert "t_{nm}" in latex


@pytest.mark.parametrize(
    "target",
    [
        Partial(LOSS, A(1, 1)),
        Partial(LOSS, A(4, 2)),
        Partial(LOSS, A(5, 1)),
        Partial(LOSS, W(4, 1, 1)),
        Partial(LOSS, W(0, 1, 1)),
        Partial(LOSS, W(3, 1, 4)),
        Partial(LOSS, Z(3, 1)),
        Partial(A(4, 1), A(3, 1)),
        Partial(LOSS, B(1, 1)),
        Partial(LOSS, A(l, 4)),
        Partial(LOSS, W(L, "j", "k")),
    ],
)
def test_a_target_that_is_not_there_is_refused(target):
    with pytest.raises(UndefinedSymbol, match=r"has no|ask for the derivative of \$E_n\$"):
        derive(DenseNetwork([3, 3, 3, 1]), target)


def test_a_weight_that_the_mask_takes_out_is_no_target():
    with pytest.raises(UndefinedSymbol, match="its mask says that there is no such link"):
        derive(two_chains(4), Partial(LOSS, W(2, 1, 2)))
    assert derive(two_chains(4), Partial(LOSS, W(4, 1, 2))).general.latex == r"\delta_{1}^{(5)}\,z_{2}^{(4)}"


def test_a_layer_without_a_number_has_no_value():
    point = random_point([2, 3, 1], seed=1)
    step = derive(point.network, Partial(LOSS, A(l, "j"))).general
    with pytest.raises(UndefinedSymbol, match=r"nothing says what \$l\$ is"):
        step.value(point, j=1)
    with pytest.raises(UndefinedSymbol, match=r"index \$j\$ is not bound"):
        step.value(point, l=2)
    with pytest.raises(UndefinedSymbol, match="there is no"):
        step.value(point, l=2, j=0)
    with pytest.raises(UndefinedSymbol, match="with `at`"):
        int(l)
