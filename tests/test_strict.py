import inspect
import re
from dataclasses import fields, is_dataclass
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from app import CHEAP, ORIGIN, content, make, plain, signed_up
from plugins.second_step import enrolled
from portico import (
    AccountOptions,
    AdvancedOptions,
    Auth,
    ConfigError,
    CookieCacheOptions,
    EmailAndPassword,
    Response,
    SessionOptions,
    VerificationOptions,
)
from portico.openapi import document
from portico.strict import GROUPS, PAIRS
from portico.testing import Browser, Clock
from postbox import Postbox, location
from requirements import requirement

pytestmark = [pytest.mark.anyio, requirement("ARCH-strict")]

DAY = 24 * 3600
DOCS = Path(__file__).parent.parent / "docs" / "security.md"
STRICT: dict[str, Any] = {"security": "strict"}
CONFIRMING = AdvancedOptions(confirm_mailed_links=True)
NOT_FRESH = (403, {"message": "Session is not fresh", "code": "SESSION_NOT_FRESH"})


def value_at(auth: Auth[Any], path: str) -> Any:
    group, *names = path.split(".")
    found: Any = {
        "account": auth.account_options,
        "advanced": auth.advanced,
        "email_and_password": auth.email_and_password,
        "session": auth.session_options,
        "user": auth.user_options,
        "verification": auth.verification_options,
    }[group]
    for name in names:
        found = getattr(found, name)
    return found


@pytest.mark.parametrize("security", ["default", "strict"])
def test_one_word_decides_what_the_application_leaves_open(security: str) -> None:
    auth = plain(security=security)
    assert {path: value_at(auth, path) for path in PAIRS} == {
        path: pair[security == "strict"] for path, pair in PAIRS.items()
    }


def test_what_the_application_says_stays() -> None:
    auth = plain(
        security="strict",
        account=AccountOptions(encrypt_oauth_tokens=False),
        advanced=AdvancedOptions(confirm_mailed_links=False, refuse_protected_fields=False),
        email_and_password=EmailAndPassword(revoke_sessions_on_password_reset=False, reset_proves_address=False),
        verification=VerificationOptions(store_identifier="plain"),
        session=SessionOptions(fresh_for_sensitive=False, cookie_cache=CookieCacheOptions(strategy="jwt")),
    )
    said = {path: pair[0] for path, pair in PAIRS.items()} | {"session.cookie_cache.strategy": "jwt"}
    assert {path: value_at(auth, path) for path in PAIRS} == said


def left_open(kind: type[Any], prefix: str) -> set[str]:
    """Return the options that speak of the strict kind of security in their docstring."""
    source = Path(inspect.getfile(kind)).read_text()
    body = re.split(rf"class {kind.__name__}(?:\(\w+\))?:", source)[1].partition("\n\n\n")[0]
    named = set(re.findall(r'^    (\w+): [^\n]*\n    """(?:(?!""").)*strict', body, re.MULTILINE | re.DOTALL))
    for field in fields(kind):
        inner: Any = field.default_factory
        if isinstance(inner, type) and is_dataclass(inner):
            named |= {f"{field.name}.{name}" for name in left_open(inner, "")}
    return {f"{prefix}{name}" for name in named}


def test_the_table_and_the_documentation_know_every_such_option() -> None:
    found = {path for group, kind in GROUPS.items() for path in left_open(kind, f"{group}.")}
    assert found == set(PAIRS)
    rows = re.findall(r"^\| `([a-z_.]+)` \| (\w+) \| (\w+) \|", DOCS.read_text(), re.MULTILINE)
    assert rows == [(path, str(default), str(strict)) for path, (default, strict) in PAIRS.items()]


@requirement("CONF-security")
def test_there_are_two_kinds_of_security() -> None:
    with pytest.raises(ConfigError, match="takes 'default' or 'strict', not 'paranoid'"):
        plain(security="paranoid")


@requirement("G01", "S-014")
async def test_fields_that_are_not_for_clients_are_refused_where_that_is_wanted() -> None:
    auth = make(**STRICT)
    for name, value in (("id", "x"), ("emailVerified", True), ("twoFactorEnabled", False), ("createdAt", None)):
        body = {"name": "Ann", "email": "ann@example.com", "password": "password123", name: value}
        response = await Browser(auth, ORIGIN).post("/sign-up/email", body)
        assert (response.status, content(response)) == (
            400,
            {"message": f"{name} is not allowed to be set", "code": "FIELD_NOT_ALLOWED"},
        )
        assert await auth.store.count(auth.tables["user"]) == 0
    browser = await signed_up(auth, nickname="annie", other="ignored")
    refused = await browser.post("/update-user", {"name": "Bob", "emailVerified": True})
    assert (refused.status, content(refused)["code"]) == (400, "FIELD_NOT_ALLOWED")
    assert content(await browser.get("/get-session"))["user"]["name"] == "Ann"


@requirement("S08", "S-015", "S-031")
async def test_a_session_that_is_not_fresh_changes_no_address_and_no_second_factor() -> None:
    clock, postbox = Clock(), Postbox()
    auth = make(clock, **postbox.options(), **STRICT)
    browser, _ = await enrolled(auth, clock)
    clock.advance(DAY)
    for path, body in (
        ("/change-email", {"newEmail": "new@example.com"}),
        ("/two-factor/disable", {"password": "password123"}),
    ):
        response = await browser.post(path, body)
        assert (response.status, content(response)) == NOT_FRESH
    assert (postbox.mails, content(await browser.get("/get-session"))["user"]["twoFactorEnabled"]) == ([], True)
    relaxed = make(clock, **postbox.options(), database=auth.store)
    late = Browser(relaxed, ORIGIN, dict(browser.cookies))
    assert (await late.post("/two-factor/disable", {"password": "password123"})).status == 200


async def mailed(postbox: Postbox, **options: Any) -> tuple[Auth[Any], Browser, str]:
    """Return an application, a browser and the query of the link that proves its user's address."""
    auth = make(Clock(), **postbox.options(verification={"send_on_sign_up": True}), advanced=CONFIRMING, **options)
    browser = await signed_up(auth, callbackURL="https://app.example.com/welcome?a=b")
    return auth, browser, postbox.last.url.partition("?")[2]


def policy(response: Response) -> str:
    return dict(response.headers)["content-security-policy"]


@requirement("C03", "S-008")
async def test_a_scanner_that_opens_the_link_of_a_mail_proves_nothing() -> None:
    postbox = Postbox()
    auth, _, query = await mailed(postbox, trusted_origins=["https://app.example.com"])
    scanner = Browser(auth, ORIGIN)
    page = await scanner.get("/verify-email", query)
    assert (page.status, dict(page.headers)["content-type"], scanner.cookies) == (200, "text/html", {})
    headers = dict(page.headers)
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"
    assert policy(page) == (
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "
        "form-action 'self' https://app.example.com; frame-ancestors 'none'"
    )
    user = await auth.users.find_by_email(auth.context(None), "ann@example.com")
    assert user is not None
    assert not user.email_verified
    text = page.body.decode()
    assert '<html lang="en">' in text
    assert '<button type="submit">Confirm your email address</button>' in text
    [action] = re.findall(r'<form method="post" action="\?([^"]+)">', text)
    # A browser sends an empty form.
    done = await scanner.send("POST", "/verify-email", query=unescape(action))
    assert location(done) == "https://app.example.com/welcome?a=b"
    proven = await auth.users.find_by_email(auth.context(None), "ann@example.com")
    assert proven is not None
    assert proven.email_verified
    assert postbox.told == [("before verification", "ann@example.com"), ("after verification", "ann@example.com")]


@requirement("C03", "S-017")
async def test_a_scanner_deletes_nobody() -> None:
    postbox = Postbox()
    auth, browser, _ = await mailed(postbox, trusted_origins=["https://app.example.com"])
    await browser.post("/delete-user", {"callbackURL": "/gone"})
    query = postbox.last.url.partition("?")[2]
    page = await browser.get("/delete-user/callback", query)
    assert (page.status, b"Delete your account" in page.body) == (200, True)
    assert "form-action 'self';" in policy(page)
    assert await auth.store.count(auth.tables["user"]) == 1
    foreign = Browser(auth, "https://evil.test", dict(browser.cookies))
    refused = await foreign.send("POST", "/delete-user/callback", query=query)
    assert (refused.status, content(refused)["code"]) == (403, "INVALID_ORIGIN")
    assert location(await browser.send("POST", "/delete-user/callback", query=query)) == "/gone"
    assert await auth.store.count(auth.tables["user"]) == 0


@requirement("C02", "C04", "C05")
async def test_the_page_shows_no_text_of_others_and_leads_to_no_strange_place() -> None:
    auth, _, query = await mailed(Postbox(), trusted_origins=["https://app.example.com", "myapp://"])
    browser = Browser(auth, ORIGIN)
    page = await browser.get("/verify-email", "token=%22%3E%3Cscript%3E&x=%3Cb%3E")
    assert (page.status, b"<script>" in page.body, b"<b>" in page.body) == (200, False, False)
    assert "form-action 'self' myapp:;" in policy(await browser.get("/verify-email", "token=x&callbackURL=myapp://a"))
    strange = await browser.get("/verify-email", "token=x&callbackURL=https://evil.test")
    assert (strange.status, content(strange)["code"]) == (403, "INVALID_CALLBACK_URL")
    evil = Browser(auth, "https://evil.test")
    refused = await evil.send("POST", "/verify-email", query=query)
    assert (refused.status, content(refused)["code"]) == (403, "INVALID_ORIGIN")
    assert (await browser.send("POST", "/verify-email", query="token=nonsense")).status == 401


@requirement("ARCH-openapi")
async def test_without_confirmation_there_is_no_second_way_and_the_document_says_what_there_is() -> None:
    plainly, asking = make(**Postbox().options()), make(**Postbox().options(), advanced=CONFIRMING)
    assert (await Browser(plainly, ORIGIN).send("POST", "/verify-email", query="token=x")).status == 404
    for auth, verbs, kinds in (
        (plainly, {"get"}, {"application/json"}),
        (asking, {"get", "post"}, {"application/json", "text/html"}),
    ):
        path = document(auth)["paths"]["/verify-email"]
        assert set(path) == verbs
        assert set(path["get"]["responses"]["200"]["content"]) == kinds
    shared = document(asking)
    refused = shared["paths"]["/verify-email"]["post"]["responses"]["403"]["$ref"].rpartition("/")[2]
    codes = shared["components"]["responses"][refused]["content"]["application/json"]["schema"]["properties"]["code"]
    assert "CROSS_SITE_NAVIGATION_LOGIN_BLOCKED" in codes["enum"]


@requirement("E09", "E11")
async def test_a_strict_reset_leaves_nothing_of_who_came_first() -> None:
    postbox, clock = Postbox(), Clock()
    auth = make(clock, **postbox.options(), **STRICT)
    attacker = await signed_up(auth)
    owner = Browser(auth, ORIGIN)
    await owner.post("/request-password-reset", {"email": "ann@example.com"})
    await owner.post("/reset-password", {"newPassword": "new password", "token": postbox.last.token})
    assert content(await attacker.get("/get-session")) is None
    assert (await owner.post("/sign-in/email", {"email": "ann@example.com", "password": "new password"})).status == 200


@requirement("S-161")
async def test_a_strict_cookie_copy_is_encrypted() -> None:
    cached = SessionOptions(cookie_cache=CookieCacheOptions(enabled=True))
    options = EmailAndPassword(enabled=True, password=CHEAP)
    auth = plain(security="strict", session=cached, email_and_password=options)
    browser = await signed_up(auth)
    assert browser.cookies["better-auth.session_data"].count(".") == 4
