"""Where an Auth is: by its base URL, or by the host that a request asks for."""

import logging
from dataclasses import replace
from typing import Any

import pytest

from app import CHEAP, ORIGIN, content, plain, set_cookies, signed_up
from portico import (
    AccountOptions,
    AdvancedOptions,
    Auth,
    ConfigError,
    CookieCacheOptions,
    DynamicBaseURL,
    EmailAndPassword,
    Headers,
    RateLimitOptions,
    Request,
    SessionOptions,
)
from portico.endpoints.sign_up import SignUpEmail
from portico.mail_links import link
from portico.testing import Browser
from postbox import Postbox
from requirements import requirement

pytestmark = [pytest.mark.anyio, requirement("B-63")]

HOSTS = DynamicBaseURL(allowed_hosts=["app.example.com", "*.preview.example.com", "localhost:*"])


async def asked(auth: Auth[Any], path: str, host: str | None, *headers: tuple[str, str], **parts: Any) -> Any:
    given = [*headers, *([] if host is None else [("host", host)])]
    return await auth.handler(Request(method="GET", path=f"/api/auth{path}", headers=Headers(given), **parts))


@requirement("C07")
@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("app.example.com", 200),
        ("APP.example.com", 200),
        ("a.preview.example.com", 200),
        ("localhost:3000", 200),
        ("app.example.com.evil.com", 400),
        ("evil.com", 400),
        ("preview.example.com", 400),
        ("app.example.com@evil.com", 400),
        ("app.example.com/evil", 400),
        ("app.example.com\t", 400),
        ("a" * 60 + "!", 400),
        ("a" * 100_000, 400),
        ("a." * 50_000 + "!", 400),
        ("", 400),
        (None, 400),
    ],
)
async def test_only_hosts_that_are_allowed_are_answered(host: str | None, status: int) -> None:
    auth = plain(base_url=HOSTS)
    response = await asked(auth, "/ok", host, scheme="http")
    assert response.status == status
    if status != 200:
        assert content(response) == {"message": "Invalid host", "code": "INVALID_HOST"}


async def mailed(auth: Auth[Any], postbox: Postbox, host: str, *headers: tuple[str, str], **parts: Any) -> str:
    """Ask for a link at a host and return its URL."""
    body = b'{"email": "ada@example.com", "redirectTo": "/new"}'
    given = Headers((("content-type", "application/json"), ("host", host), *headers))
    request = Request(method="POST", path="/api/auth/request-password-reset", headers=given, body=body, **parts)
    response = await auth.handler(request)
    assert response.status == 200, response.body
    await auth.finish(response)
    return postbox.last.url.partition("/reset-password/")[0]


def posted(postbox: Postbox, **options: Any) -> Auth[Any]:
    password = EmailAndPassword(enabled=True, send_reset_password=postbox.keep, password=CHEAP)
    return plain(**{"email_and_password": password, **options})


@requirement("C07")
async def test_links_lead_to_the_host_that_was_asked_and_to_no_other() -> None:
    postbox = Postbox()
    auth = posted(postbox, base_url=HOSTS)
    await auth.api.sign_up_email(None, sign_up())
    forged = ("x-forwarded-host", "evil.com"), ("x-forwarded-proto", "http"), ("forwarded", "host=evil.com")
    assert await mailed(auth, postbox, "app.example.com", *forged, scheme="https") == "https://app.example.com/api/auth"
    assert await mailed(auth, postbox, "localhost:8000", scheme="http") == "http://localhost:8000/api/auth"
    assert await mailed(auth, postbox, "x.preview.example.com") == "https://x.preview.example.com/api/auth"


@requirement("C07")
async def test_a_static_base_url_is_never_learnt_from_a_request() -> None:
    postbox = Postbox()
    auth = posted(postbox)
    await auth.api.sign_up_email(None, sign_up())
    forged = ("x-forwarded-host", "evil.com"), ("x-forwarded-proto", "https")
    assert await mailed(auth, postbox, "evil.com", *forged) == f"{ORIGIN}/api/auth"


@pytest.mark.parametrize(
    ("advanced", "peer", "url"),
    [
        (AdvancedOptions(), "10.0.0.1", "https://app.example.com"),
        (AdvancedOptions(trusted_proxy_headers=True), "10.0.0.1", "http://a.preview.example.com"),
        (
            AdvancedOptions(trusted_proxy_headers=True, trusted_proxies=["10.0.0.0/8"]),
            "10.0.0.1",
            "http://a.preview.example.com",
        ),
        (
            AdvancedOptions(trusted_proxy_headers=True, trusted_proxies=["10.0.0.0/8"]),
            "192.0.2.1",
            "https://app.example.com",
        ),
    ],
)
async def test_a_proxy_is_believed_if_the_application_says_so(advanced: AdvancedOptions, peer: str, url: str) -> None:
    postbox = Postbox()
    auth = posted(postbox, base_url=HOSTS, advanced=advanced)
    await auth.api.sign_up_email(None, sign_up())
    forwarded = ("x-forwarded-host", "a.preview.example.com"), ("x-forwarded-proto", "http")
    found = await mailed(auth, postbox, "app.example.com", *forwarded, scheme="https", peer=peer)
    assert found == f"{url}/api/auth"


async def test_calls_that_were_sent_elsewhere_get_the_fallback() -> None:
    postbox = Postbox()
    hosts = DynamicBaseURL(allowed_hosts=["app.example.com"], fallback="https://www.example.com")
    auth = posted(postbox, base_url=hosts)
    await auth.api.sign_up_email(None, sign_up())
    assert await mailed(auth, postbox, "evil.com") == "https://www.example.com/api/auth"
    assert auth.context({"host": "app.example.com"}).site.origin == "https://app.example.com"
    assert auth.context({"host": "evil.com"}).site.origin == "https://www.example.com"
    assert auth.context(None).site.origin == "https://www.example.com"


@requirement("C07")
@pytest.mark.parametrize(
    ("protocol", "trusted", "foreign"),
    [
        (None, ["https://app.example.com", "http://localhost:5173"], ["http://app.example.com", "https://evil.com"]),
        ("https", ["https://app.example.com", "http://localhost:5173"], ["http://app.example.com", "https://evil.com"]),
        ("http", ["http://app.example.com", "http://localhost:5173"], ["https://app.example.com", "http://evil.com"]),
        ("auto", ["https://app.example.com", "http://app.example.com"], ["https://evil.com", "http://evil.com"]),
    ],
)
async def test_the_own_hosts_are_trusted_origins_and_foreign_ones_are_not(
    protocol: Any, trusted: list[str], foreign: list[str]
) -> None:
    auth = plain(base_url=replace(HOSTS, protocol=protocol, fallback="https://www.example.com"))
    trusted = [*trusted, "https://www.example.com"]
    for number, origin in enumerate((*trusted, *foreign)):
        status = 200 if origin in trusted else 403
        body = b'{"name": "Ada", "email": "%d@example.com", "password": "password123"}' % number
        given = [("host", "app.example.com"), ("origin", origin), ("content-type", "application/json")]
        request = Request(method="POST", path="/api/auth/sign-up/email", headers=Headers(given), body=body)
        assert (await auth.handler(request)).status == status


@pytest.mark.parametrize(
    ("protocol", "prefix"),
    [
        ("https", "__Secure-better-auth"),
        ("http", "better-auth"),
        ("auto", "__Secure-better-auth"),
        (None, "__Secure-better-auth"),
    ],
)
async def test_cookies_are_secure_by_the_protocol_and_in_production(protocol: Any, prefix: str) -> None:
    auth = plain(base_url=DynamicBaseURL(allowed_hosts=["app.example.com"], protocol=protocol))
    assert auth.cookies.name_of("session_token").startswith(f"{prefix}.")
    assert auth.is_production


async def test_cookies_are_shared_with_the_subdomains_of_the_host() -> None:
    advanced = AdvancedOptions(cross_subdomain_cookies=True)
    auth = plain(base_url=DynamicBaseURL(allowed_hosts=["*.example.com"], protocol="https"), advanced=advanced)
    body = b'{"name": "Ada", "email": "ada@example.com", "password": "password123"}'
    given = Headers((("host", "a.example.com"), ("content-type", "application/json")))
    response = await auth.handler(Request(method="POST", path="/api/auth/sign-up/email", headers=given, body=body))
    assert "; Domain=a.example.com; Path=/; HttpOnly; Secure" in set_cookies(response)[0]
    static = plain(advanced=AdvancedOptions(cross_subdomain_cookies=".example.com"))
    assert "; Domain=.example.com; " in static.cookies.expire("session_token")[1]
    own = plain(base_url="https://app.example.com", advanced=advanced)
    assert "; Domain=app.example.com; " in own.cookies.expire("session_token")[1]


@requirement("B-71")
async def test_every_cookie_is_one_of_the_host_that_was_asked() -> None:
    """Browsers take no cookie from a host that is for another one."""
    advanced = AdvancedOptions(cross_subdomain_cookies=True)
    url = DynamicBaseURL(allowed_hosts=["*.example.com"], protocol="https", fallback="https://a.example.com")
    cached = SessionOptions(cookie_cache=CookieCacheOptions(enabled=True))
    kept = AccountOptions(store_account_cookie=True)
    auth = plain(base_url=url, advanced=advanced, session=cached, account=kept)
    there = [("host", "b.example.com"), ("origin", "https://b.example.com"), ("content-type", "application/json")]
    request = Request(method="POST", path="/api/auth/sign-out", headers=Headers(there), body=b"{}")
    lines = set_cookies(await auth.handler(request))
    names = [line.partition("=")[0].removeprefix("__Secure-better-auth.") for line in lines]
    assert names == ["session_token", "session_data", "account_data", "dont_remember"]
    assert ["; Domain=b.example.com; " in line for line in lines] == [True] * 4


@requirement("CONF-base-url")
async def test_without_a_base_url_development_serves_this_machine_only(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("BETTER_AUTH_URL", raising=False)
    monkeypatch.setenv("PORTICO_ENV", "development")
    auth = plain(base_url="")
    assert caplog.text.count("no base URL is set") == 1
    for host, status in [("localhost:3000", 200), ("127.0.0.1", 200), ("[::1]:80", 200), ("example.com", 400)]:
        assert (await asked(auth, "/ok", host)).status == status


@requirement("CONF-base-url", "S-151")
@pytest.mark.parametrize("name", ["NEXT_PUBLIC_BETTER_AUTH_URL", "PUBLIC_BETTER_AUTH_URL", "NUXT_PUBLIC_AUTH_URL"])
def test_the_variables_of_front_ends_hold_a_base_url(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BETTER_AUTH_URL", raising=False)
    monkeypatch.setenv(name, "https://front.example.com")
    assert plain(base_url="").site.url == "https://front.example.com/api/auth"


@requirement("CONF-base-url")
@pytest.mark.parametrize(
    "options",
    [
        DynamicBaseURL(allowed_hosts=[]),
        DynamicBaseURL(allowed_hosts=["https://example.com"]),
        DynamicBaseURL(allowed_hosts=["example.com"], fallback="example.com"),
        DynamicBaseURL(allowed_hosts=["example.com"], protocol="ftp"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # the mistake
    ],
)
def test_hosts_that_cannot_be_meant_are_mistakes(options: DynamicBaseURL) -> None:
    with pytest.raises(ConfigError, match=r"base_url|allowed_hosts|protocol"):
        plain(base_url=options)


async def test_a_link_without_any_host_says_what_is_missing() -> None:
    postbox = Postbox()
    auth = posted(postbox, base_url=HOSTS)
    await auth.api.sign_up_email(None, sign_up())
    with pytest.raises(ConfigError, match="give DynamicBaseURL a fallback"):
        link(auth.context(None), "/verify-email", "/")


def sign_up() -> SignUpEmail:
    return SignUpEmail(name="Ada", email="ada@example.com", password="password123")


@requirement("S-167")
@pytest.mark.parametrize(
    ("advanced", "sender", "target"),
    [
        (AdvancedOptions(), 403, 403),
        (AdvancedOptions(disable_csrf_check=True), 200, 403),
        (AdvancedOptions(disable_origin_check=True), 200, 200),
        (AdvancedOptions(disable_origin_check=True, disable_csrf_check=False), 200, 200),
        (AdvancedOptions(disable_origin_check=["/update-user"]), 200, 200),
        (AdvancedOptions(disable_origin_check=["/update"]), 403, 403),
    ],
)
async def test_checks_may_be_turned_off(advanced: AdvancedOptions, sender: int, target: int) -> None:
    browser = await signed_up(plain(advanced=advanced))
    foreign = Browser(browser.auth, "https://evil.com")
    foreign.cookies.update(browser.cookies)
    assert (await foreign.post("/update-user", {"name": "Eve"})).status == sender
    assert (await browser.post("/update-user", {"name": "Ann", "callbackURL": "https://evil.com"})).status == target


@requirement("S-167", "C02")
async def test_a_foreign_form_that_signs_in_is_refused_unless_senders_are_not_checked_at_all() -> None:
    form = ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("content-type", "application/json")
    for advanced, status in [
        (AdvancedOptions(disable_origin_check=["/sign-up"]), 403),
        (AdvancedOptions(disable_origin_check=True, disable_csrf_check=False), 403),
        (AdvancedOptions(disable_csrf_check=True), 200),
    ]:
        body = b'{"name": "Ada", "email": "ada@example.com", "password": "password123"}'
        request = Request(method="POST", path="/api/auth/sign-up/email", headers=Headers(form), body=body)
        assert (await plain(advanced=advanced).handler(request)).status == status


@requirement("S-167")
def test_turning_off_both_checks_by_one_option_is_warned_about(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "portico"):
        plain(advanced=AdvancedOptions(disable_origin_check=True, disable_csrf_check=True))
        assert "CSRF" not in caplog.text
        plain(advanced=AdvancedOptions(disable_origin_check=True))
        assert "turns the CSRF check off, too" in caplog.text


@requirement("L01")
async def test_addresses_may_be_left_alone() -> None:
    auth = plain(advanced=AdvancedOptions(disable_ip_tracking=True), rate_limit=RateLimitOptions(enabled=True, max=1))
    browser = await signed_up(auth)
    addresses = [content(await browser.get("/get-session"))["session"]["ipAddress"] for _ in range(5)]
    assert addresses == [""] * 5
