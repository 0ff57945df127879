"""What an application may do about refusals and failures."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from app import content, plain, signed_up
from portico import (
    ApiError,
    ConfigError,
    Context,
    ErrorPage,
    Headers,
    HookContext,
    MemoryStore,
    OnApiError,
    Request,
    Response,
    StoreBusyError,
    before_update,
)
from portico.schema import Table
from portico.store.adapter import Join, Where
from portico.testing import Browser
from requirements import requirement

pytestmark = [pytest.mark.anyio, requirement("CONF-on-api-error")]
ORIGIN = "http://localhost:3000"


class BrokenError(Exception):
    """What a hook of an application raises."""


@before_update("user")
async def broken(ctx: HookContext, values: object) -> None:
    raise BrokenError


@pytest.mark.undescribed("what hooks raise is not known")
async def test_refusals_and_failures_are_told_with_their_call() -> None:
    told: list[tuple[str, bool]] = []

    async def keep(error: Exception, ctx: Context | None) -> None:
        told.append((type(error).__name__, ctx is not None))

    browser = await signed_up(plain(on_api_error=OnApiError(on_error=keep), database_hooks=[broken]))
    assert (await browser.post("/change-password", {})).status == 400
    assert (await browser.post("/update-user", {"name": "Bob"})).status == 500
    assert told == [("ApiError", True), ("BrokenError", False)]


async def test_a_listener_need_not_be_async() -> None:
    told: list[str] = []

    def keep(error: Exception, ctx: Context | None) -> None:
        told.append(type(error).__name__)

    browser = await signed_up(plain(on_api_error=OnApiError(on_error=keep)))
    assert (await browser.post("/change-password", {})).status == 400
    assert told == ["ApiError"]


class Busy(MemoryStore):
    """A store that is not there when sessions are read."""

    async def find_joined(self, table: Table[Any], where: Sequence[Where], join: Join) -> Any:
        raise StoreBusyError("no connection became free")


@pytest.mark.parametrize("throw", [False, True])
async def test_a_store_that_is_busy_is_answered_or_leaves_the_handler(*, throw: bool) -> None:
    auth = plain(on_api_error=OnApiError(throw=throw), database=Busy())
    browser = await signed_up(auth)
    if throw:
        with pytest.raises(StoreBusyError):
            await browser.get("/get-session")
        return
    refused = await browser.get("/get-session")
    assert (refused.status, dict(refused.headers)["retry-after"]) == (503, "1")


@requirement("F07")
async def test_a_listener_that_fails_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def fail(error: Exception, ctx: Context | None) -> None:
        raise LookupError

    browser = Browser(plain(on_api_error=OnApiError(on_error=fail)), ORIGIN)
    response = await browser.post("/sign-in/email", {"email": "nobody@example.com", "password": "password123"})
    assert (response.status, content(response)["code"]) == (401, "INVALID_EMAIL_OR_PASSWORD")
    assert "on_error failed" in caplog.text


async def test_exceptions_leave_the_handler_if_the_application_wants_them() -> None:
    auth = plain(on_api_error=OnApiError(throw=True), database_hooks=[broken])
    browser = await signed_up(auth)
    with pytest.raises(ApiError) as refusal:
        await browser.post("/change-password", {})
    assert refusal.value.error.code == "VALIDATION_ERROR"
    with pytest.raises(BrokenError):
        await browser.post("/update-user", {"name": "Bob"})
    assert content(await browser.get("/get-session"))["user"]["name"] == "Ann"


async def shown(options: OnApiError, query: str) -> Response:
    auth = plain(on_api_error=options)
    return await auth.handler(Request(method="GET", path="/api/auth/error", query=query, headers=Headers(())))


@requirement("C05")
@pytest.mark.parametrize("field", ["error", "error_description"])
async def test_a_page_of_the_application_is_led_to_with_what_happened(field: str) -> None:
    options = OnApiError(error_url="https://app.example.com/oops?from=auth")
    response = await shown(options, "error=state_mismatch&error_description=it%20was%20%3Cb%3Eold%3C%2Fb%3E")
    location = (
        "https://app.example.com/oops?from=auth&error=state_mismatch&error_description=it+was+%3Cb%3Eold%3C%2Fb%3E"
    )
    assert (response.status, dict(response.headers)["location"]) == (302, location)
    hostile = await shown(options, f"{field}=%22%3E%3Cscript%3Ealert(1)%3C/script%3E%0d%0aset-cookie:%20a=b")
    assert "<" not in dict(hostile.headers)["location"]
    assert "\n" not in dict(hostile.headers)["location"]


@requirement("C05")
async def test_the_page_looks_as_the_application_says_and_stays_safe() -> None:
    page = ErrorPage(
        background="#101010", font_family="'Inter', sans-serif", title="Oh <no>", home_url="/start?a=1&b=2"
    )
    response = await shown(OnApiError(page=page), "error=x&error_description=%3Cscript%3E{title}%3C/script%3E")
    text = response.body.decode()
    assert "--background: #101010;" in text
    assert "--font: 'Inter', sans-serif;" in text
    assert "<h1>Oh &lt;no&gt;</h1>" in text
    assert '<a href="/start?a=1&amp;b=2">' in text
    assert "<p>&lt;script&gt;{title}&lt;/script&gt;</p>" in text


@requirement("C05")
@pytest.mark.parametrize(
    "page",
    [
        ErrorPage(background="red; } body { display: none"),
        ErrorPage(font_family="</style><script>"),
        ErrorPage(accent="url(https://evil.com)"),
        ErrorPage(home_url="javascript:alert(1)"),
        ErrorPage(home_url="//evil.com"),
    ],
)
def test_a_look_that_would_break_the_page_is_a_mistake(page: ErrorPage) -> None:
    with pytest.raises(ConfigError, match=r"on_api_error\.page"):
        plain(on_api_error=OnApiError(page=page))


async def test_a_link_that_is_over_leads_to_the_page_of_the_application() -> None:
    options: dict[str, Any] = {"on_api_error": OnApiError(error_url="/oops")}
    browser = Browser(plain(**options), ORIGIN)
    response = await browser.get("/reset-password/unknown", "callbackURL=")
    assert (response.status, dict(response.headers)["location"]) == (302, "/oops?error=INVALID_TOKEN")


Ask = Callable[[Request | None], Any]


@requirement("B-52", "C01")
async def test_the_application_may_decide_by_the_request_whom_to_trust() -> None:
    asked: list[str | None] = []

    async def tenants(request: Request | None) -> list[str]:
        asked.append(request.headers.get("x-tenant") if request else None)
        return ["https://tenant.example.com"] if asked[-1] == "t1" else []

    def always(request: Request | None) -> list[str]:
        return ["https://tenant.example.com"]

    async def status(ask: Ask, *headers: tuple[str, str]) -> int:
        browser = await signed_up(plain(trusted_origins=ask))
        cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        given = [("cookie", cookie), ("origin", "https://tenant.example.com"), ("content-type", "application/json")]
        body = b'{"name": "Bob"}'
        request = Request(method="POST", path="/api/auth/update-user", headers=Headers([*given, *headers]), body=body)
        return (await browser.auth.handler(request)).status

    assert await status(tenants, ("x-tenant", "t1")) == 200
    assert await status(tenants, ("x-tenant", "t2")) == 403
    assert await status(always) == 200
    assert "t2" in asked


@requirement("B-52")
async def test_more_trusted_origins_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BETTER_AUTH_TRUSTED_ORIGINS", "https://a.example.com, https://*.b.example.com")
    origins = plain(trusted_origins=["https://c.example.com"]).origins
    trusted = ("https://a.example.com", "https://x.b.example.com", "https://c.example.com")
    assert all(origins.trusts(each) for each in trusted)
    assert not origins.trusts("https://d.example.com")
