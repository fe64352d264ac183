"""LaTeX to MathML."""

import pytest

from coursework.publish.mathematics import FormulaError, convert_delimited, to_mathml


def test_a_formula_becomes_a_math_element() -> None:
    assert to_mathml("x^2", display=False) == "<math><msup><mi>x</mi><mn>2</mn></msup></math>"
    assert to_mathml(" x ", display=True) == '<math display="block"><mi>x</mi></math>'


@pytest.mark.parametrize("latex", [r"\substack{a\\b}", r"\smash{a}", r"\unknown", "a & b", r"\frac{a"])
def test_what_the_converter_refuses_is_named(latex: str) -> None:
    with pytest.raises(FormulaError) as refusal:
        to_mathml(latex, display=True)
    assert latex in str(refusal.value)


def test_two_amounts_of_money_are_not_taken_for_a_formula() -> None:
    with pytest.raises(FormulaError, match="dollar sign"):
        to_mathml(" and 6", display=False)


def test_an_overline_is_left_to_the_style_sheet() -> None:
    drawn = to_mathml(r"\overline{xy}", display=False)
    assert '<mrow class="overline">' in drawn
    assert "\u0332" not in drawn


def test_delimited_formulas_in_html_are_found() -> None:
    converted = convert_delimited(r"a $x$ b $$y$$ c \(z\) d \[w\] e \$5 f")
    assert converted.count("<math") == 4
    assert converted.count('display="block"') == 2
    assert r"\$5 f" in converted


def test_entities_inside_a_formula_are_read_as_characters() -> None:
    assert "<mo>&lt;</mo>" in convert_delimited("$a &lt; b$")
