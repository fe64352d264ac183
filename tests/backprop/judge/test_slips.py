"""The slip is named: each kind where it was made, two at once, and those of the published solution."""

import pytest

from coursework.backprop.judge import answer, array_edits
from coursework.backprop.judge.answer import check
from coursework.backprop.judge.slips import KINDS

CHAIN = r"(a_1^{(153)}-t_n)z_1^{(l)}\prod_{m=l+1}^{152}w_{11}^{(m)}"


@pytest.fixture(autouse=True)
def _time_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which slip is named must not hang on how busy the machine is; the deadline has tests of its own."""
    for module in (answer, array_edits):
        monkeypatch.setattr(module, "LIMIT", 20 * module.LIMIT)


@pytest.mark.parametrize(
    ("name", "text", "kind", "advice"),
    [
        ("1.4", r"h'(a_1^{(3)})w_{11}^{(2)}\delta_1^{(4)}z_1^{(2)}", "layer", "write $w_{11}^{(3)}$"),
        ("1.2", r"\delta_1^{(4)}z_3^{(3)}", "index", "write $z_{2}^{(3)}$ for $z_{3}^{(3)}$"),
        ("1.5", r"h'(a_1^{(2)})\sum_{k=1}^3 w_{1k}^{(2)}\delta_k^{(3)}", "swap", "write $w_{k1}^{(2)}$"),
        ("1.3", r"h'(a_i^{(3)})w_{11}^{(3)}\delta_1^{(4)}", "unbound", "a_{1}^{(3)}"),
        ("1.4", r"\delta_1^{(3)}a_1^{(2)}", "symbol", "write $z_{1}^{(2)}$ for $a_{1}^{(2)}$"),
        ("1.3", r"h(a_1^{(3)})w_{11}^{(3)}\delta_1^{(4)}", "derivative", "write $h'(a_{1}^{(3)})$"),
        ("1.3", r"[a_1^{(3)}>0]w_{11}^{(3)}\delta_1^{(4)}", "activation", "you answered for a ReLU network"),
        ("2.3", CHAIN + r"\sigma'(a_1^{(m)})", "activation", "you answered for a sigmoid network"),
        ("1.3", r"(1-\tanh(a_1^{(3)})^2)w_{11}^{(3)}\delta_1^{(4)}", "activation", "tanh network"),
        ("1.3", r"w_{11}^{(3)}\delta_1^{(4)}", "missing factor", "multiply by $h'(a_{1}^{(3)})$"),
        ("1.3", r"h'(a_1^{(3)})w_{11}^{(3)}\delta_1^{(4)}z_1^{(3)}", "extra factor", "$z_{1}^{(3)}$ out"),
        ("1.2", r"a_1^{(4)}z_2^{(3)}", "missing term", "a_{1}^{(4)}-t_{n}"),
        ("1.1", r"a_1^{(4)}-t_n-x_1", "extra term", "leave the term $x_{1}$ out"),
        ("1.1", r"t_n-a_1^{(4)}", "sign", "turn the sign"),
        ("1.2", r"2\delta_1^{(4)}z_2^{(3)}", "constant", "2"),
        ("1.2", r"\delta_1^{(4)}(z_2^{(3)})^2", "power", "write $z_{2}^{(3)}$"),
        ("1.5", r"h'(a_1^{(2)})w_{11}^{(2)}\delta_1^{(3)}", "missing sum", r"\sum_{k=1}^{3}"),
        ("1.5", r"h'(a_1^{(2)})w_{k1}^{(2)}\delta_k^{(3)}", "missing sum", r"\sum_{k=1}^{3}"),
        ("1.2", r"\delta_1^{(4)}\sum_{k=1}^3 z_k^{(3)}", "extra sum", "write $z_{2}^{(3)}$"),
        (
            "1.5", r"h'(a_1^{(2)})(\sum_k w_{k1}^{(2)})(\sum_k\delta_k^{(3)})",
            "sum of products", r"w_{k1}^{(2)}\,\delta_{k}^{(3)}",
        ),
        ("2.1", CHAIN.replace("prod", "sum") + r"h'(a_1^{(m)})", "sum or product", r"\prod"),
        ("2.1", CHAIN.replace("152", "153") + r"h'(a_1^{(m)})", "bound", "^{152}"),
        ("2.1", CHAIN.replace("l+1", "l") + r"h'(a_1^{(m)})", "bound", "m=l+1"),
        (
            "2.1", r"(a_1^{(153)}-t_n)\prod_{m=l+1}^{152}(w_{11}^{(m)}h'(a_1^{(m)})z_1^{(l)})",
            "scope", r"z_{1}^{(l)}\,\prod",
        ),
        ("1.2", r"a_1^{(4)}-t_n z_2^{(3)}", "parenthesis", r"\left(a_{1}^{(4)}-t_{n}\right)"),
        ("1.2", r"(a_1^{(4)}-t_n z_2^{(3)}", "parenthesis", "do not balance"),
        ("1.2", r"\delta_1^{(4)}/z_2^{(3)}", "fraction", ""),
        ("1.4", r"\delta_1^{(3)}\frac{\partial a_1^{(3)}}{w_{11}^{(2)}}", "partial sign", "denominator"),
        ("1.4", "delta3.T @ z3", "layer", "write `z[2]` for `z[3]`"),
        ("1.4", "z2.T @ delta3", "transpose", ".T"),
        ("1.5", "h_prime(a2)*(delta3 * w2)", "matrix product", "delta[3] @ w[2]"),
        ("1.5", "h_prime(a2)*(w2 @ delta3)", "transpose", "write `w[2].T` for `w[2]`"),
    ],
)  # fmt: skip
def test_one_slip_is_named_with_the_way_to_mend_it(name: str, text: str, kind: str, advice: str) -> None:
    answer = check(name, text)
    assert answer.status == "wrong"
    assert kind in [slip.kind for slip in answer.slips], str(answer)
    assert advice in " ".join(slip.advice for slip in answer.slips)
    assert KINDS[kind][0] in str(answer).lower() or KINDS[kind][0] in str(answer)


@pytest.mark.parametrize(
    ("name", "text", "kinds"),
    [
        ("1.4", r"h(a_1^{(3)})w_{11}^{(4)}\delta_1^{(4)}z_1^{(2)}", {"derivative", "layer"}),
        ("1.5", r"\sum_{k=1}^3 w_{1k}^{(2)}\delta_k^{(3)}", {"missing factor", "swap"}),
        ("1.2", r"-2\delta_1^{(4)}z_2^{(3)}", {"sign", "constant"}),
        ("2.1", CHAIN.replace("152", "153"), {"bound", "missing factor"}),
        ("1.5", "h(a2)*(delta3 @ w2.T)", {"derivative", "transpose"}),
    ],
)
def test_two_slips_are_named_together(name: str, text: str, kinds: set[str]) -> None:
    answer = check(name, text)
    assert kinds in [{slip.kind for slip in guess} for guess in (answer.slips, *answer.others)], str(answer)


SIGMA = r"\sigma(a_1^{(%s)})(1-\sigma(a_1^{(%s)})"


@pytest.mark.parametrize(
    ("name", "published", "kinds"),
    [
        (
            "1.3",
            r"\frac{\partial E_n}{\partial a_1^{(3)}}=\sum_{k=1}^1\frac{\partial E_n}{\partial a_k^{(4)}}"
            r"\frac{\partial a_k^{(4)}}{\partial a_i^{(3)}}",
            {"unbound"},
        ),
        (
            "1.3",
            r"\frac{\partial a_m^{(4)}}{\partial a_1^{(3)}}=\frac{\partial\sum_{m=1}^3\sum_{k=1}^3"
            r" w_{km}^{(3)}z_m^{(3)}}{\partial a_1^{(3)}}=\frac{\partial\sum_{m=1}^3\sum_{k=1}^3 w_{km}^{(3)}"
            r"h(a_m^{(3)})}{\partial a_1^{(3)}}",
            {"extra sum"},
        ),
        (
            "1.3",
            r"\frac{\partial a_1^{(4)}}{\partial a_1^{(3)}}=h'(a_1^{(3)})\sum_{k=1}^3 w_{kn}^{(3)}",
            {"unbound", "bound"},
        ),
        (
            "1.3",
            r"\frac{\partial E_n}{\partial a_1^{(3)}}=" + SIGMA % (3, 3) + r"w_{11}^{(3)}\delta_1^{(4)}",
            {"parenthesis"},
        ),
        (
            "1.4",
            r"\frac{\partial E}{\partial w_{11}^{(2)}}=\delta_1^{(3)}\frac{\partial a_1^{(3)}}{w_{11}^{(2)}}",
            {"partial sign"},
        ),
        ("1.4", r"\frac{\partial a_1^{(3)}}{w_{11}^{(2)}}=z_1^{(2)}", {"partial sign"}),
        (
            "1.4",
            r"\frac{\partial E_n}{\partial w_{11}^{(2)}}=h'(a_1^{(3)})w_{11}^{(4)}\delta_1^{(4)}z_1^{(2)}",
            {"layer"},
        ),
        (
            "1.4",
            r"\frac{\partial E_n}{\partial w_{11}^{(2)}}="
            + SIGMA % (3, 3)
            + r"w_{11}^{(3)}\delta_1^{(4)}z_1^{(2)}",
            {"parenthesis"},
        ),
        (
            "1.5",
            r"\frac{\partial E_n}{\partial a_1^{(2)}}=\sum_{k=1}^3\frac{\partial E_n}{\partial a_k^{(3)}}"
            r"\frac{\partial a_k^{(3)}}{\partial a_j^{(2)}}",
            {"unbound"},
        ),
        (
            "1.5",
            r"\frac{\partial a_m^{(3)}}{\partial a_1^{(2)}}=\frac{\partial\sum_{m=1}^3\sum_{k=1}^3"
            r" w_{km}^{(2)}z_m^{(2)}}{\partial a_1^{(2)}}=\frac{\partial\sum_{m=1}^3\sum_{k=1}^3 w_{km}^{(2)}"
            r"h(a_m^{(2)})}{\partial a_1^{(2)}}",
            {"extra sum"},
        ),
        (
            "1.5",
            r"\frac{\partial a_m^{(3)}}{\partial a_1^{(2)}}=h'(a_1^{(2)})\sum_{k=1}^{3}w_{k1}^{(2)}",
            {"extra sum"},
        ),
        (
            "1.5",
            r"\frac{\partial E_n}{\partial a_1^{(2)}}="
            + SIGMA % (2, 2)
            + r"\sum_{k=1}^3 w_{k1}^{(2)}\delta_k^{(3)}",
            {"parenthesis"},
        ),
        (
            "1.6",
            r"\frac{\partial E}{\partial w_{11}^{(1)}}=\delta_1^{(2)}\frac{\partial a_1^{(2)}}{w_{11}^{(1)}}",
            {"partial sign"},
        ),
        ("1.6", r"\frac{\partial a_1^{(2)}}{w_{11}^{(1)}}=z_1^{(1)}", {"partial sign"}),
        (
            "1.6",
            r"\frac{\partial E_n}{\partial w_{11}^{(1)}}="
            + SIGMA % (2, 2)
            + r"\sum_{k=1}^3 w_{k1}^{(2)}\delta_k^{(3)}x_1^{(1)}",
            {"parenthesis"},
        ),
        ("2.1", r"\frac{\partial E_n}{\partial w_{11}^{(152)}}=(a_1^{(153)}-t_n)", {"missing factor"}),
        (
            "2.1",
            r"\frac{\partial E_n}{\partial w_{11}^{(l)}}=(a_1^{(153)}-t_n)"
            r"\prod_{n=l+1}^{153}h'(a_1^{(n)})w_{11}^{(n)}z_1^l",
            {"bound"},
        ),
        (
            "2.4",
            r"\frac{\partial E_n}{\partial w_{11}^{(l)}}="
            + SIGMA % ("l+1", "l+1")
            + r"\sum_{k=1}^2 w_{k1}^{(l+1)}\delta_k^{(l+2)}z_1^{(l)}",
            {"parenthesis", "activation"},
        ),
        ("2.1", r"(a_1^{(153)}-t_n)", {"missing factor"}),
        ("2.4", r"h'(a_1^{(l+1)})+h'(a_2^{(l+1)})", {"missing factor"}),
        ("2.4", r"h'(a_1^{(l)})+h'(a_2^{(l)})", {"missing factor"}),
    ],
)
def test_the_errors_of_the_published_solution_are_found_and_named(
    name: str, published: str, kinds: set[str]
) -> None:
    answer = check(name, published)
    assert answer.status == "wrong"
    assert kinds
    assert kinds <= {slip.kind for slip in answer.slips}, str(answer)


def test_the_published_2_4_was_for_a_sigmoid_network() -> None:
    text = SIGMA % ("l+1", "l+1") + r")\sum_{k=1}^2 w_{k1}^{(l+1)}\delta_k^{(l+2)}z_1^{(l)}"
    assert "you answered for a sigmoid network" in str(check("2.4", text))


def test_a_slip_is_sought_for_every_way_to_lay_out_the_examples() -> None:
    answer = check("1.5", "h_prime(a2)*(w2 @ delta3)")  # right but for a .T where examples lie in columns
    assert any("one example a column" in note or "a vector" in note for note in answer.notes)
    assert "order" in [slip.kind for slips in answer.others for slip in slips]  # where they lie in rows


@pytest.mark.parametrize(
    ("name", "text", "lacking"),
    [
        ("2.1", r"(a_1^{(153)}-t_n)", ["z_{1}^{(l)}", "w^{(l+1)}", "h'(a_{1}^{(l+1)})"]),
        ("2.4", r"h'(a_1^{(l+1)})+h'(a_2^{(l+1)})", ["a_{1}^{(153)}-t_{n}", "z_{1}^{(l)}", "w^{(l+1)}"]),
        ("1.5", r"h'(a_1^{(2)})", ["a_{1}^{(4)}-t_{n}", "w^{(2)}"]),
        ("1.6", r"\sum_{k=1}^3 w_{2k}^{(2)}a_k^{(3)}+z_1^{(2)}t_n", ["x_{1}"]),
        ("1.6", r"x_1^2 t_n+z_2^{(2)}\delta_2^{(3)}w_{12}^{(3)}z_1^{(2)}+(x_2)^3", []),
        ("2.2", "0", []),
        ("1.4", "3", []),
    ],
)
def test_of_a_formula_far_from_the_answer_it_is_said_what_it_does_not_depend_on(
    name: str, text: str, lacking: list[str]
) -> None:
    answer = check(name, text)
    assert answer.status == "wrong"
    assert [slip.mend for slip in answer.slips] == lacking
    assert {slip.kind for slip in answer.slips} <= {"missing factor"}


def test_a_number_too_many_is_left_out() -> None:
    assert check("1.1", r"2(a_1^{(4)}-t_n)").slips[0].advice == "leave the factor $2$ out"
    assert (
        check("1.4", r"\delta_1^{(3)}z_1^{(2)}(1+10^{-5})").slips[0].advice == "leave the term $10^{-5}$ out"
    )
    assert "leave the term $0.2$ out" in str(check("2.3", CHAIN + "[a_1^{(m)}>0.2]")._repr_markdown_())
