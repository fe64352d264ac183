"""What is typed is read as it was meant, in every notation, or refused with the place named."""

import time

import pytest

from coursework.backprop.judge.answer import check, verdict
from coursework.backprop.judge.latex import latex
from coursework.backprop.judge.layout import BIPARTITE, CHAINS, NETWORK, Layout
from coursework.backprop.judge.reading import readings
from coursework.backprop.judge.tokens import Unreadable


def read(text: str, layout: Layout = NETWORK) -> str:
    """The LaTeX of the one reading of `text`."""
    (reading,) = readings(text, layout)
    return "=".join(latex(side) for side in reading.sides)


@pytest.mark.parametrize(
    "text",
    [
        r"\delta_1^{(4)}z_2^{(3)}",
        r"\delta^{(4)}_1 \cdot z^{(3)}_{2}",
        r"\delta_{1}^{(4)}\,\times\, z_{2}^{(3)}",
        r"\left(\delta_1^{(4)}\right)\bigl(z_2^{(3)}\bigr)",
        "delta[4][1]*z[3][2]",
        "delta_1^(4) z_2^(3)",
        "δ_1^(4) · z_2^(3)",
        "δ₁⁽⁴⁾ z₂⁽³⁾",
        r"\delta_1^4 z_2^3",
        r"\delta_1^{[4]} z_2^{[3]}",
        "$\\delta_1^{(4)} z_2^{(3)}$",
    ],
)
def test_notations_of_one_formula_are_read_alike(text: str) -> None:
    assert read(text) == r"\delta_{1}^{(4)}\,z_{2}^{(3)}"


@pytest.mark.parametrize(
    "text", ["w_{11}^{(3)}", "w^{(3)}_{1,1}", "w_{1 1}^{(3)}", "w[3][1][1]", "w[3][1,1]", "w_11^(3)"]
)
def test_a_superscript_in_parentheses_is_a_layer_and_no_power(text: str) -> None:
    assert read(text) == "w_{11}^{(3)}"


def test_a_second_superscript_is_a_power() -> None:
    assert read("(z_1^{(3)})^2") == r"\left(z_{1}^{(3)}\right)^{2}"
    assert read("t_n^2") == r"\left(t_{n}\right)^{2}"


def test_a_superscript_without_parentheses_is_read_as_a_layer_and_this_is_said() -> None:
    (reading,) = readings("z_2^3", NETWORK)
    assert latex(reading.sides[0]) == "z_{2}^{(3)}"
    assert "read as layer" in reading.notes[0]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (r"\frac12 t_n", r"\frac{1}{2}\,t_{n}"),
        (r"\frac{a_1^{(4)}-t}{2}", r"\frac{a_{1}^{(4)}-t_{n}}{2}"),
        ("e^{-a_2^{(3)}}", "e^{-a_{2}^{(3)}}"),
        (r"h'(a_1^{(3)})", "h'(a_{1}^{(3)})"),
        (r"h^{\prime}(a_1^{(3)})", "h'(a_{1}^{(3)})"),
        (r"\sigma'(a_1^{(3)})", r"\sigma'(a_{1}^{(3)})"),
        (r"\mathbb{1}[a_1^{(3)}>0]", "[a_{1}^{(3)}>0]"),
        (r"\mathbf{1}_{a_1^{(3)}>0}", "[a_{1}^{(3)}>0]"),
        ("0 < a_1^{(3)}", ""),
        (r"\max(0, a_1^{(3)})", r"\max(0,a_{1}^{(3)})"),
        ("|t_n|", r"\left|t_{n}\right|"),
        (r"\frac{\partial E_n(w)}{\partial a_k^{(3)}}", r"\frac{\partial E_{n}}{\partial a_{k}^{(3)}}"),
        ("dE/dw_11^(2)", r"\frac{\partial E_{n}}{\partial w_{11}^{(2)}}"),
        (r"\partial E/\partial w_{11}^{(2)}", r"\frac{\partial E_{n}}{\partial w_{11}^{(2)}}"),
        (r"\sum_{k=1}^3 w_{k1}^{(2)}\delta_k^{(3)}", r"\sum_{k=1}^{3}w_{k1}^{(2)}\,\delta_{k}^{(3)}"),
        ("sum_k w_k1^(2) delta_k^(3)", r"\sum_{k=1}^{3}w_{k1}^{(2)}\,\delta_{k}^{(3)}"),
        ("sum(k=1..3, w_k1^(2) delta_k^(3))", r"\sum_{k=1}^{3}w_{k1}^{(2)}\,\delta_{k}^{(3)}"),
        ("sum(w_k1^(2) delta_k^(3), k=1..3)", r"\sum_{k=1}^{3}w_{k1}^{(2)}\,\delta_{k}^{(3)}"),
        ("Σ_{k=1}^{3} δ_k^(3)", r"\sum_{k=1}^{3}\delta_{k}^{(3)}"),
        ("a_1^{(4)} = y", "a_{1}^{(4)}=y"),
    ],
)  # fmt: skip
def test_every_part_of_the_notation_is_read(text: str, shown: str) -> None:
    if shown:
        assert read(text) == shown
    else:
        with pytest.raises(Unreadable):
            read(text)


def test_a_function_without_parentheses_is_applied_to_the_next_quantity_and_this_is_said() -> None:
    (reading,) = readings(r"\sigma a_1^{(3)} t_n", NETWORK)
    assert latex(reading.sides[0]) == r"\sigma(a_{1}^{(3)})\,t_{n}"
    assert "without parentheses" in reading.notes[0]


def test_in_the_chains_the_top_row_goes_without_saying() -> None:
    assert read(r"w^{(m)} z^{(l)}", CHAINS) == r"w_{11}^{(m)}\,z_{1}^{(l)}"
    assert read("delta[l+1][1]*z[l][1]", CHAINS) == r"\delta_{1}^{(l+1)}\,z_{1}^{(l)}"


def test_a_product_that_no_parenthesis_ends_has_two_readings_and_one_in_parentheses_has_one() -> None:
    open_ended = readings(r"\prod_{m=l+1}^{152}w_{11}^{(m)}z_1^{(l)}", BIPARTITE)
    assert len(open_ended) == 2
    assert "product is taken to end" in open_ended[1].notes[-1]
    assert len(readings(r"\prod_{m=l+1}^{152}((w_{11}^{(m)})z_1^{(l)})", BIPARTITE)) == 1


def test_a_bracket_without_partner_is_closed_in_every_place_that_gives_a_formula() -> None:
    found = readings(r"(1-\sigma(a_1^{(3)})t_n", NETWORK)
    shown = {latex(reading.sides[0]) for reading in found}
    assert shown == {
        r"\left(1-\sigma(a_{1}^{(3)})\right)\,t_{n}",
        r"1-\sigma(a_{1}^{(3)})\,t_{n}",
    }
    assert all("`)` is put in after" in reading.bracket for reading in found)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["there is no formula"]),
        ("z_2", ["without its layer", "z_1^{(3)}"]),
        ("z^{(3)}", ["without its unit"]),
        ("w_1^{(3)}", ["two indices"]),
        ("a_{12}^{(3)} + ", ["is expected before 'the end'"]),
        ("q_1^{(3)}", ["'_' does not continue the formula"]),
        (r"\foo{3}", ["foo", "is not part of these formulas"]),
        ("banana", ["'banana' is no quantity"]),
        ("9**9**9", ["power of a power"]),
        ("t^{99}", ["too large"]),
        ("x_1^{99}", ["a number up to 12"]),
        ("y^{(4)}", ["y has no layer"]),
        ("(t)^{99}", ["too large"]),
        ("t^t", ["exponent"]),
        ("1234567890123", ["too many digits"]),
        ("__import__('os').system('ls')", ["at character 1"]),
        (r"\prod_m w_{11}^{(m)}", ["no upper bound"]),
        (r"\sum_{k=1}^{9999} t", ["more than 200 terms"]),
        (r"\sum_{i=1}^{99}\sum_{j=1}^{99}\sum_{k=1}^{99} t", ["too many terms together"]),
        (r"\sum_{i=1}^{3}\sum_{j=1}^{i} t", ["a bound may be a number, l or L"]),
        ("e z_1^{(3)}", ["e stands without an exponent"]),
        (r"\frac{\partial \delta_1^{(3)}}{\partial z_1^{(2)}}", ["derivative of delta"]),
        ("2 3", ["side by side"]),
        ("z[3][0]", ["does not exist"]),
    ],
)
def test_what_cannot_be_read_is_refused_with_place_and_remedy(text: str, words: list[str]) -> None:
    answer = check("1.4", text)
    assert answer.status == ("wrong" if text == "z[3][0]" else "unreadable")
    for word in words:
        assert word in str(answer)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 1_000_000,
        "(" * 30 + "t" + ")" * 30,
        "((" * 700 + "t" + "))" * 700,
        "z" * 10_000_000,
        "9**9**9**9",
        "__import__('os').system('echo hello')",
        r"\sum_{i=1}^{200}\sum_{j=1}^{99} t",
        "h'" * 1_900,
        "-" * 1_400 + "t",
        r"\frac" * 700,
        "np.outer(" * 30 + "z3, z3)" + ", z3)" * 29,
        "z3" + "@z3" * 600,
        "_{" * 700,
        "sum(" * 300 + "t",
        "sum(" * 18 + "t" + ")" * 18,
        "sum_{k=1}^{3} " * 300 + "t",
        "1" * 4_000,
        "\x00\ud800",
    ],
)
def test_hostile_input_is_answered_within_a_second_or_so(text: str) -> None:
    began = time.process_time()
    assert verdict("1.4", text) in ("unreadable", "wrong")
    assert time.process_time() - began < 5
