"""A rendered page made safe and readable: no script, no address on the network, headings to jump to."""

from __future__ import annotations

import re
from collections.abc import Collection
from urllib.parse import quote

from bs4 import BeautifulSoup, Tag

#: What a browser shall refuse to do for a report, whatever its text contains.
POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; font-src data:; "
    "base-uri 'none'; form-action 'none'"
)

_ACTIVE = ["script", "iframe", "frame", "object", "embed", "link", "base", "form", "audio", "video", "source"]
_FETCHING = ("src", "srcset", "poster", "background", "data")
_LINK = re.compile(r"(https?:|mailto:|#|[^:]*$)", re.IGNORECASE)
_INSIDE = re.compile(r"#|data:image/")


def remove_active(page: BeautifulSoup) -> None:
    """Remove scripts, frames, event handlers and everything that would be fetched, in place.

    Links that a reader may click stay; pictures stay where their bytes are in the page.
    """
    for element in page.find_all(_ACTIVE):
        element.decompose()
    for meta in page.select("body meta"):
        meta.decompose()
    for style in page.select("body style"):
        if re.search(r"url\s*\(|@import|\\", style.get_text(), re.IGNORECASE):
            style.decompose()
    for element in page.select("body *"):
        allowed = _LINK if element.name == "a" else _INSIDE
        for name in list(element.attrs):
            value = str(element.attrs[name])
            if (
                name.startswith("on")
                or (name in _FETCHING and not value.startswith("data:image/"))
                or (name in ("href", "xlink:href") and not allowed.match(value.strip()))
                or name in ("action", "formaction", "ping")
                or (name == "style" and "url" in value.lower())
            ):
                del element.attrs[name]
    for image in page.find_all("img"):
        if "src" not in image.attrs:
            image.replace_with(f"[picture not embedded: {image.get('alt', '')}]")


def mark_tables(page: BeautifulSoup) -> None:
    """Give every heading cell of a table its scope and let wide tables scroll by themselves, in place."""
    for table in page.find_all("table"):
        table.attrs.pop("border", None)
        for heading in table.find_all("th"):
            if not heading.get_text(strip=True) and not heading.find(True):
                heading.name = "td"  # an empty corner is no heading
            elif "scope" not in heading.attrs:
                above = heading.find_parent("thead") is not None or not heading.find_next_siblings("td")
                heading.attrs["scope"] = "col" if above else "row"
        table.wrap(page.new_tag("div", attrs={"class": "scroll"}))


def link_files(page: BeautifulSoup, names: Collection[str]) -> None:
    """Make a link of every `name` that the text sets as code where it is a file beside the page, in place."""
    for code in page.select(".prose :not(pre) > code"):
        name = code.get_text()
        if name in names and code.find_parent("a") is None:
            code.wrap(page.new_tag("a", href=quote(name)))


def link_headings(page: BeautifulSoup) -> None:
    """Give every heading of the text an id and list those of level two in the page's navigation, in place."""
    main, navigation = page.find("main"), page.find("nav")
    if not isinstance(main, Tag) or not isinstance(navigation, Tag):
        return
    taken: set[str] = {str(element["id"]) for element in page.select("[id]")}
    contents = page.new_tag("ul")
    for heading in main.find_all(["h1", "h2", "h3", "h4", "h5", "h6"]):
        words = re.sub(r"[^\w]+", "-", heading.get_text().strip().lower()).strip("-") or "part"
        slug, copies = words, 1
        while slug in taken:
            copies += 1
            slug = f"{words}-{copies}"
        taken.add(slug)
        heading.attrs["id"] = slug
        if heading.name == "h2":
            item, link = page.new_tag("li"), page.new_tag("a", href=f"#{slug}")
            for child in BeautifulSoup(heading.decode_contents(), "html.parser").contents[:]:
                link.append(child.extract())
            item.append(link)
            contents.append(item)
    if contents.find("li"):
        navigation.append(contents)
    else:
        navigation.decompose()
