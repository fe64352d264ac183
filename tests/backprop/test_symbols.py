import pytest

from coursework.backprop.expression import UndefinedSymbol
from coursework.backprop.point import random_point
from coursework.backprop.symbols import LOSS, A, Delta, HPrime, Partial, T, TOfMany, W, X, Z


@pytest.fixture
def point():
    return random_point([2, 5, 3], "sigmoid", biases=True, seed=1)


@pytest.mark.parametrize(
    ("symbol", "latex", "code"),
    [
        (A(2, 1), "a_{1}^{(2)}", "a[2][0]"),
        (Z(2, "k"), "z_{k}^{(2)}", "z[2][k]"),
        (Delta(3, 2), r"\delta_{2}^{(3)}", "delta[3][1]"),
        (HPrime(2, 1), "h'(a_{1}^{(2)})", "h_prime(a[2][0])"),
        (X(1, 2), "x_{2}", "x[1]"),
        (T(3, 1), "t_{n}", "t[0]"),
        (TOfMany(3, 2), "t_{n2}", "t[1]"),
        (W(1, 2, 1), "w_{21}^{(1)}", "w[1][1, 0]"),
        (W(1, 12, "k"), "w_{12,k}^{(1)}", "w[1][11, k]"),
        (LOSS, "E_{n}", "E"),
        (
            Partial(LOSS, A(3, 1)),
            r"\frac{\partial E_{n}}{\partial a_{1}^{(3)}}",
            'partial(("E",), ("a", 3, 0))',
        ),
    ],
)
def test_how_a_symbol_is_printed(symbol, latex, code):
    assert symbol.latex() == latex
    assert symbol.code() == code


def test_where_a_symbol_gets_its_number(point):
    trace, gradients = point.trace, point.gradients
    assert A(2, 4).evaluate(point) == trace.a[2][0, 3]
    assert Z(2, 4).evaluate(point) == trace.z[2][0, 3]
    assert X(1, 2).evaluate(point) == point.x[0, 1]
    assert T(3, 2).evaluate(point) == point.t[0, 1]
    assert W(1, 4, 2).evaluate(point) == point.network.w[1][3, 1]
    assert Delta(2, 4).evaluate(point) == gradients.delta[2][0, 3]
    assert HPrime(2, 4).evaluate(point) == point.network.activation.h_prime(trace.a[2])[0, 3]
    assert LOSS.evaluate(point) == pytest.approx(((trace.y - point.t) ** 2).sum() / 2)


def test_the_linear_output_has_no_h_prime(point):
    with pytest.raises(UndefinedSymbol, match=r"h'\(a_\{1\}\^\{\(3\)\}\)"):
        HPrime(3, 1).evaluate(point)


def test_symbols_of_different_kinds_are_different():
    assert A(2, 1) != Z(2, 1)
    assert A(2, 1) == A(2, 1)
