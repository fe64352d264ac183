from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coursework.backprop.formula import FormulaError, parse
from coursework.backprop.statement import (
    Applied,
    Both,
    Constant,
    Derivative,
    Either,
    Letter,
    Not,
    Operation,
    Over,
    Quantity,
    Statement,
)


def q(name, *indices):
    """Return a quantity; numbers stand for themselves, strings for letters."""
    return Quantity(name, tuple(Letter(i) if isinstance(i, str) else Constant(i) for i in indices))


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a(4,1) - t", Operation("-", q("a", 4, 1), q("t"))),
        ("w(l,j,k)", q("w", "l", "j", "k")),
        ("z(l+1,1)", Quantity("z", (Operation("+", Letter("l"), Constant(1)), Constant(1)))),
        ("D(E, a(4,1)) * x(2)", Operation("*", Derivative(q("E"), q("a", 4, 1)), q("x", 2))),
        ("Sum(d(3,k), (k, 1, 3))", Over("Sum", q("d", 3, "k"), "k", Constant(1), Constant(3))),
        ("Any(a(m,1) <= 0, (m, 2, L))", None),
        ("-exp(err)", Operation("-", Constant(0), Applied("exp", q("err")))),
        ("not E == 0", Not(Operation("==", q("E"), Constant(0)))),
        ("t > 0 and t < 2 or E != 1", None),
        ("2**-3", Operation("**", Constant(2), Operation("-", Constant(0), Constant(3)))),
    ],
)
def test_a_formula_is_read_as_its_tree(text, tree):
    read = parse(text)
    assert isinstance(read, Statement)
    assert tree is None or read == tree


def test_and_binds_tighter_than_or():
    t, E = (Operation(">", q(name), Constant(0)) for name in ("t", "E"))
    assert parse("t > 0 and E > 0 or t > 0") == Either(Both(t, E), t)
    assert parse("t > 0 or E > 0 and t > 0") == Either(t, Both(E, t))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not a formula"),
        ("a(4,1) -", "not a formula"),
        ("sig(a(3,1)) * (1 - sig(a(3,1)) * t", "'\\(' was never closed"),
        ("D(a(3,1)) / t", "a differential by itself is not a number"),
        ("D(E, a(4,1) * t)", "not part of the language"),
        ("__import__('os').system('true')", "not part of the language"),
        ("a.__class__", "not part of the language"),
        ("[t]", "not part of the language"),
        ("a(4)", "not part of the language"),
        ("a(4,1,2)", "not part of the language"),
        ("a(4, j=1)", "not part of the language"),
        ("a(4, *t)", "not part of the language"),
        ("Sum(z(2,k), k)", "not part of the language"),
        ("Sum(z(2,k), (k, 1))", "not part of the language"),
        ("f(t)", "not part of the language"),
        ("tt", "not part of the language"),
        ("0 < t < 1", "not part of the language"),
        ("True", "not part of the language"),
        ("'text'", "not part of the language"),
        ("1j", "not part of the language"),
        ("lambda: t", "not part of the language"),
        ("t if t else t", "not part of the language"),
        ("(t := 1)", "not part of the language"),
        ("t @ t", "not part of the language"),
        ("t\0", "not a formula"),
        ("t" + " + t" * 1000, "characters"),
        ("-" * 500 + "t", "nested too deeply"),
        ("(" * 900 + "t" + ")" * 900, "nested too deeply|not a formula"),
    ],
)
def test_anything_else_is_refused_with_the_reason(text, reason):
    with pytest.raises(FormulaError, match=reason) as caught:
        parse(text)
    assert caught.value.reason in str(caught.value)


@settings(deadline=None, max_examples=200)
@given(st.text(alphabet="aztdLlk(),+-*/<=D 12E_.'[]", max_size=40))
def test_any_text_is_read_or_refused(text):
    with suppress(FormulaError):
        assert isinstance(parse(text), Statement)
