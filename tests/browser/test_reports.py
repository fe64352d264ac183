"""Report, index and error page in a real browser."""

import base64
import io
from pathlib import Path
from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image
from playwright.sync_api import Page

from coursework._common.kinds import RECORD_MIME
from coursework.publish.manifest import describe
from coursework.publish.pages import write_failure, write_report
from coursework.publish.site import write_index

TEXT = r"""# Formulas

Inline $\sqrt{1 + \sqrt{x}}$ and $h'(a)$.

$$\delta_j^{(l)} = h'(a_j^{(l)}) \sum_k w_{kj}^{(l)} \delta_k^{(l+1)}
\left(\frac{\frac{a}{b}}{\frac{c}{d}}\right)$$

## A <i>second</i> heading

| layer | value $x$ |
|---|---|
| 1 | $\overline{xyz}$ |
"""


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One finished report, the index, and a failed section."""
    picture = io.BytesIO()
    Image.new("RGB", (900, 300), "steelblue").save(picture, "PNG")
    encoded = base64.b64encode(picture.getvalue()).decode()
    record = {"name": "<img src=x onerror=alert(1)>", "value": 1, "text": "<b>1</b>"}
    outputs = [
        new_output(
            "display_data", data={"image/png": encoded}, metadata={"image/png": {"alt": "a blue band"}}
        ),
        new_output("display_data", data={"text/plain": "x", RECORD_MIME: record}),
        new_output(
            "display_data", data={"text/html": "<script>document.title = 'hacked'</script><img src=x>"}
        ),
        new_output("stream", name="stdout", text="a long line " * 40),
    ]
    code = new_code_cell("def f(x: int) -> str:  # comment\n    return 'a' + str(x)", id="f", outputs=outputs)
    notebook = new_notebook(cells=[new_markdown_cell(TEXT, id="text"), code])
    folder = tmp_path_factory.mktemp("reports")

    def manifest(section: str, status: str) -> dict[str, Any]:
        return describe(
            section=section,
            title="Formulas & <pictures>",
            status=status,
            parameters={"seed": 0, "name": "<script>alert(2)</script>"},
            given={},
            found_inputs=[],
            notebook=notebook,
            cells=[{"cell": 2, "id": "f", "heading": "H", "status": status, "seconds": 0.5}],
            started="2026-01-01T00:00:00+00:00",
            finished="2026-01-01T00:00:01+00:00",
            seconds=1.0,
        )

    for section in ("1_good", "2_bad"):
        (folder / section).mkdir()
    write_report(notebook, manifest("1_good", "finished"), folder, folder / "1_good")
    failure = {
        "reason": "E: <b>bad</b>",
        "traceback": "E: <b>bad</b>",
        "cell": 2,
        "id": "f",
        "source": "f(<x>)",
    }
    write_failure(folder / "2_bad", manifest("2_bad", "failed"), {"heading": "H"} | failure)
    write_index(folder, [])
    return folder


PAGES = ("index.html", "1_good/index.html", "2_bad/error.html")


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_asks_for_nothing_and_complains_of_nothing(
    page: Page, requested: list[str], complaints: list[str], reports: Path, name: str, scheme: Any
) -> None:
    address = (reports / name).as_uri()
    page.emulate_media(color_scheme=scheme)
    page.goto(address)
    assert requested == [address]
    assert complaints == []
    assert "hacked" not in page.title()
    assert page.locator("script").count() == 0


@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_a_telephone(page: Page, reports: Path, name: str) -> None:
    page.set_viewport_size({"width": 360, "height": 700})
    page.goto((reports / name).as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("name", PAGES)
def test_every_picture_loads_and_has_words(page: Page, reports: Path, name: str) -> None:
    page.goto((reports / name).as_uri())
    pictures = page.evaluate(
        "[...document.images].map(i => [i.complete && i.naturalWidth > 0, i.alt.length > 0])"
    )
    assert all(all(picture) for picture in pictures)
    assert len(pictures) == (0 if "error" in name else 1)


def test_formulas_are_drawn_in_the_embedded_font(page: Page, reports: Path) -> None:
    page.goto((reports / "1_good/index.html").as_uri())
    state = page.evaluate(
        "document.fonts.ready.then(() => [...document.fonts].map(f => [f.family, f.status]))"
    )
    assert state == [["Report Math", "loaded"]] or state == [['"Report Math"', "loaded"]]
    session = page.context.new_cdp_session(page)
    session.send("DOM.enable")
    session.send("CSS.enable")
    root = session.send("DOM.getDocument")["root"]["nodeId"]
    found = session.send(
        "DOM.querySelectorAll", {"nodeId": root, "selector": "math mi, math mo, math mn, msqrt"}
    )
    assert len(found["nodeIds"]) > 40
    fonts = set()
    for node in found["nodeIds"]:
        used = session.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]
        fonts |= {(font["familyName"], font["isCustomFont"]) for font in used}
    assert fonts == {("STIX Two Math", True)}


def test_a_radical_covers_what_is_under_it_and_brackets_grow(page: Page, reports: Path) -> None:
    page.goto((reports / "1_good/index.html").as_uri())
    heights = page.evaluate(
        """() => {
            const height = e => e.getBoundingClientRect().height;
            const roots = document.querySelectorAll('msqrt');
            const brackets = [...document.querySelectorAll('mo')].filter(m => m.textContent == '(');
            return {outer: height(roots[0]), inner: height(roots[1]), brackets: brackets.map(height)};
        }"""
    )
    assert heights["outer"] > heights["inner"] > 10
    assert max(heights["brackets"]) > 2 * min(heights["brackets"])


def test_the_text_has_one_main_heading_and_links_that_lead_somewhere(page: Page, reports: Path) -> None:
    page.goto((reports / "1_good/index.html").as_uri())
    assert page.locator("h1").count() == 1
    assert page.locator("main").count() == 1
    targets = page.evaluate("[...document.querySelectorAll('nav a')].map(a => a.getAttribute('href'))")
    assert targets == ["#a-second-heading"]
    assert page.locator("h2#a-second-heading").count() == 1
    page.goto((reports / "index.html").as_uri())
    page.get_by_role("link", name="Report", exact=True).click()
    assert page.title() == "Formulas & <pictures>"
    page.get_by_role("link", name="All sections").click()
    assert page.title() == "Coursework: the reports"


def test_what_a_notebook_wrote_is_text_on_the_index_and_the_error_page(page: Page, reports: Path) -> None:
    page.goto((reports / "index.html").as_uri())
    assert page.get_by_text("<img src=x onerror=alert(1)>").count() == 1
    page.goto((reports / "2_bad/error.html").as_uri())
    assert page.get_by_text("E: <b>bad</b>").count() == 2
    assert page.get_by_text("f(<x>)").count() == 1


CONTRAST = """() => {
    const light = c => { c /= 255; return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
    const of = text => { const [r, g, b] = text.match(/[\\d.]+/g).map(Number);
        return 0.2126 * light(r) + 0.7152 * light(g) + 0.0722 * light(b); };
    const opaque = e => { for (; e; e = e.parentElement) {
        const color = getComputedStyle(e).backgroundColor;
        if (!/, 0\\)$/.test(color)) return color; } return 'rgb(255, 255, 255)'; };
    return [...document.querySelectorAll('body *')]
        .filter(e => [...e.childNodes].some(n => n.nodeType == 3 && n.textContent.trim()))
        .map(e => { const [a, b] = [of(getComputedStyle(e).color), of(opaque(e))];
            return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), e.outerHTML.slice(0, 80)]; })
        .filter(([ratio]) => ratio < 4.5);
}"""


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(("medium", "scheme"), [("screen", "light"), ("screen", "dark"), ("print", "dark")])
def test_every_text_stands_out_from_its_background(
    page: Page, reports: Path, name: str, medium: Any, scheme: Any
) -> None:
    page.emulate_media(media=medium, color_scheme=scheme)
    page.goto((reports / name).as_uri())
    assert page.evaluate(CONTRAST) == []
