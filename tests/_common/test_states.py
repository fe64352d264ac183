"""Precomputed states as HTML."""

import json

import pytest
from bs4 import BeautifulSoup

from coursework._common.states import State, states_html

AXES = {"a<b>": ("0", '"1"'), "c": ("x", "y", "z")}
STATES = {
    (a, c): State(f"<svg>{a}{c}</svg>", f"{a} & {c}", (f"$x<{a}$",)) for a in AXES["a<b>"] for c in "xyz"
}


def test_every_state_is_a_figure_with_its_words_under_the_values_it_belongs_to() -> None:
    page = BeautifulSoup(states_html("T & t", AXES, STATES, ("0", "y")), "html.parser")
    figures = page.select("section.states > figure")
    assert [figure["data-state"] for figure in figures] == ["0 0", "0 1", "0 2", "1 0", "1 1", "1 2"]
    assert [figure.img["alt"] for figure in figures][:2] == ["0 & x", "0 & y"]
    assert figures[3].b.get_text() == 'a<b>: "1", c: x'
    assert figures[3].figcaption.get_text() == '$x<"1"$'
    section = page.section
    assert section["data-start"] == "0 1"
    assert section["aria-label"] == "T & t"
    assert json.loads(section["data-axes"]) == [["a<b>", ["0", '"1"']], ["c", ["x", "y", "z"]]]


def test_values_are_text_and_no_markup() -> None:
    found = states_html(
        "T", {"<script>": ("<img src=x>",)}, {("<img src=x>",): State("", "")}, ("<img src=x>",)
    )
    page = BeautifulSoup(found, "html.parser")
    assert page.script is None
    assert len(page.select("img")) == 1
    assert str(page.img["src"]).startswith("data:image/svg+xml")


@pytest.mark.parametrize(("drop", "start"), [(("0", "z"), ("0", "x")), (None, ("0", "w"))])
def test_a_state_that_is_missing_is_named(drop: tuple[str, str] | None, start: tuple[str, str]) -> None:
    states = {values: state for values, state in STATES.items() if values != drop}
    with pytest.raises(ValueError, match=r"no state for \('0', '[zw]'\); give one for each of 6"):
        states_html("T", AXES, states, start)
