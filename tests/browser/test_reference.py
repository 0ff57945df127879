"""The page of the document works without any other host: Chromium finds every operation on it."""

from base64 import b64encode
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from hashlib import sha384
from pathlib import Path
from typing import Any

import httpx
import pytest

from browser import scalar
from browser.chromium import Page, opened
from live import live, published
from openapi.lint import operations
from portico import Auth
from portico.plugins.open_api import SCALAR, SCALAR_INTEGRITY, OpenApi
from portico.published import PublishedApi, published_document
from requirements import requirement

pytestmark = requirement("S-123")

FIRST, *OTHERS = [tag["name"] for tag in published_document()["tags"]]


def with_page(**options: Any) -> Callable[[str], Auth[PublishedApi]]:
    class Api(PublishedApi):
        open_api = OpenApi(**options)

    return lambda url: published(url, Api)


@contextmanager
def reference(**options: Any) -> Generator[str]:
    with live(with_page(**options)) as url:
        yield f"{url}/api/auth/reference"


def described(page: str) -> dict[str, set[str]]:
    """Return the operations of the document that the page shows, by tag."""
    document = httpx.get(page.replace("/reference", "/open-api/generate-schema")).json()
    by_tag: dict[str, set[str]] = {tag["name"]: set() for tag in document["tags"]}
    for name, operation in operations(document):
        for tag in operation["tags"]:
            by_tag[tag].add(name)
    return by_tag


def found(page: Page, tag: str) -> set[str]:
    """Return the operations that have an element of their own below a tag, and whose path can be read."""
    anchors = (each.partition(f"/tag/{tag.lower()}/")[2].partition("/") for each in page.ids)
    return {f"{method} /{path}" for method, _, path in anchors if path and f"/{path}" in page.texts}


@pytest.fixture(scope="module")
def page() -> Iterator[str]:
    with reference(script=scalar.kept()) as url:
        yield url


def test_the_pinned_hash_is_the_one_of_the_release() -> None:
    assert f"sha384-{b64encode(sha384(scalar.kept().read_bytes()).digest()).decode()}" == SCALAR_INTEGRITY


def test_the_page_shows_every_tag_and_opens_the_first(page: str) -> None:
    shown, by_tag = opened(page), described(page)
    assert shown.console == []
    assert list(by_tag) == [FIRST, *OTHERS]
    assert [tag for tag in by_tag if not any(each.endswith(f"/tag/{tag.lower()}") for each in shown.ids)] == []
    assert {tag: found(shown, tag) for tag in by_tag} == {tag: by_tag[tag] if tag == FIRST else set() for tag in by_tag}


@pytest.mark.parametrize("tag", OTHERS)
def test_a_link_to_a_tag_opens_it(page: str, tag: str) -> None:
    shown = opened(f"{page}#tag/{tag}")
    assert shown.console == []
    assert found(shown, tag) == described(page)[tag] != set()


def test_a_script_that_was_changed_does_not_run(tmp_path: Path) -> None:
    changed = tmp_path / "standalone.js"
    changed.write_bytes(scalar.kept().read_bytes() + b"\n")
    with reference(script=changed, integrity=SCALAR_INTEGRITY) as page:
        shown = opened(page)
    assert any("Failed to find a valid digest in the 'integrity' attribute" in said for said in shown.console)
    assert found(shown, FIRST) == set()


def test_this_browser_reaches_no_other_host() -> None:
    with reference(script=SCALAR) as page:
        shown = opened(page)
    assert shown.console == ['"Uncaught ReferenceError: Scalar is not defined"']
    assert found(shown, FIRST) == set()
