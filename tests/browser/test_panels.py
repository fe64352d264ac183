"""The panels: sliders of a report with and without JavaScript, widgets in a real JupyterLab."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from playwright.sync_api import Browser, Locator, Page, expect

from coursework import network_panel
from coursework._common.states import State, states_html
from coursework._common.svg import Svg
from coursework.publish.export import export_notebook

HOSTILE = "<img src=x onerror=document.title='hacked'>"


def state(text: str) -> State:
    svg = Svg(300, 100)
    svg.text(150, 50, text, 20)
    return State(str(svg), f"a drawing of {text}", (f"$x = {len(text)}$",))


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with two sets of states, one with hostile names, and a notebook's own script."""
    axes = {"letter": ("a", "b"), "number": ("1", "2", "3")}
    states = {(letter, number): state(letter + number) for letter in "ab" for number in "123"}
    odd = {"<b>": (HOSTILE, "plain")}
    blocks = [
        states_html("Letters & numbers", axes, states, ("a", "2")),
        states_html(HOSTILE, odd, {(value,): state(value) for value in odd["<b>"]}, (HOSTILE,)),
        "<script>document.title = 'hacked'</script>",
    ]
    outputs = [new_output("display_data", data={"text/html": block}) for block in blocks]
    cells = [new_markdown_cell("# States"), new_code_cell("panel", outputs=outputs)]
    path = tmp_path_factory.mktemp("states") / "index.html"
    path.write_text(export_notebook(new_notebook(cells=cells), title="States"), encoding="utf-8")
    return path


def alts(figures: Locator) -> list[str]:
    return [figure.get_attribute("alt") or "" for figure in figures.all() if figure.is_visible()]


def test_a_slider_shows_one_state_at_a_time_without_a_kernel_or_network(
    page: Page, requested: list[str], complaints: list[str], report: Path
) -> None:
    page.goto(report.as_uri())
    panel = page.locator(".states").first
    assert alts(panel.locator("img")) == ["a drawing of a2"]
    letter, number = panel.get_by_label("letter"), panel.get_by_label("number")
    number.focus()
    page.keyboard.press("ArrowRight")
    assert alts(panel.locator("img")) == ["a drawing of a3"]
    assert number.get_attribute("aria-valuetext") == "3"
    letter.focus()
    page.keyboard.press("End")
    assert alts(panel.locator("img")) == ["a drawing of b3"]
    assert panel.locator("output").all_inner_texts() == ["b", "3"]
    assert panel.locator("figcaption:visible math").count() == 1
    assert requested == [report.as_uri()]
    assert complaints == []


def test_names_are_text_and_a_notebooks_own_script_does_not_run(page: Page, report: Path) -> None:
    page.goto(report.as_uri())
    odd = page.locator(".states").last
    assert odd.locator("output").inner_text() == HOSTILE
    odd.get_by_label("<b>").focus()
    page.keyboard.press("End")
    assert alts(odd.locator("img")) == ["a drawing of plain"]
    assert page.title() == "States"
    assert page.locator("script").count() == 1


@pytest.mark.parametrize("width", [1200, 360])
def test_without_javascript_every_state_is_a_figure_with_words(
    browser: Browser, report: Path, width: int
) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": width, "height": 800})
    page = context.new_page()
    page.goto(report.as_uri())
    panel = page.locator(".states").first
    every = [f"a drawing of {letter}{number}" for letter in "ab" for number in "123"]
    assert alts(panel.locator("img")) == every
    assert panel.locator("input").count() == 0
    assert panel.locator("figure").nth(4).locator("b").inner_text() == "letter: b, number: 2"
    boxes = [image.bounding_box() for image in panel.locator("img").all()]
    assert all(box is not None and box["x"] >= 0 and box["x"] + box["width"] <= width for box in boxes)
    context.close()


@pytest.fixture(scope="module")
def network_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with the panel of section 1, as it is without a kernel."""
    states = network_panel(seed=2)._repr_mimebundle_()["text/html"]
    cells = [new_code_cell("panel", outputs=[new_output("display_data", data={"text/html": states})])]
    path = tmp_path_factory.mktemp("network") / "index.html"
    path.write_text(export_notebook(new_notebook(cells=cells), title="Network"), encoding="utf-8")
    return path


@pytest.mark.parametrize("control", ["activation", "w₁₁⁽¹⁾", "x₁", "target t"])
def test_each_slider_of_a_reports_network_leads_to_another_drawing_and_other_formulas(
    page: Page, network_report: Path, control: str
) -> None:
    page.goto(network_report.as_uri())
    panel = page.locator(".states")
    before, written = alts(panel.locator("img")), panel.locator("figcaption:visible").inner_html()
    slider = panel.get_by_label(control)
    slider.focus()
    start = slider.input_value()
    page.keyboard.press("End")
    if slider.input_value() == start:
        page.keyboard.press("Home")
    after = alts(panel.locator("img"))
    assert len(before) == len(after) == 1
    assert after != before
    assert panel.locator("figcaption:visible").inner_html() != written
    assert panel.locator("figcaption:visible math").count() == 4


def test_without_javascript_a_reports_network_has_its_states_in_pictures_and_words(
    browser: Browser, network_report: Path
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(network_report.as_uri())
    words = alts(page.locator(".states img"))
    assert len(words) == len(set(words)) == 24
    assert all("loss" in text and "its derivative" in text for text in words)
    context.close()


# --- JupyterLab ----------------------------------------------------------------------------------

#: A machine that others use too is slow to start what JupyterLab needs.
PATIENCE = 150


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a JupyterLab of its own, with a notebook that makes both panels."""
    place = tmp_path_factory.mktemp("lab")
    cells = [
        new_code_cell("from coursework import network_panel\nnetwork_panel(seed=2)", id="network"),
        new_code_cell("from coursework import gradient_panel\ngradient_panel(depth=20)", id="gradient"),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    (place / "root").mkdir()
    notebook = new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(notebook, place / "root" / "panels.ipynb")
    folders = {f"JUPYTER_{kind}_DIR": str(place / kind) for kind in ("CONFIG", "DATA", "RUNTIME")}
    options = {
        "ServerApp.port": "0",
        "ServerApp.root_dir": str(place / "root"),
        "IdentityProvider.token": "",
        "LabApp.expose_app_in_browser": "True",
        "LabApp.news_url": "",
        "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
    }
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    command += [f"--{name}={value}" for name, value in options.items()]
    with (place / "log").open("w") as log:
        server = subprocess.Popen(command, env=os.environ | folders, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + PATIENCE
        while not (found := list(place.glob(f"RUNTIME/jpserver-{server.pid}.json"))):
            assert server.poll() is None, (place / "log").read_text()
            assert time.monotonic() < deadline, (place / "log").read_text()
            time.sleep(0.1)
        yield json.loads(found[0].read_text())["url"]
    finally:
        server.terminate()
        server.wait()


RUN_ALL = """async () => {
    const app = window.jupyterapp;
    await app.restored;
    const panel = app.shell.currentWidget;
    await panel.context.ready;
    await panel.sessionContext.ready;
    await app.commands.execute('notebook:run-all-cells');
}"""


@pytest.fixture(scope="module")
def notebook(browser: Browser, lab: str) -> Iterator[Page]:
    """The notebook in JupyterLab, both cells run."""
    context = browser.new_context(viewport={"width": 1400, "height": 1400})
    context.set_default_timeout(PATIENCE * 1000)
    page = context.new_page()
    page.goto(f"{lab}lab/tree/panels.ipynb")
    page.wait_for_function("window.jupyterapp?.shell.currentWidget?.sessionContext")
    page.wait_for_selector(".jp-Notebook .jp-CodeCell")
    page.evaluate(RUN_ALL)
    for cell in page.locator(".jp-CodeCell").all()[:2]:
        expect(cell.locator(".widget-vbox img")).to_be_visible(timeout=PATIENCE * 1000)
    yield page
    context.close()


def changes_to(cell: Locator, words: str) -> None:
    expect(cell.locator(".widget-vbox img")).to_have_attribute("alt", re.compile(words), timeout=30_000)


def test_the_network_in_jupyterlab_follows_its_controls(notebook: Page) -> None:
    cell = notebook.locator(".jp-CodeCell").nth(0)
    picture = cell.locator(".widget-vbox img")
    assert "with sigmoid units" in (picture.get_attribute("alt") or "")
    cell.get_by_label("activation").select_option("tanh")
    changes_to(cell, "with tanh units")
    cell.get_by_label("weight", exact=True).select_option("w₂₂⁽¹⁾")
    changes_to(cell, "The weight w₂₂⁽¹⁾ is")
    assert picture.evaluate("image => image.complete && image.naturalWidth > 500")


@pytest.mark.parametrize("control", ["its value", "x₁", "x₂", "x₃", "target t"])
def test_every_slider_redraws_the_network_its_numbers_and_the_formulas(notebook: Page, control: str) -> None:
    cell = notebook.locator(".jp-CodeCell").nth(0)
    # with this weight every input counts in what is written out below the drawing
    cell.get_by_label("weight", exact=True).select_option("w₁₁⁽²⁾")
    changes_to(cell, "The weight w₁₁⁽²⁾ is")
    picture = cell.locator(".widget-vbox img")
    formulas = cell.locator(".widget-vbox figcaption")
    expect(formulas.locator("mjx-container, .MathJax").first).to_be_visible(timeout=30_000)
    words, drawn, typeset = picture.get_attribute("alt"), picture.get_attribute("src"), formulas.inner_html()
    slider = cell.locator(".widget-slider", has_text=control)
    value = slider.locator(".widget-readout").inner_text()
    slider.locator(".noUi-handle").focus()
    notebook.keyboard.press("PageUp")  # ten steps at once: numbers in print change for certain
    expect(slider.locator(".widget-readout")).not_to_have_text(value, timeout=30_000)
    expect(picture).not_to_have_attribute("alt", words or "", timeout=30_000)
    expect(picture).not_to_have_attribute("src", drawn or "")
    expect(formulas.locator("mjx-container, .MathJax").first).to_be_visible(timeout=30_000)
    assert formulas.inner_html() != typeset
    number = float(slider.locator(".widget-readout").inner_text().replace("−", "-"))
    shown = f"w₁₁⁽²⁾ is {number:.4g}," if control == "its value" else f"{number:.2g}"
    assert shown.replace("-", "−") in (picture.get_attribute("alt") or "")


def test_the_gradients_in_jupyterlab_follow_their_controls(notebook: Page) -> None:
    cell = notebook.locator(".jp-CodeCell").nth(1)
    assert "20 layers of 8, sigmoid" in (cell.locator(".widget-vbox img").get_attribute("alt") or "")
    cell.get_by_label("activation").select_option("relu")
    changes_to(cell, "20 layers of 8, relu")
    cell.get_by_label("cure").select_option("residual links")
    changes_to(cell, "cure: residual links")
    for slider, words in (
        ("depth", "21 layers of 8"),
        ("weight scale", "weights times 1.12"),
        ("width", "21 layers of 7"),
    ):
        cell.locator(".widget-slider", has_text=slider).locator(".noUi-handle").focus()
        notebook.keyboard.press("ArrowLeft" if slider == "width" else "ArrowRight")
        changes_to(cell, words)
