"""The pages about plugins show programs that work."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from app import ORIGIN, content
from portico import Headers, Request
from portico.testing import Browser
from postbox import location
from requirements import requirement

pytestmark = [pytest.mark.anyio, requirement("ARCH-examples")]

FOLDER = Path(__file__).parent.parent / "docs" / "plugins"
PAGES = [page for page in sorted(FOLDER.glob("*.md")) if page.with_suffix(".py").exists()]
"""Those with a program of their own; others show one of the examples."""


@pytest.fixture
def program(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Load a program as who starts it in an empty folder does."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BETTER_AUTH_SECRET", "example-secret-0123456789-abcdefghijkl")
    spec = importlib.util.spec_from_file_location(request.param, FOLDER / f"{request.param}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_shows_its_program_as_it_is(page: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)
    source = page.with_suffix(".py").read_text()
    assert blocks
    assert [block for block in blocks if block.strip() not in source] == []


@requirement("S-105", "S-106")
@pytest.mark.parametrize("program", ["magic_link"], indirect=True)
async def test_the_page_about_links_signs_in_by_what_it_mails(program: Any, capsys: pytest.CaptureFixture[str]) -> None:
    auth = program.auth
    await auth.create_schema()
    browser = Browser(auth, ORIGIN)
    await browser.post("/sign-in/magic-link", {"email": "ann@example.com", "callbackURL": "/home"})
    [link] = re.findall(r"To ann@example\.com: sign in at (\S+)\n", capsys.readouterr().out)
    query = link.partition("?")[2]
    assert b"<button" in (await browser.get("/magic-link/verify", query)).body
    assert location(await browser.send("POST", "/magic-link/verify", query=query)) == f"{ORIGIN}/home"
    assert content(await browser.get("/get-session"))["user"]["email"] == "ann@example.com"
    await auth.close()


@requirement("S-205f")
@pytest.mark.parametrize("program", ["multi_session"], indirect=True)
async def test_the_page_about_several_users_switches_between_them(program: Any) -> None:
    auth = program.auth
    await auth.create_schema()
    browser, tokens = Browser(auth, ORIGIN), list[str]()
    for name in ("ann", "bob"):
        body = {"name": name, "email": f"{name}@example.com", "password": "password123"}
        tokens.append(content(await browser.post("/sign-up/email", body))["token"])
    await browser.post("/multi-session/set-active", {"sessionToken": tokens[0]})
    assert content(await browser.get("/get-session"))["user"]["name"] == "ann"
    listed = content(await browser.get("/multi-session/list-device-sessions"))
    assert [each["user"]["name"] for each in listed] == ["ann", "bob"]
    await auth.close()


@requirement("P09")
@pytest.mark.parametrize("program", ["device_authorization"], indirect=True)
async def test_the_page_about_devices_lets_a_known_client_in(program: Any) -> None:
    auth = program.auth
    await auth.create_schema()
    ann, device = Browser(auth, ORIGIN), Browser(auth, ORIGIN)
    await ann.post("/sign-up/email", {"name": "Ann", "email": "ann@example.com", "password": "password123"})
    assert content(await device.post("/device/code", {"client_id": "other"}))["error"] == "invalid_client"
    codes = content(await device.post("/device/code", {"client_id": "acme-cli"}))
    assert codes["verification_uri"] == f"{ORIGIN}/api/auth/device/enter"
    shown = await ann.get("/device/enter", f"user_code={codes['user_code']}")
    assert (shown.status, codes["user_code"].encode() in shown.body, b"--accent: #7a1fa2" in shown.body) == (
        200,
        True,
        True,
    )
    stranger = await Browser(auth, ORIGIN).get("/device/enter")
    assert location(stranger) == "/sign-in?next=/api/auth/device/enter"
    assert content(await ann.get("/device", f"user_code={codes['user_code']}"))["client_id"] == "acme-cli"
    await ann.post("/device/approve", {"userCode": codes["user_code"]})
    body = {
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
        "device_code": codes["device_code"],
        "client_id": "acme-cli",
    }
    token = content(await device.post("/device/token", body))["access_token"]
    session = await auth.api.get_session({"authorization": f"Bearer {token}"})
    assert session.user.email == "ann@example.com"
    await auth.close()


@requirement("S-030", "S-193")
@pytest.mark.parametrize("program", ["two_factor"], indirect=True)
async def test_the_page_about_the_second_factor_sets_up_an_app_and_sends_codes(
    program: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    auth = program.auth
    await auth.create_schema()
    browser = Browser(auth, ORIGIN)
    credentials = {"email": "ann@example.com", "password": "password123"}
    await browser.post("/sign-up/email", {"name": "Ann", **credentials})
    request = Request(method="GET", path="/", headers=Headers(browser.headers.items()))
    shown = await program.set_up(request, "password123")
    assert (shown.startswith("<svg "), shown.count("<li>")) == (True, 10)
    assert content(await browser.post("/two-factor/send-otp")) == {"status": True}
    [code] = re.findall(r"To ann@example\.com: your code is (\d{6})\n", capsys.readouterr().out)
    assert (await browser.post("/two-factor/verify-otp", {"code": code})).status == 200
    asked = content(await Browser(auth, ORIGIN).post("/sign-in/email", credentials))
    assert asked == {"twoFactorRedirect": True, "twoFactorMethods": ["otp"]}
    await auth.close()


@requirement("S-107", "S-108")
@pytest.mark.parametrize("program", ["username"], indirect=True)
async def test_the_page_about_usernames_signs_in_by_one_and_reserves_some(program: Any) -> None:
    auth = program.auth
    await auth.create_schema()
    browser = Browser(auth, ORIGIN)
    new = {"name": "Ann", "email": "ann@example.com", "password": "password123"}
    for name in ("Support", "a.b.c"):
        refused = await browser.post("/sign-up/email", {**new, "username": name})
        assert (refused.status, content(refused)["code"]) == (400, "INVALID_USERNAME")
    assert (await browser.post("/sign-up/email", {**new, "username": "Ann1"})).status == 200
    signed_in = await Browser(auth, ORIGIN).post("/sign-in/username", {"username": "ANN1", "password": "password123"})
    assert content(signed_in)["user"]["displayUsername"] == "Ann1"
    assert content(await browser.get("/username/is-available", "username=ann1")) == {"available": False}
    await auth.close()
