import re

import math_core
import pytest

from coursework.backprop.chains import two_chains
from coursework.backprop.derivation import derive
from coursework.backprop.derivation_page import VIEWS, show_derivation
from coursework.backprop.expression import UndefinedSymbol
from coursework.backprop.point import random_point
from coursework.backprop.proof import prove
from coursework.backprop.targets import dE_da, dE_db, dE_dw


@pytest.fixture(scope="module")
def point():
    return random_point([5, 3, 7, 2], "tanh", loss="softmax", biases=True, seed=1)


def rows(text):
    return [line for line in text.splitlines() if line.startswith("|")][2:]


def test_the_general_view_goes_from_the_question_to_the_answer(point):
    target = dE_da("l", "j")
    text, derivation = show_derivation(point, target).data, derive(point.network, target)
    assert len(rows(text)) == len(derivation.steps)
    for row, step in zip(rows(text), derivation.steps, strict=True):
        assert step.latex in row
        assert step.reason in row
        assert f"\n{step.code}\n" in text
        assert "✓ 60" in row
    assert "# a[l] (D[l],), w[l] (D[l + 1], D[l]), delta[l + 1] (D[l + 1],)\nh_prime(a[l][j]) * sum(" in text
    assert "delta[l] = h_prime(a[l]) * (delta[l + 1] @ w[l])" in text
    assert prove(point.network, target).badge in text


def test_the_expanded_view_puts_every_delta_in(point):
    text = show_derivation(point, dE_dw(2, 1, 3), "expanded").data
    first, second = re.findall(r"^\$\$(.+)\$\$$", text, re.MULTILINE)
    assert r"\delta" not in first
    assert r"\frac{e^{a_{k}^{(4)}}}{\sum_{m=1}^{2}e^{a_{m}^{(4)}}}-t_{nk}" in first
    assert r"1-{\bigl(z_{1}^{(3)}\bigr)}^{2}" in second
    assert "np.exp(a[4][k])" in text


def test_the_view_in_numbers_puts_this_points_numbers_in(point):
    text = show_derivation(point, dE_dw("l", "j", "k"), "numbers", l=2, j=3, k=1).data
    delta, z = point.gradients.delta[3][0, 2], point.trace.z[2][0, 0]
    assert rf"{delta:.4g} \cdot" in text
    assert f"{z:.4g}" in text
    assert rf"\approx {delta * z:.10g}" in text


def test_a_letter_without_a_number_is_named(point):
    with pytest.raises(UndefinedSymbol, match=r"\$l\$"):
        show_derivation(point, dE_da("l", "j"), "numbers", j=1)


def test_another_view_is_refused(point):
    with pytest.raises(ValueError, match="take one of general, expanded, numbers"):
        show_derivation(point, dE_da(2, 1), "short")


@pytest.mark.parametrize("view", VIEWS)
def test_every_formula_becomes_mathml_and_no_table_breaks(view, point):
    in_chains = random_point([2] * 10 + [1], "relu", masks=two_chains(10).masks, biases=True)
    converter, count = math_core.LatexToMathML(), 0
    pages = [
        show_derivation(point, dE_da("L", "j"), view, j=2),
        show_derivation(point, dE_db(1, 2), view),
        show_derivation(point, dE_da(2, 1), view),
        show_derivation(in_chains, dE_dw("l", 1, 1), view, l=4),
    ]
    for page in pages:
        for display, inline in re.findall(r"\$\$(.+?)\$\$|\$(.+?)\$", page.data):
            converter.convert_with_local_state(display or inline, displaystyle=bool(display))
            count += 1
        table = [line for line in page.data.splitlines() if line.startswith("|")]
        assert len({line.count("|") for line in table}) <= 1
    assert count > 10
