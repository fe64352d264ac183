import re

import math_core
import pytest

from coursework.backprop import claims_page
from coursework.backprop.claims import Claim, WrongRecord, claims

QUESTIONS = sorted({claim.question for claim in claims().values()})


@pytest.fixture(scope="module")
def pages():
    return {question: claims_page.claims_table(question, 101).data for question in QUESTIONS}


def rows(text, name):
    """Return the cells of a record's rows."""
    lines = [line for line in text.splitlines() if line.startswith((f"| {name} |", f"| **{name}** "))]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.mark.parametrize("name", claims())
def test_a_published_line_stands_beside_the_right_one_with_its_verdict(pages, name):
    claim = claims()[name]
    (line, published, corrected), *parting = rows(pages[claim.question], name)
    assert all(formula in published for formula in claim.published)
    assert all(formula in corrected for formula in claim.corrected)
    assert line == f"**{name}** " + ("in general" if claim.verdict == "general" else claim.verdict)
    assert f"- **{name}:** {claim.remark}" in pages[claim.question] or not claim.remark
    assert [row[1] for row in parting] == [r.name for r in claim.readings if r.status != "equal"]


def test_the_numbers_at_which_they_part_are_shown():
    text = claims_page.claims_table("1.3").data
    (_, _, published, right, checked), *_ = (r for r in rows(text, "1.3.a") if r[1] == "with $i=2$")
    assert (published, right) == ("$-0.07307$", "$-0.03886$")
    assert re.fullmatch(r"parts at \d+ of 36 points", checked)


def test_what_has_no_number_says_why(pages):
    assert "no number: there is no $w_{11}^{(4)}$" in pages["1.4"]
    assert "no number: the index $i$ is bound nowhere" in pages["1.3"]
    assert "no number: not a formula, '(' was never closed" in pages["1.5"]


def test_a_condition_says_what_it_misses(pages):
    *_, (_, name, published, right, checked) = rows(pages["2.4"], "2.4.b")[1:2]
    assert name == "zero where both units of layer $l+1$ are off"
    assert published == "no"
    assert right.startswith("yes")
    assert re.fullmatch(r"936 cases: misses \d+ of \d+, never a false one", checked)


def test_nothing_but_the_general_results_parts_nowhere(pages):
    for name in ("1.1.a", "1.2.d", "2.3.e", "G.4"):
        assert len(rows(pages[claims()[name].question], name)) == 1


def test_every_formula_becomes_mathml(pages):
    converter = math_core.LatexToMathML()
    formulas = [formula for text in pages.values() for formula in re.findall(r"\$(.+?)\$", text)]
    for formula in formulas:
        converter.convert_with_local_state(formula, displaystyle=False)
    assert len(formulas) > 150


def test_no_formula_breaks_a_table(pages):
    for text in [*pages.values(), claims_page.verdicts_table().data]:
        for table in re.findall(r"(?:^\|.*\|$\n?)+", text, re.MULTILINE):
            assert len({line.count("|") for line in table.strip().splitlines()}) == 1


def test_the_verdicts_are_counted():
    first, *_, last = claims_page.verdicts_table().data.splitlines()
    assert first.startswith("| question | correct | typo |")
    counts = [int(cell) for cell in last.strip("| ").split("|")[1:]]
    assert counts == [16, 8, 7, 7, 2, 1, 1]
    assert sum(counts) == len(claims()) - 4


def test_a_question_without_records_is_refused():
    with pytest.raises(ValueError, match=r"question='3\.1' has no records; there are 1\.1, 1\.2"):
        claims_page.claims_table("3.1")


def test_a_record_that_does_not_hold_is_not_shown(monkeypatch):
    def wrong(claim: Claim, seed: int) -> int:
        raise WrongRecord(claim.id)

    monkeypatch.setattr(claims_page, "check_claim", wrong)
    with pytest.raises(WrongRecord, match=r"1\.1\.a"):
        claims_page.claims_table("1.1")
