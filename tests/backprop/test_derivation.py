from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coursework.backprop.activations import ACTIVATIONS
from coursework.backprop.derivation import Step, derive
from coursework.backprop.expression import Difference, Product, Sum, UndefinedSymbol
from coursework.backprop.network import DenseNetwork
from coursework.backprop.oracles import autograd, relative_error
from coursework.backprop.point import random_point
from coursework.backprop.symbols import LOSS, A, Delta, HPrime, Partial, Symbol, T, W, X, Z

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


@given(data=st.data(), seed=st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=30, derandomize=True)
def test_the_printed_numpy_gives_the_printed_number(data, seed):
    point = random_point([3, 5, 2, 1], "tanh", seed=seed)
    bottom = data.draw(st.sampled_from(list(every_target(point.network.sizes))))
    derivation = derive(point.network, Partial(LOSS, bottom))
    for step in (derivation.general, derivation.expanded, derivation.specific):
        # the text is our own, so it may be run here
        assert eval(step.code, point.arrays()) == pytest.approx(step.value(point), rel=1e-13)


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
        r"z_{1}^{(3)}\bigl(1-z_{1}^{(3)}\bigr)\,w_{11}^{(3)}\,\bigl(a_{1}^{(4)}-t_{n}\bigr)"
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
    ],
)
def test_a_target_that_is_not_there_is_refused(target):
    with pytest.raises(UndefinedSymbol, match=r"has no|ask for the derivative of \$E_n\$"):
        derive(DenseNetwork([3, 3, 3, 1]), target)


def mutants(formula):
    """Yield copies of a formula with one thing wrong."""
    nodes = list(formula.walk())
    for index, node in enumerate(nodes):
        for wrong in wrong_nodes(node):
            counter = iter(range(len(nodes)))
            yield replaced(formula, index, wrong, counter)


def replaced(formula, index, wrong, counter):
    """Return the formula with `wrong` at the place `index` of a walk."""
    if next(counter) == index:
        return wrong
    if isinstance(formula, Product):
        return Product(tuple(replaced(f, index, wrong, counter) for f in formula.factors))
    if isinstance(formula, Sum):
        return replace(formula, body=replaced(formula.body, index, wrong, counter))
    if isinstance(formula, Difference):
        left = replaced(formula.left, index, wrong, counter)
        return Difference(left, replaced(formula.right, index, wrong, counter))
    return formula


def wrong_nodes(node):
    if isinstance(node, Product):
        for place in range(len(node.factors)):
            yield Product((*node.factors[:place], *node.factors[place + 1 :]))  # a factor is missing
            yield Product((*node.factors, node.factors[place]))  # or there twice
    if isinstance(node, Sum):
        yield replace(node, last=node.last - 1)  # the bound is off by one
        yield node.at(node.letter, 1)  # one term in place of the sum
    if isinstance(node, Difference):
        yield Difference(node.right, node.left)  # the sign
    if isinstance(node, Symbol):
        if isinstance(node, W):
            yield replace(node, j=node.k, k=node.j)  # the transpose
        if isinstance(node.j, int):
            yield replace(node, j=node.j + 1)  # another unit
        if not isinstance(node, X | T):
            yield replace(node, l=node.l + 1)  # another layer
        yield {Z: A, A: Z, Delta: HPrime}.get(type(node), Delta)(node.l, node.j)  # another quantity


def is_rejected(mutant, point, true):
    try:
        return relative_error(Step(mutant, "").value(point), true) > 1e-12
    except (UndefinedSymbol, TypeError):
        return True


@pytest.mark.parametrize("bottom", [A(4, 1), W(3, 1, 2), A(3, 1), W(2, 1, 1), A(2, 1), W(1, 1, 1)])
def test_a_mutated_formula_fails(bottom):
    point = random_point([5, 7, 3, 2], "sigmoid", biases=True, seed=11)
    derivation = derive(point.network, Partial(LOSS, bottom))
    true = true_value(point, bottom)
    checked = 0
    answers = (derivation.general, derivation.expanded, derivation.specific)
    for formula in {answer.expression for answer in answers}:
        assert not is_rejected(formula, point, true)
        for mutant in mutants(formula):
            if mutant == formula or is_output_of_the_output(mutant, formula):
                continue
            assert is_rejected(mutant, point, true), mutant.latex()
            checked += 1
    assert checked >= 5


def is_output_of_the_output(mutant, formula):
    """The output is linear, so z^(4) in the place of a^(4) is no mistake."""
    same = mutant.rebuilt(lambda part: A(part.l, part.j) if type(part) is Z and part.l == 4 else part)
    return same == formula
