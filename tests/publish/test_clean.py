"""A rendered page made safe and readable."""

import pytest
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st

from coursework.publish.clean import link_files, link_headings, mark_tables, remove_active


def cleaned(body: str) -> str:
    page = BeautifulSoup(f"<html><body>{body}</body></html>", "html.parser")
    remove_active(page)
    assert page.body is not None
    return page.body.decode_contents()


@pytest.mark.parametrize(
    ("body", "left"),
    [
        ("<script>alert(1)</script>a", "a"),
        ("<p onclick='x()'>a</p>", "<p>a</p>"),
        ("<a href='javascript:x()'>a</a>", "<a>a</a>"),
        ("<a href='JavaScript:x()'>a</a>", "<a>a</a>"),
        ("<a href='https://example.org/'>a</a>", '<a href="https://example.org/">a</a>'),
        ("<a href='other.html#part'>a</a>", '<a href="other.html#part">a</a>'),
        ("<img src='https://example.org/x.png' alt='x'>", "[picture not embedded: x]"),
        ("<img src='data:image/png;base64,AA' alt='x'>", '<img alt="x" src="data:image/png;base64,AA"/>'),
        ("<iframe src='x'></iframe><link href='x'><base href='x'>b", "b"),
        ("<style>@import 'x'</style><style>p {color: red}</style>", "<style>p {color: red}</style>"),
        ("<p style='background: url(x)'>a</p>", "<p>a</p>"),
        ("<svg><use href='https://example.org/a.svg#b'></use></svg>", "<svg><use></use></svg>"),
        ("<form action='x'><input></form>c", "c"),
    ],
)
def test_what_acts_or_fetches_is_removed(body: str, left: str) -> None:
    assert BeautifulSoup(cleaned(body), "html.parser") == BeautifulSoup(left, "html.parser")


@given(st.text(alphabet="<>/\"'= abonclikscrptjv:", max_size=60))
@settings(deadline=None, max_examples=100)
def test_no_script_or_handler_survives_any_text(text: str) -> None:
    page = BeautifulSoup(cleaned(text), "html.parser")
    assert page.find("script") is None
    assert not any(name.startswith("on") for element in page.find_all(True) for name in element.attrs)


def test_headings_of_tables_get_their_scope_and_an_empty_corner_is_none() -> None:
    page = BeautifulSoup(
        "<table border='1'><thead><tr><th></th><th>a</th></tr></thead>"
        "<tbody><tr><th>r</th><td>1</td></tr></tbody></table>",
        "html.parser",
    )
    mark_tables(page)
    assert [(th.get_text(), th["scope"]) for th in page.find_all("th")] == [("a", "col"), ("r", "row")]
    assert len(page.select("thead td")) == 1
    assert len(page.select("div.scroll > table")) == 1


def test_headings_get_ids_of_their_own_and_the_second_level_a_link() -> None:
    page = BeautifulSoup(
        "<nav></nav><main><h1>T</h1><h2>Part <b>1</b>!</h2><h2>Part 1</h2><h3>x</h3></main>", "html.parser"
    )
    link_headings(page)
    assert [h["id"] for h in page.find_all(["h1", "h2", "h3"])] == ["t", "part-1", "part-1-2", "x"]
    assert [a["href"] for a in page.select("nav a")] == ["#part-1", "#part-1-2"]


def test_navigation_to_nowhere_is_left_out() -> None:
    page = BeautifulSoup("<nav></nav><main><h1>T</h1></main>", "html.parser")
    link_headings(page)
    assert page.find("nav") is None


def test_a_file_beside_the_page_that_the_text_names_as_code_is_a_link() -> None:
    text = "<code>t able.html</code> <code>other.html</code> <a href='#x'><code>t able.html</code></a> t.html"
    page = BeautifulSoup(
        f'<div class="prose"><p>{text}</p><pre><code>t able.html</code></pre></div>', "html.parser"
    )
    link_files(page, ["t able.html", "<b>"])
    links = page.select("a")
    assert [link["href"] for link in links] == ["t%20able.html", "#x"]
    assert str(links[0]) == '<a href="t%20able.html"><code>t able.html</code></a>'
