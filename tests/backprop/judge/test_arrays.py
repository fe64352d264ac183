"""Expressions on whole arrays: laid out in three ways, their shapes told, and nothing of them run."""

import pytest

from coursework.backprop.judge.answer import check, verdict
from coursework.backprop.judge.array_reading import ArrayReader, is_numpy
from coursework.backprop.judge.arrays import code
from coursework.backprop.judge.tokens import Unreadable


@pytest.mark.parametrize(
    ("text", "numpy"),
    [
        ("delta4.T @ z3", True),
        ("delta[4].T @ z[3]", True),
        ("np.outer(delta4, z3)", True),
        ("w[3]", True),
        ("a[4] - t", True),
        ("delta[4][1]*z[3][2]", False),
        ("delta_1^(4) z_2^(3)", False),
        (r"\delta_1^{(4)}z_2^{(3)}", False),
        ("y - t", False),
    ],
)
def test_code_on_arrays_is_told_from_formulas(text: str, numpy: bool) -> None:
    assert is_numpy(text) is numpy


@pytest.mark.parametrize(
    ("name", "text", "shapes"),
    [
        ("1.1", "a4 - t", "`a[4] - t` is (n, 1)"),
        ("1.2", "delta4.T @ z3", "`delta[4].T` is (1, n), `z[3]` is (n, 3), `delta[4].T @ z[3]` is (1, 3)"),
        ("1.2", "delta4 @ z3.T", "one example a column"),
        ("1.2", "np.outer(delta4, z3)", "its units a vector"),
        ("1.2", "(delta4.T @ z3)[0, 1]", "is a number"),
        ("1.3", "h_prime(a3) * (delta4 @ w3)", "is (n, 3)"),
        ("1.3", "z3*(1 - z3)*(delta4 @ w3)", "is (n, 3)"),
        ("1.3", "w[3].T @ delta[4] * h_prime(a[3])", "is (3,)"),
        ("1.4", "dw2 = delta3.T @ z2", ""),
        ("1.4", "np.dot(delta3.T, z2)", ""),
        ("1.4", "trace.z[2].T.dot(delta3).T", ""),
        ("1.5", "delta3 @ w2 * h_prime(a2)", ""),
        ("1.6", "(h_prime(a2)*(delta3 @ w2)).T @ x", ""),
        ("2.1", "delta[l+1].T @ z[l]", ""),
        ("2.4", "(h_prime(a[l+1])*(delta[l+2] @ w[l+1])).T @ z[l]", "(2, 2)"),
    ],
)
def test_a_right_expression_is_right_and_its_shapes_are_told(name: str, text: str, shapes: str) -> None:
    answer = check(name, text)
    assert answer.right, str(answer)
    assert shapes in str(answer)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("1.3", "h_prime(a3)*(delta4 @ w3.T)", "shapes (n, 1) and (3, 1) do not fit"),
        ("1.4", "delta3 @ z2", "do not fit"),
        ("1.4", "delta3.T @ z7", "there is no array z[7]"),
        ("1.5", "delta2", "under another name"),
    ],
)
def test_a_wrong_expression_is_wrong_and_says_where_shapes_do_not_fit(
    name: str, text: str, words: str
) -> None:
    answer = check(name, text)
    assert answer.status == "wrong"
    assert words in str(answer)


@pytest.mark.parametrize(
    ("name", "text", "status"),
    [
        ("1.4", "dw2 = delta3.T @ z2", "right"),
        ("1.4", "dE_dw2 = delta3.T @ z2", "right"),
        ("1.4", "gradients.w[2] = delta3.T @ z2", "right"),
        ("1.4", "grad = delta3.T @ z2", "right"),
        ("1.5", "delta2 = delta3 @ w2 * h_prime(a2)", "right"),
        ("1.2", "dw3[0, 1] = (delta4.T @ z3)[0, 1]", "right"),
        ("1.4", "dw3 = delta3.T @ z2", "wrong"),
        ("1.4", "w2 = delta3.T @ z2", "wrong"),
        ("1.4", "2*delta3.T @ z2 == delta3.T @ z2", "wrong"),
        ("1.4", "delta3.T @ z3 = delta3.T @ z2", "wrong"),
        ("1.4", "dw2.T.T", "wrong"),
        ("1.4", "dw2 -= delta3.T @ z2", "unreadable"),
        ("1.4", "dw2 += delta3.T @ z2", "unreadable"),
    ],
)
def test_what_stands_left_of_the_equality_sign_is_judged_too(name: str, text: str, status: str) -> None:
    assert check(name, text).status == verdict(name, text) == status


@pytest.mark.parametrize("name", ["2.1", "2.2", "2.3"])
def test_the_deep_networks_arrays_are_batches_of_both_rows(name: str) -> None:
    for right in ("delta[l+1].T @ z[l]", "delta[l+1] @ z[l].T", "np.outer(delta[l+1], z[l])"):
        assert verdict(name, right) == "right"
    for wrong in ("z[l].T @ delta[l+1]", "delta[l+1] @ z[l]", "np.sum(delta[l+1].T @ z[l])"):
        assert verdict(name, wrong) == "wrong"
    assert "(n, 2)" in str(check(name, "delta[l+1].T @ z[l]"))


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('ls') @ z3",
        "z3.__class__ @ z3",
        "z3 @ lambda: 0",
        "np.load('x') @ z3",
        "z3[1.5] @ z3",
        "z3 ** 99",
        "np.outer(z3)",
        "z3 @",
        "delta @ z3",
        "z3 > 5 @ z3",
        "z3.sum(axis=7) @ z3",
    ],
)
def test_what_is_no_such_expression_is_refused(text: str) -> None:
    assert check("1.2", text).status == "unreadable"


def test_nested_outer_products_do_not_grow_without_end() -> None:
    text = "np.outer(" * 10 + "z3, z3)" + ", z3)" * 9
    answer = check("1.2", text)
    assert answer.status == "wrong"
    assert "more entries" in str(answer)


@pytest.mark.parametrize(
    "text",
    [
        "delta[4].T @ z[3]",
        "h_prime(a[3]) * (delta[4] @ w[3])",
        "-(a[4] - t)",
        "(z[3] - 1) ** 2",
        "z[3][:, None]",
        "z[3].sum(axis=0)",
        "np.outer(delta[4], z[3])",
        "a[3] / (a[3] + 1)",
        "a[3] - (a[3] - 1)",
    ],
)
def test_a_tree_is_printed_as_it_was_typed(text: str) -> None:
    assert code(ArrayReader(text).read()[-1]) == text


def test_a_tree_that_nests_too_deeply_is_refused() -> None:
    with pytest.raises(Unreadable, match="deeper than"):
        ArrayReader("(" * 60 + "z3" + ")" * 60).read()
    with pytest.raises(Unreadable, match="more than 300 symbols"):
        ArrayReader("z3" + "@z3" * 600).read()
