import numpy as np
import pytest

from coursework.backprop.expression import Difference, UndefinedSymbol
from coursework.backprop.layers import Level
from coursework.backprop.matrix import Applied, BatchSum, Elementwise, Line, MatMul, Transposed, Whole

l = Level("l")
STATE = {
    "a": {2: np.array([[1.0, 2.0], [3.0, 4.0]])},
    "w": {2: np.array([[5.0, 6.0], [7.0, 8.0]])},
    "t": np.array([[1.0, 1.0], [1.0, 1.0]]),
    "h": np.square,
    "delta": {},
}
a, w, t = Whole("a", 2), Whole("w", 2), Whole("t")


@pytest.mark.parametrize(
    ("matrix", "code", "latex", "value"),
    [
        (a, "a[2]", "A^{(2)}", [[1, 2], [3, 4]]),
        (t, "t", "T", [[1, 1], [1, 1]]),
        (Transposed(a), "a[2].T", r"{A^{(2)}}^{\mathsf{T}}", [[1, 3], [2, 4]]),
        (MatMul(a, w), "a[2] @ w[2]", r"A^{(2)}\,W^{(2)}", [[19, 22], [43, 50]]),
        (Elementwise(a, w), "a[2] * w[2]", r"A^{(2)}\odot W^{(2)}", [[5, 12], [21, 32]]),
        (
            Elementwise(a, MatMul(a, w)),
            "a[2] * (a[2] @ w[2])",
            r"A^{(2)}\odot (A^{(2)}\,W^{(2)})",
            [[19, 44], [129, 200]],
        ),
        (
            Elementwise(a, Elementwise(a, w)),
            "a[2] * (a[2] * w[2])",
            r"A^{(2)}\odot (A^{(2)}\odot W^{(2)})",
            [[5, 24], [63, 128]],
        ),
        (Applied("h", a), "h(a[2])", "h(A^{(2)})", [[1, 4], [9, 16]]),
        (BatchSum(a), "a[2].sum(axis=0)", r"\sum_{n}A^{(2)}_{n}", [4, 6]),
        (Difference(a, t), "a[2] - t", "A^{(2)}-T", [[0, 1], [2, 3]]),
    ],
)
def test_an_array_in_three_forms(matrix, code, latex, value):
    assert matrix.code() == code
    assert matrix.latex() == latex
    np.testing.assert_array_equal(matrix.evaluate(STATE), value)
    # the text is our own, so it may be run
    np.testing.assert_array_equal(eval(code, {"__builtins__": {}, **STATE}), value)


def test_an_array_of_any_layer():
    np.testing.assert_array_equal(Whole("a", l).evaluate(STATE, {"l": 2}), STATE["a"][2])
    assert Whole("a", l + 1).placed("l", 1) == a
    assert t.placed("l", 1) == t
    with pytest.raises(UndefinedSymbol, match=r"there is no a\[l\] at \{'l': 3\}"):
        Whole("a", l).evaluate(STATE, {"l": 3})


def test_a_line_sets_or_adds():
    state = {**STATE, "delta": {2: np.ones((2, 2))}}
    Line(Whole("delta", l), a).run(state, {"l": 2})
    np.testing.assert_array_equal(state["delta"][2], [[1, 2], [3, 4]])
    grows = Line(Whole("delta", l), a, added=True)
    grows.run(state, {"l": 2})
    np.testing.assert_array_equal(state["delta"][2], [[2, 4], [6, 8]])
    assert grows.code() == "delta[l] += a[2]"
    assert grows.latex() == r"\Delta^{(l)}=\Delta^{(l)}+A^{(2)}"
