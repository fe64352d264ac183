"""An executed notebook as one HTML file."""

import base64
import hashlib
import re

import pytest
from bs4 import BeautifulSoup
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from coursework._common.states import SCRIPT, State, states_html
from coursework.publish.export import ExportError, export_notebook

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"></svg>'


def page_of(*cells: NotebookNode) -> BeautifulSoup:
    return BeautifulSoup(export_notebook(new_notebook(cells=list(cells)), title="T & <t>"), "html.parser")


def shown(**data: str) -> NotebookNode:
    bundle = {kind.replace("_", "/"): text for kind, text in data.items()}
    return new_code_cell("f()", outputs=[new_output("display_data", data=bundle)])


def test_a_page_has_language_title_landmark_and_a_policy_against_the_network() -> None:
    page = page_of(new_markdown_cell("# Heading"))
    assert page.html is not None
    assert page.html["lang"] == "en"
    assert page.title is not None
    assert page.title.get_text() == "T & <t>"
    assert len(page.select("main#main h1")) == 1
    policy = page.select_one("meta[http-equiv='Content-Security-Policy']")
    assert policy is not None
    assert "default-src 'none'" in str(policy["content"])


def test_formulas_in_text_outputs_and_raw_html_become_mathml() -> None:
    page = page_of(
        new_markdown_cell("$a$ and $$b$$\n\n\\begin{align}c&=d\\end{align}\n\n<div>$e$</div>"),
        shown(text_markdown="$f$"),
        shown(text_html="<table><tr><td>$g$</td></tr></table>"),
        shown(text_latex=r"$\displaystyle h$", text_plain="h"),
    )
    assert page.main is not None
    letters = {letter.get_text() for letter in page.select("main math mi")}
    assert letters == set("abcdefgh")
    assert "$" not in page.main.get_text()


def test_code_and_escaped_dollars_stay_as_they_are() -> None:
    page = page_of(
        new_markdown_cell("`$x$` costs \\$5 and \\$6"),
        shown(text_html="<pre>$y$</pre><code>$z$</code>"),
    )
    assert page.main is not None
    assert page.find("math") is None
    for text in ("$x$", "costs $5 and $6", "$y$", "$z$"):
        assert text in page.main.get_text()


@pytest.mark.parametrize(
    "cell",
    [
        new_markdown_cell(r"$$\substack{a\\b}$$", id="culprit"),
        new_code_cell(
            "f()",
            id="culprit",
            outputs=[new_output("display_data", data={"text/html": r"<p>$\substack{a\\b}$</p>"})],
        ),
    ],
)
def test_a_refused_formula_fails_the_export_with_cell_and_formula_named(cell: NotebookNode) -> None:
    with pytest.raises(ExportError, match=r"cell 2 \(culprit\): formula .*substack"):
        page_of(new_markdown_cell("# T"), cell)


def test_a_formula_brings_a_font_and_a_page_without_one_brings_none() -> None:
    assert "@font-face" in str(page_of(new_markdown_cell("$x$")).style)
    assert "@font-face" not in str(page_of(new_markdown_cell("x")).style)


def test_a_figure_keeps_its_text_alternative() -> None:
    picture = new_output(
        "display_data", data={"image/svg+xml": SVG}, metadata={"image/svg+xml": {"alt": 'a "quoted" <line>'}}
    )
    image = page_of(new_code_cell("f()", outputs=[picture])).select("main img")[0]
    assert image["alt"] == 'a "quoted" <line>'
    assert base64.b64decode(str(image["src"]).split(",")[1]).decode() == SVG


def test_progress_bars_scripts_and_widgets_are_left_out() -> None:
    outputs = [
        new_output("stream", name="stderr", text="50%|#####"),
        new_output("stream", name="stdout", text="<b>printed</b>"),
        new_output("display_data", data={"application/javascript": "alert(1)", "text/plain": "plain"}),
        new_output("display_data", data={"text/html": "<script>alert(2)</script><p>kept</p>"}),
    ]
    page = page_of(new_code_cell("f()", outputs=outputs))
    assert page.main is not None
    text = page.main.get_text()
    assert page.find("script") is None
    assert "50%" not in text
    assert "<b>printed</b>" in text
    assert "plain" in text
    assert "kept" in text


def test_states_bring_one_script_and_the_policy_allows_no_other() -> None:
    states = states_html("T", {"n": ("1", "2")}, {(n,): State(SVG, n) for n in "12"}, ("1",))
    page = page_of(shown(text_html=f"{states}<script>1</script>"), shown(text_html=states))
    (script,) = page.find_all("script")
    assert script.string == SCRIPT
    digest = base64.b64encode(hashlib.sha256(script.string.encode()).digest()).decode()
    policy = page.select_one("meta[http-equiv='Content-Security-Policy']")
    assert policy is not None
    assert str(policy["content"]).endswith(f"; script-src 'sha256-{digest}'")
    assert len(page.select(".states figure img[alt]")) == 4
    without = page_of(shown(text_html="<p class='states'>no axes</p>"))
    assert without.find("script") is None
    assert "script-src" not in str(without)


def test_a_result_and_a_traceback_are_shown() -> None:
    outputs = [
        new_output("execute_result", execution_count=1, data={"text/plain": "'<result>'"}),
        new_output("error", ename="E", evalue="bad", traceback=["\x1b[31mE\x1b[0m: bad"]),
    ]
    page = page_of(new_code_cell("f()", outputs=outputs))
    assert page.main is not None
    assert "'<result>'" in page.main.get_text()
    assert re.search(r"E\s*: bad", page.main.get_text())


def test_nothing_on_the_page_is_fetched() -> None:
    page = page_of(
        new_markdown_cell("![x](https://example.org/x.png) [link](https://example.org/)"),
        shown(text_html="<img src='https://example.org/y.png'><link href='https://example.org/z.css'>"),
    )
    fetching = [e for e in page.find_all(True) if any(a in e.attrs for a in ("src", "srcset", "data"))]
    assert fetching == []
    assert page.find("link") is None
    assert [a["href"] for a in page.select("main a")] == ["https://example.org/"]


def test_the_same_notebook_gives_the_same_bytes() -> None:
    notebook = new_notebook(cells=[new_markdown_cell("# T\n\n$x$", id="a")])
    assert export_notebook(notebook, title="T") == export_notebook(notebook, title="T")
