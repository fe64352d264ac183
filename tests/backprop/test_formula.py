import pytest

from coursework.backprop.expression import Number, Sum
from coursework.backprop.formula import FormulaError, parse
from coursework.backprop.symbols import LOSS, A, Delta, HPrime, Partial, T, W, X, Z


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a(4,1) - t", A(4, 1) - T(0, 1)),
        ("hp(3,1) * w(3,1,1) * d(4,1)", HPrime(3, 1) * W(3, 1, 1) * Delta(4, 1)),
        ("z(2,1) * (1 - z(2,1))", Z(2, 1) * (Number(1) - Z(2, 1))),
        ("a(3,1) / w(2,1,1)", A(3, 1) / W(2, 1, 1)),
        ("Sum(k, 3, w(2,k,1) * d(3,k))", Sum("k", 3, W(2, "k", 1) * Delta(3, "k"))),
        ("D(E, a(4,1)) * x(2)", Partial(LOSS, A(4, 1)) * X(1, 2)),
        ("1 - 2 - 3", (Number(1) - Number(2)) - Number(3)),
    ],
)
def test_a_formula_is_read_as_its_tree(text, tree):
    assert parse(text) == tree


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a(4,1) -",
        "a(4,1) + t",
        "9 ** 9 ** 9",
        "__import__('os').system('true')",
        "a.__class__",
        "[a(1,1)]",
        "a(4)",
        "a(4,1,2)",
        "a(l,1)",
        "a(4,1.5)",
        "w(3,1,f(1))",
        "Sum(k, n, z(2,k))",
        "D(E, a(4,1) * t)",
        "a(4, j=1)",
        "True",
        "'text'",
        "lambda: t",
    ],
)
def test_anything_else_is_refused(text):
    with pytest.raises(FormulaError, match=r"not a formula|not part of the language|not an index"):
        parse(text)
