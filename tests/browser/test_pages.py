"""The pages of the server in Debian's Chromium: by keyboard, with JavaScript and without, for eyes and for ears."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from browser.chromium import COMMAND
from live import live
from portico import AdvancedOptions, AnyApi, Auth, EmailAndPassword, Pages, RateLimitOptions
from portico.crypto.random import random_letters
from portico.plugins.bearer import Bearer
from portico.plugins.device_authorization import DeviceAuthorization
from portico.plugins.magic_link import MagicLink
from portico.testing import Outbox
from requirements import requirement

pytestmark = [requirement("ARCH-pages"), pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])]

HERE = Path(__file__).parent
PATIENCE = 120
"""In seconds."""


async def of_the_application(request: Request) -> PlainTextResponse:
    return PlainTextResponse("A page of the application")


SITE = Starlette(routes=[Route(path, of_the_application) for path in ("/sign-in", "/home")])
LANDMARKS = [["banner", ""], ["main", ""]]


def serving(outbox: Outbox, **options: Any) -> Callable[[str], Auth[AnyApi]]:
    """Return what makes an Auth for its own URL."""
    return lambda url: Auth(
        plugins=[
            Bearer(),
            DeviceAuthorization(page=True, sign_in_page="/sign-in"),
            MagicLink(send_magic_link=outbox.keep),
        ],
        app_name="Acme",
        base_url=url,
        secret=random_letters(48),
        email_and_password=EmailAndPassword(enabled=True),
        advanced=AdvancedOptions(confirm_mailed_links=True),
        rate_limit=RateLimitOptions(enabled=False),
        **options,
    )


def visit(story: str, url: str, *, script: bool, **given: Any) -> Any:
    """Return what a person meets who goes through a story."""
    done = subprocess.run(
        ["node", "pages.mjs", story, json.dumps({"url": url, "script": script, **given})],
        cwd=HERE,
        env={**os.environ, "CHROMIUM": shutil.which(COMMAND[0]) or ""},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


@contextmanager
def mailed(**options: Any) -> Generator[tuple[str, str]]:
    """Yield the address of a server and a link that it mailed."""
    outbox = Outbox()
    with live(serving(outbox, **options), site=SITE) as url:
        asked = {"email": "ann@example.com", "callbackURL": "/home"}
        sent = httpx.post(f"{url}/api/auth/sign-in/magic-link", json=asked, headers={"origin": url})
        assert sent.status_code == 200
        [(_, link)] = outbox.mails
        yield url, link


def entry(path: str, *, code: str = "", problem: str | None = None) -> list[Any]:
    """Return what is met on the page to enter a code."""
    hint = "Enter the code that your device shows."
    title = "Connect a device" if problem is None else "Error: Connect a device"
    field = ["textbox", "Code", hint if problem is None else f"{problem} {hint}", *([code] if code else [])]
    announced = [] if problem is None else [["alert", ""]]
    invalid = [] if problem is None else ["invalid"]
    return [
        f"/api/auth/device/{path}",
        f"{title} · Acme",
        "en",
        [*LANDMARKS, ["heading", "Connect a device"], *announced, [*field, *invalid], ["button", "Continue"]],
    ]


def page(path: str, title: str, *buttons: str) -> list[Any]:
    """Return what is met on another page."""
    named = [["button", name] for name in buttons]
    return [f"/api/auth/{path}", f"{title} · Acme", "en", [*LANDMARKS, ["heading", title], *named]]


@requirement("P09", "ARCH-device-page")
def test_a_device_is_let_in_and_another_turned_away_by_keyboard(*, script: bool) -> None:
    with live(serving(Outbox()), site=SITE) as url:
        found = visit("device", url, script=script)
    unknown = "No device shows this code. Check it and try again."
    used = "This code was used. Ask the device for a new one."
    assert found["seen"] == [
        ["sent to", "/sign-in?next=/api/auth/device/enter%3Fuser_code%3DFIRST"],
        ["offered", *entry("enter", code="FIRST")],
        ["wrong", *entry("look", code="NO-SUCH", problem=unknown)],
        ["asked", *page("device/look", "Let this device in?", "Approve", "Deny")],
        ["device", "authorization_pending"],
        ["approved", *page("device/decide", "Device approved")],
        ["empty", *entry("enter")],
        ["denied", *page("device/decide", "Device denied")],
        ["device", "access_denied"],
        ["again", *entry("decide")],
        ["used", *entry("look", code="FIRST", problem=used)],
    ]


@requirement("S-105", "C03")
def test_a_mailed_link_does_nothing_until_its_button_is_pressed(*, script: bool) -> None:
    with mailed() as (url, link):
        found = visit("link", url, script=script, link=link)
    assert found["seen"] == [
        ["opened", *page("magic-link/verify", "Sign in", "Sign in")],
        ["session", None],
        ["sent to", "/home"],
        ["session", "ann@example.com"],
    ]


def test_an_application_changes_the_look_in_one_place(*, script: bool) -> None:
    look = Pages(css="--accent: #7a1fa2; --radius: 0; --size: 20px", dark_css="--accent: #e1bee7")
    names = ["backgroundColor", "borderRadius", "fontSize", "color"]
    with mailed(pages=look) as (url, link):
        found = visit("look", url, script=script, link=link, look=names)
    assert found["seen"] == []
    assert found["found"] == {
        "light": ["rgb(122, 31, 162)", "0px", "20px", "rgb(255, 255, 255)"],
        "dark": ["rgb(225, 190, 231)", "0px", "20px", "rgb(6, 46, 111)"],
    }
