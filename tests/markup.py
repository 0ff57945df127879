"""What a page says to those who cannot see it: its elements, and what is wrong with them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

from portico import Response

VOID = {"meta", "input"}
NAMED = {"input", "select", "textarea"}
CONTROLS = {*NAMED, "button", "a"}


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    inside: tuple[str, ...]
    """Tags of the elements that it is in."""
    text: str = ""


@dataclass
class Markup(HTMLParser):
    """The elements of a page in their order; raises AssertionError where its tags do not match."""

    elements: list[Element] = field(default_factory=list[Element])
    _open: list[Element] = field(default_factory=list[Element])

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        found = Element(tag, {name: value or "" for name, value in attrs}, tuple(each.tag for each in self._open))
        self.elements.append(found)
        if tag not in VOID:
            self._open.append(found)

    def handle_endtag(self, tag: str) -> None:
        """End the innermost element."""
        assert self._open, tag
        assert self._open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        """Note a text in every element that holds it."""
        for element in self._open:
            element.text += data

    def all(self, tag: str) -> list[Element]:
        """Return the elements of one kind."""
        return [each for each in self.elements if each.tag == tag]

    def one(self, tag: str) -> Element:
        """Return the only element of its kind."""
        [found] = self.all(tag)
        return found

    def text(self, tag: str) -> str:
        """Return what the only element of its kind says, with single spaces."""
        return " ".join(self.one(tag).text.split())

    def alert(self) -> str | None:
        """Return what is announced."""
        found = [each.text for each in self.elements if each.attributes.get("role") == "alert"]
        assert len(found) < 2
        return found[0] if found else None

    def fields(self) -> dict[str, str]:
        """Return what the fields hold, by name."""
        return {each.attributes["name"]: each.attributes.get("value", "") for each in self.all("input")}


def markup(response: Response) -> Markup:
    """Return the page of a response that everybody can use, that cannot be framed, and that runs nothing."""
    headers = dict(response.headers)
    assert headers["content-type"] == "text/html"
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action ")
    assert policy.endswith("; frame-ancestors 'none'")
    assert headers["x-content-type-options"] == "nosniff"
    page = Markup()
    page.feed(response.body.decode())
    assert list(mistakes(page)) == []
    if page.all("form"):
        assert (headers["cache-control"], headers["referrer-policy"]) == ("no-store", "same-origin")
    return page


def mistakes(page: Markup) -> Iterator[str]:
    """Yield what keeps people out."""
    if page.one("html").attributes.get("lang") != "en":
        yield "no language"
    if not page.text("title"):
        yield "no title"
    if "main" not in page.one("h1").inside:
        yield "the heading is in no landmark"
    ids = [each.attributes["id"] for each in page.elements if "id" in each.attributes]
    if len(ids) != len(set(ids)):
        yield f"two elements have one id of {ids}"
    labelled = {each.attributes.get("for") for each in page.all("label")}
    for each in page.elements:
        yield from _mistakes_of(each, ids, labelled)


def _mistakes_of(element: Element, ids: list[str], labelled: set[str | None]) -> Iterator[str]:
    attributes = element.attributes
    is_hidden = attributes.get("type") == "hidden"
    if element.tag in NAMED and not is_hidden and attributes.get("id") not in labelled:
        yield f"no label for {attributes}"
    if element.tag == "button" and (attributes.get("type") != "submit" or "form" not in element.inside):
        yield f"a button does nothing: {attributes}"
    if element.tag in {"button", "a"} and not element.text.strip():
        yield f"nothing to press: {attributes}"
    if element.tag == "form" and attributes.get("method") != "post":
        yield f"a form shows what it sends: {attributes}"
    if element.tag in CONTROLS and "main" not in element.inside:
        yield f"in no landmark: {attributes}"
    missing = [each for each in attributes.get("aria-describedby", "").split() if each not in ids]
    if missing:
        yield f"nothing is called {missing}"
    if element.tag == "script" or any(name.startswith("on") for name in attributes):
        yield f"a script: {element.tag} {attributes}"
    if "style" in attributes or any("//" in attributes.get(name, "") for name in ("src", "srcset")):
        yield f"another host, or a style of its own: {attributes}"
