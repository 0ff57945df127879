"""The examples that people see, through a browser; those of Django and Flask with JavaScript turned off."""

import json
import os
import shutil
from pathlib import Path
from subprocess import STDOUT
from typing import Any

import httpx
import pytest
from anyio import fail_after, run_process

from examples.running import BROWSER, EXAMPLES, Example, unless
from requirements import requirement

pytestmark = pytest.mark.anyio

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
FRONT = EXAMPLES / "fastapi_nextjs" / "web"
in_a_browser = unless(
    chromium=CHROMIUM,
    node=shutil.which("node"),
    npm_packages=all((folder / "node_modules").is_dir() for folder in (BROWSER, FRONT)),
)
SITES = ("django_site", "flask_site")
FORM = {"email": "ann@example.com", "password": "correct horse"}


async def visit(address: str, kind: str) -> Any:
    """Return what a person sees who signs up, out, in with a mistake, and in."""
    with fail_after(60):
        ended = await run_process(
            ["node", "visit.mjs", address, kind],
            cwd=BROWSER,
            env={**os.environ, "CHROMIUM": CHROMIUM or ""},
            stderr=STDOUT,
            check=False,
        )
    assert ended.returncode == 0, ended.stdout.decode()
    return json.loads(ended.stdout)


@in_a_browser
@pytest.mark.parametrize("name", SITES)
@requirement("S-251", "ARCH-examples")
async def test_a_site_with_pages_needs_no_javascript(name: str, tmp_path: Path) -> None:
    example = Example(name, tmp_path)
    async with example.serving():
        seen = await visit(example.url(), "pages")
    assert seen == [
        ["/sign-in", "Sign in", ""],
        ["/sign-up", "Sign up", ""],
        ["/account", "Hello Ann", ""],
        ["/", "Acme", ""],
        ["/sign-in", "Sign in", "Invalid email or password"],
        ["/account", "Hello Ann", ""],
        "/account?tab=2",
    ]


@in_a_browser
@requirement("S-125", "ARCH-examples")
async def test_upstreams_client_in_a_nextjs_page_signs_in_to_fastapi(tmp_path: Path) -> None:
    example = Example("fastapi_nextjs", tmp_path)
    web = example.folder / "web"
    # Where its packages are installed; a bundler follows no link to them that leads out of its folder.
    shutil.rmtree(web)
    web.symlink_to(FRONT)
    async with example.serving(0), example.serving(1):
        seen = await visit(example.url(), "application")
    assert seen == [
        ["/", "Sign in", ""],
        ["/", "Sign up", ""],
        ["/", "Hello Ann", ""],
        ["/", "Sign in", ""],
        ["/", "Sign in", "Invalid email or password"],
        ["/", "Hello Ann", ""],
        ["/", "Hello Ann", ""],
    ]


@pytest.mark.parametrize("name", SITES)
@requirement("S-251", "ARCH-examples")
async def test_a_form_of_another_site_signs_nobody_in_and_leads_nowhere(name: str, tmp_path: Path) -> None:
    example = Example(name, tmp_path)
    action = {"django_site": "/api/auth/sign-in/email", "flask_site": "/sign-in"}[name]
    sign_up = action.replace("sign-in", "sign-up")
    async with example.serving(), connected(example) as http:
        ours = {"origin": example.url()}
        assert (await http.post(sign_up, data={"name": "Ann", **FORM}, headers=ours)).status_code == 303
        http.cookies.clear()
        foreign = await http.post(action, data=FORM, headers={"origin": "https://evil.example"})
        assert "Invalid origin" in await shown(http, foreign)
        lured = await http.post(action, data={**FORM, "callbackURL": "https://evil.example/"}, headers=ours)
        assert "Invalid callbackURL" in await shown(http, lured)
        assert "session_token" not in " ".join(http.cookies)
        assert (await http.get("/account")).status_code == 302


def connected(example: Example) -> httpx.AsyncClient:
    """Return a client of a server that has just said that it will serve."""
    return httpx.AsyncClient(base_url=example.url(), transport=httpx.AsyncHTTPTransport(retries=3))


async def shown(http: httpx.AsyncClient, answer: httpx.Response) -> str:
    """Return the page that a browser shows in the end."""
    return (await http.get(answer.headers["location"]) if answer.has_redirect_location else answer).text
