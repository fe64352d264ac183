"""What is shown: in a notebook, on the command line, as JSON; nothing typed gets out unescaped."""

import html
import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import coursework
from coursework.backprop.judge import deadline
from coursework.backprop.judge.answer import Answer, UnknownLevel, check
from coursework.backprop.judge.questions import UnknownQuestion
from coursework.cli import main
from coursework.publish.mathematics import convert_delimited

WRONG = r"h'(a_1^{(3)})w_{11}^{(4)}\delta_1^{(4)}z_1^{(2)}"


def run(*arguments: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(main, ["check", *arguments], input=typed)


def test_check_is_a_name_of_the_package() -> None:
    assert coursework.check is check


def test_the_notebook_shows_what_was_understood_and_the_verdict_as_mathematics() -> None:
    markdown = check("1.4", WRONG)._repr_markdown_()
    assert markdown.startswith(r"**1.4 ✗** $h'(a_{1}^{(3)})\,w_{11}^{(4)}")
    assert "write $w_{11}^{(3)}$ for $w_{11}^{(4)}$" in markdown
    assert "<math" in convert_delimited(markdown)


@pytest.mark.parametrize(
    ("level", "shown", "hidden"),
    [
        ("what", "the wrong layer", "w_{11}^{(3)}"),
        ("where", "look at w_{11}^{(4)}", "w_{11}^{(3)}"),
        ("mend", "write w_{11}^{(3)} for w_{11}^{(4)}", "no such words"),
    ],
)
def test_the_three_levels_tell_more_and_more(level: str, shown: str, hidden: str) -> None:
    answer = check("1.4", WRONG, level=level)
    assert shown in str(answer)
    assert hidden not in str(answer)
    assert hidden not in json.dumps(answer.as_dict()["slips"])


def test_slips_of_one_part_are_told_in_one_line() -> None:
    lines = check("1.2", r"\delta_1^{(4)}z_1^{(2)}").lines
    assert len([line for line in lines if "write $z_{2}^{(3)}$" in line and "Or else" not in line]) == 1
    assert "A superscript names the wrong layer, and an index names the wrong unit" in lines[1]


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "z_1^{(2)} <img src=x onerror=alert(1)>",
        "$$x$$ **bold** [link](javascript:alert(1)) `code` \\(y\\)",
        "(\\delta_1^{(3)} <script> z_1^{(2)}",
        "a\n\n# heading",
    ],
)
def test_nothing_typed_becomes_markup(text: str) -> None:
    markdown = check("1.4", text)._repr_markdown_()
    assert "<script" not in markdown.replace("`", "")
    assert "<img" not in markdown
    assert "**bold**" not in markdown
    assert "](" not in markdown
    assert "\n# " not in markdown


def test_an_unreadable_text_is_shown_with_the_reason() -> None:
    answer = check("1.4", "banana")
    assert answer.status == "unreadable"
    assert "<code>banana</code>" in answer._repr_markdown_()
    assert html.unescape(check("1.4", "<b>#1</b>")._repr_markdown_()).count("<b>#1</b>") == 1
    assert repr(answer).startswith("Cannot be read: 'banana' is no quantity")


def test_the_reading_taken_is_told() -> None:
    assert "read as layer" in str(check("1.4", r"\delta_1^3 z_1^2"))
    ways = str(check("1.3", r"\sigma(a_1^{(3)})(1-\sigma(a_1^{(3)})w_{11}^{(3)}\delta_1^{(4)}"))
    assert "4 ways to balance the brackets were tried; only this one is the derivative" in ways


def test_brackets_that_all_readings_close_alike_do_no_harm() -> None:
    answer = check("1.4", r"(\delta_1^{(3)}z_1^{(2)}")
    assert answer.right
    assert "do not balance" in str(answer)


def test_a_wrong_question_or_level_is_an_error() -> None:
    with pytest.raises(UnknownQuestion, match=r"7\.7"):
        check("7.7", "t")
    with pytest.raises(UnknownLevel, match="what, where, mend"):
        check("1.1", "t", level="all")


@pytest.mark.parametrize(
    ("formula", "code", "words"),
    [
        (r"\delta_1^{(3)}z_1^{(2)}", 0, "Right"),
        ("delta[3][1]*z[2][1]", 0, "Right"),
        ("delta3.T @ z2", 0, "`delta[3].T` is (3, n)"),
        (WRONG, 1, "wrong layer"),
        (r"-\delta_1^{(3)}z_1^{(2)}", 1, "turn the sign"),
        ("-h", 2, "without its argument"),
        ("what?", 2, "Cannot be read"),
    ],
)
def test_the_exit_code_tells_right_wrong_and_unreadable_apart(formula: str, code: int, words: str) -> None:
    result = run("1.4", formula)
    assert result.exit_code == code
    assert words in result.output


def test_an_unknown_question_ends_with_code_2_and_names_those_there_are() -> None:
    result = run("9.9", "t")
    assert result.exit_code == 2
    assert "1.1, 1.2" in result.output


def test_json_has_the_slips_and_what_was_understood() -> None:
    result = run("1.4", WRONG, "--json", "--level", "where")
    assert result.exit_code == 1
    told = json.loads(result.output)
    assert told["status"] == "wrong"
    assert told["slips"] == [
        {"kind": "layer", "what": "a superscript names the wrong layer", "where": "w_{11}^{(4)}"}
    ]
    assert told["compared"] > 0
    assert json.loads(run("1.4", "what?", "--json").output)["status"] == "unreadable"


@pytest.mark.parametrize(("level", "keys"), [("what", 2), ("where", 3), ("mend", 4)])
def test_json_has_every_guess_at_the_level_asked_for(level: str, keys: int) -> None:
    answer = check("1.4", r"h(a_1^{(3)})w_{11}^{(3)}\delta_1^{(4)}z_2^{(2)}", level=level)
    told = json.loads(json.dumps(answer.as_dict()))
    first, *further = told["guesses"]
    assert first == told["slips"]
    assert [[slip["kind"] for slip in guess] for guess in further] == [
        [slip.kind for slip in other] for other in answer.others
    ]
    assert further
    assert all(len(slip) == keys for guess in told["guesses"] for slip in guess)
    assert check("1.1", "y-t").as_dict()["guesses"] == []


def test_a_formula_comes_from_standard_input_too_and_ten_megabytes_of_it_are_refused() -> None:
    assert run("1.4", "-", typed="delta[3][1]*z[2][1]\n").exit_code == 0
    result = run("1.4", "-", typed="z" * 10_000_000)
    assert result.exit_code == 2
    assert "at most 4000" in result.output


def test_answers_are_values() -> None:
    assert check("1.1", "y-t") == check("1.1", "y-t")
    assert isinstance(check("1.1", "y-t"), Answer)


def test_the_benchmark_runs_and_no_verdict_of_it_is_wrong(tmp_path: Path) -> None:
    script = Path(__file__).parents[3] / "benchmarks" / "judge.py"
    command = [
        sys.executable,
        str(script),
        "--count",
        "20",
        "--seed",
        "5",
        "--json",
        str(tmp_path / "table.json"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    table = json.loads((tmp_path / "table.json").read_text())
    assert table["rows"]["rewritings rejected"]["number"] == 0
    assert table["rows"]["wrong formulas accepted"]["number"] == 0
    singles = table["rows"]["single slips named"]
    assert singles["number"] >= 0.8 * singles["of"] > 0
    assert set(table["rewritings"]) == set(table["wrong"]) == {"formula", "line", "condition"}


PAIRS = r"\sum_{i=1}^{152}\sum_{k=1}^{99}"
RIGHT = r"\delta_1^{(l+1)}z_1^{(l)}"
LONG = "+".join([PAIRS + r"w_{11}^{(i)}a_1^{(k)}"] * 20)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("2.1", "(" + LONG),
        ("2.1", LONG),
        ("2.1", PAIRS + r"\frac{\partial a_1^{(i)}}{\partial w_{11}^{(k)}}"),
        ("1.2", "np.outer(" * 6 + "z3, z3)" + ", z3)" * 5),
        ("2.1", RIGHT + r"+0\cdot\sum_{i=2}^{152}\sum_{k=2}^{99}\sigma(w_{11}^{(i)}a_1^{(k)})"),
    ],
)  # fmt: skip
def test_the_deadline_ends_whatever_takes_long(monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> None:
    check(name, "t")
    clock = iter(range(10**9))  # a clock that counts how often it is looked at
    monkeypatch.setattr(deadline.time, "process_time", lambda: next(clock) * 1e-2)
    assert check(name, text).status in ("wrong", "unreadable")
    assert next(clock) < 300


def test_a_formula_that_names_units_past_the_end_is_right_where_they_exist() -> None:
    last = r"h'(a_1^{(l+1)})\sum_{k=1}^2 w_{k1}^{(l+1)}"
    once = last + r"\delta_k^{(l+2)}z_1^{(l)}"
    twice = last + r"h'(a_k^{(l+2)})\sum_{j=1}^2 w_{jk}^{(l+2)}\delta_j^{(l+3)}z_1^{(l)}"
    assert "For $l=151,152$ fewer units" in "".join(check("2.4", once).lines)
    assert "For $l=150,151,152$ fewer units" in "".join(check("2.4", twice).lines)
    assert not check("2.4", once.replace("l+2", "l+3")).right


def test_an_equation_whose_left_side_is_zero_everywhere_says_nothing() -> None:
    answer = check("1.4", "[0]dE/dw11^(2) = delta[3][1] z[2][1]")
    assert answer.status == "unreadable"
    assert "is zero everywhere" in answer.summary
