"""An executed notebook as one HTML file: formulas, font and pictures inside, no network.

No script of a notebook's own; where it shows states of something that moves (`_common.states`), the one
script that puts them behind sliders.
"""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from bs4 import BeautifulSoup, Script, Stylesheet
from jinja2 import pass_context
from jinja2.runtime import Context
from nbconvert.exporters.html import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode
from traitlets.config import Config

from coursework._common.states import SCRIPT, SCRIPT_SOURCE
from coursework.publish.clean import POLICY, link_files, link_headings, mark_tables, remove_active
from coursework.publish.font import characters_of, font_for
from coursework.publish.mathematics import FormulaError, convert_delimited, to_mathml
from coursework.publish.pages import TEMPLATES

_TAGS = re.compile(r"(<[^>]*>)")
_UNTYPESET = {"code", "pre", "math", "style", "script", "textarea"}


class ExportError(ValueError):
    """A notebook that cannot be shown as a page; the message names the cell."""


class _Renderer(IPythonRenderer):
    """Markdown to HTML, formulas to MathML."""

    def block_math(self, body: str) -> str:
        return f'<span class="formula">{to_mathml(body, display=True)}</span>'

    def inline_math(self, body: str) -> str:
        return to_mathml(body, display=False)

    def latex_environment(self, name: str, body: str) -> str:
        return self.block_math(f"\\begin{{{name}}}{body}\\end{{{name}}}")

    def block_html(self, html: str) -> str:
        pieces = _TAGS.split(super().block_html(html))
        return "".join(p if p.startswith("<") else convert_delimited(p) for p in pieces)


class ReportExporter(HTMLExporter):
    """nbconvert's HTML exporter with this package's template and mathematics."""

    @property
    def default_config(self) -> Config:
        """nbconvert's settings, with outputs chosen among the kinds that a page without script can show."""
        config: Config = super().default_config
        config.NbConvertBase.display_data_priority = [
            "text/html",
            "text/markdown",
            "image/svg+xml",
            "image/png",
            "image/jpeg",
            "text/latex",
            "text/plain",
        ]
        config.HighlightMagicsPreprocessor.enabled = False
        return config

    @pass_context
    def markdown2html(self, context: Context, source: str) -> str:
        """Return markdown as HTML, its formulas as MathML."""
        renderer = _Renderer(
            escape=False,
            attachments=context.get("cell", {}).get("attachments", {}),
            embed_images=True,
            path=context.get("resources", {}).get("metadata", {}).get("path", ""),
            exclude_anchor_links=True,
        )
        try:
            rendered: str = MarkdownWithMath(renderer=renderer).render(source)
        except FormulaError as error:
            raise _located(context, error) from None
        return rendered

    @pass_context
    def output_html(self, context: Context, source: str) -> str:
        """Return the HTML that a cell put out with its formulas as MathML."""
        fragment = BeautifulSoup(source, "html.parser")
        for text in fragment.find_all(string=True):
            if type(text).__name__ != "NavigableString" or _UNTYPESET & {p.name for p in text.parents}:
                continue
            try:
                converted = convert_delimited(html.escape(text, quote=False))
            except FormulaError as error:
                raise _located(context, error) from None
            text.replace_with(BeautifulSoup(converted, "html.parser"))
        return str(fragment)


def _picture(data: str, kind: str, output: NotebookNode, cell: NotebookNode) -> str:
    """Return an `<img>` that holds the picture `data` and its text alternative."""
    encoded = base64.b64encode(data.encode()).decode() if kind == "image/svg+xml" else "".join(data.split())
    given = output.metadata.get(kind, {}).get("alt") or cell.metadata.get("alt")
    alt = html.escape(given or "A figure without a description")
    return f'<p class="figure"><img src="data:{kind};base64,{html.escape(encoded)}" alt="{alt}"></p>'


def _located(context: Context, error: FormulaError) -> ExportError:
    """Return the error of a formula with the cell that it stands in."""
    cells, cell = context["nb"].cells, context["cell"]
    return ExportError(f"cell {cells.index(cell) + 1} ({cell.get('id', 'no id')}): formula {error}")


def export_notebook(
    notebook: NotebookNode,
    *,
    title: str,
    folder: Path | None = None,
    home: str | None = None,
    facts: Mapping[str, str] | None = None,
    files: Collection[str] = (),
) -> str:
    """Return `notebook` as one self-contained HTML page.

    Parameters
    ----------
    notebook : an executed notebook; it is not changed.
    title : the page's title.
    folder : where pictures named in the text lie; they are embedded.
    home : the address of the index that the page links to.
    facts : what the page's foot says about the run, by name.
    files : the names of the files that will lie beside the page; where its text names one, it is a link.

    Raises
    ------
    ExportError
        A formula cannot be converted.
    """
    shown = NotebookNode({**notebook, "cells": [_shown(cell) for cell in notebook.cells]})
    report = {"title": title, "home": home, "facts": facts or {}, "policy": POLICY}
    resources = {"report": report, "metadata": {"path": str(folder) if folder else "", "name": title}}
    new_exporter: Callable[..., Any] = ReportExporter  # nbconvert's constructors carry no types
    exporter = new_exporter(extra_template_basedirs=[str(TEMPLATES)], template_name="report")
    exporter.register_filter("output_html", exporter.output_html)
    exporter.register_filter("picture", _picture)
    rendered, _ = exporter.from_notebook_node(shown, resources)
    page = BeautifulSoup(rendered, "html.parser")
    remove_active(page)
    _let_states_move(page)
    mark_tables(page)
    link_files(page, files)
    link_headings(page)
    formulas = "".join(str(formula) for formula in page.find_all("math"))
    style = page.new_tag("style")
    style.append(Stylesheet(style_sheet(formulas)))
    page.select("head")[0].append(style)
    return str(page)


def _let_states_move(page: BeautifulSoup) -> None:
    """Add the script of states where there are any, and allow it alone, in place."""
    if page.select_one(".states[data-axes]") is None:
        return
    script = page.new_tag("script")
    script.append(Script(SCRIPT))
    page.select("body")[0].append(script)
    policy = page.select('meta[http-equiv="Content-Security-Policy"]')[0]
    policy["content"] = f"{POLICY}; script-src {SCRIPT_SOURCE}"


def style_sheet(formulas: str = "") -> str:
    """Return the pages' style sheet, with a font for `formulas` (MathML) where there are any."""
    sheet = (TEMPLATES / "style.css").read_text(encoding="utf-8")
    if not formulas:
        return sheet
    font = font_for(characters_of(formulas))
    return f'@font-face {{ font-family: "Report Math"; src: url({font}) format("woff2"); }}\n{sheet}'


def _shown(cell: NotebookNode) -> NotebookNode:
    """Return the cell without what a report leaves out: what went to stderr, progress bars above all."""
    outputs = [
        output
        for output in cell.get("outputs", [])
        if not (output.output_type == "stream" and output.name == "stderr")
    ]
    return NotebookNode({**cell, "outputs": outputs}) if cell.cell_type == "code" else cell
