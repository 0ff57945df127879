"""Hooks, middlewares, session rules and background work of a small plugin, over HTTP and as server calls."""

from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar

import pytest

from app import CHEAP, ORIGIN, content, make, plain, set_cookies, signed_up
from portico import (
    AdvancedOptions,
    Also,
    ApiError,
    ConfigError,
    Context,
    EmailAndPassword,
    ErrorCode,
    Headers,
    Plugin,
    Request,
    Route,
    Status,
    Wire,
    after,
    before,
    endpoint,
    extends,
    middleware,
    resource,
)
from portico.endpoints.sign_in import SignInEmail
from portico.testing import Browser, Clock
from requirements import requirement

pytestmark = pytest.mark.anyio

CLOSED = ErrorCode(403, "CLOSED", "The shop is closed")
NO_SUCH_NOTE = ErrorCode(404, "NO_SUCH_NOTE", "There is no such note")
NOT_YOUR_NOTE = ErrorCode(403, "NOT_YOUR_NOTE", "This is somebody else's note")


class FindNote(Wire):
    note_id: str
    max_length: int | None = None


async def owner_of_note(notes: "Notes", ctx: Context, body: FindNote) -> str | None:
    user = await notes.users.find_by_email(ctx, f"{body.note_id}@example.com")
    return user.id if user else None


@dataclass(frozen=True, kw_only=True, eq=False)
class Notes(Plugin):
    """A note belongs to the user whose address begins with its id."""

    id: ClassVar[str] = "notes"
    seen: list[str]

    @endpoint(
        Route("POST", "/notes/read"),
        Route("GET", "/notes/read", input="query", session="fresh"),
        session=("authoritative", resource(owner_of_note, missing=NO_SUCH_NOTE, foreign=NOT_YOUR_NOTE)),
    )
    async def read(self, ctx: Context, body: FindNote) -> Status:
        """Read a note."""
        return Status(status=body.max_length is None or body.max_length > 1)

    @endpoint("POST", "/notes/count", session="request")
    async def count(self, ctx: Context) -> Status:
        """Count notes; for signed-in users and our own code."""
        return Status(status=ctx.is_trusted)

    @middleware("/notes/*", errors=(CLOSED,))
    async def close(self, ctx: Context) -> None:
        """Refuse on Sundays."""
        self.seen.append("middleware")
        if ctx.headers.get("x-day") == "sunday":
            raise ApiError(CLOSED)

    @before("/notes/*", header="x-mark")
    async def mark(self, ctx: Context) -> Context | None:
        """Note that the header was there."""
        self.seen.append("before")
        return None

    @after("*", cookie="session_token")
    async def tell(self, ctx: Context, outcome: object) -> object:
        """Note whose session began."""
        session = ctx.new_session
        self.seen.append(f"signed in {session.user.email}" if session else "signed in")
        return outcome


async def asked(browser: Browser, note: str, **headers: str) -> tuple[int, Any]:
    fields = [*browser.headers.items(), ("content-type", "application/json"), *headers.items()]
    body = f'{{"noteId":"{note}"}}'.encode()
    response = await browser.auth.handler(
        Request(method="POST", path="/api/auth/notes/read", headers=Headers(fields), body=body)
    )
    return response.status, content(response)


@requirement("ARCH-rules")
async def test_a_resource_is_read_by_its_owner_only() -> None:
    auth = plain(Notes(seen=[]))
    ann, _ = await signed_up(auth), await signed_up(auth, "bob@example.com")
    assert await asked(ann, "ann") == (200, {"status": True})
    assert await asked(ann, "bob") == (403, {"message": NOT_YOUR_NOTE.message, "code": "NOT_YOUR_NOTE"})
    assert await asked(ann, "eve") == (404, {"message": NO_SUCH_NOTE.message, "code": "NO_SUCH_NOTE"})
    ann.cookies.clear()
    assert (await asked(ann, "ann"))[0] == 401


@requirement("ARCH-rules", "ARCH-routes")
async def test_a_route_adds_its_rule_to_the_endpoints() -> None:
    clock = Clock()
    browser = await signed_up(plain(Notes(seen=[]), clock=clock))
    headers = Headers([*browser.headers.items(), ("sec-fetch-site", "same-origin")])
    request = Request(method="GET", path="/api/auth/notes/read", query="noteId=ann&maxLength=2", headers=headers)
    response = await browser.auth.handler(request)
    assert (response.status, content(response), dict(response.headers)["cache-control"]) == (
        200,
        {"status": True},
        "no-store",
    )
    clock.advance(24 * 3600)
    assert content(await browser.auth.handler(request))["code"] == "SESSION_NOT_FRESH"
    assert await asked(browser, "ann") == (200, {"status": True})


@requirement("ARCH-rules", "ARCH-callers", "B-76")
async def test_our_own_code_needs_no_session_where_a_request_does() -> None:
    auth = plain(Notes(seen=[]))
    assert (await auth.api.notes.count(None)).status is True
    with pytest.raises(ApiError, match="Unauthorized"):
        await auth.api.notes.count({})
    assert (await Browser(auth, ORIGIN).post("/notes/count")).status == 401
    assert content(await (await signed_up(auth)).post("/notes/count")) == {"status": False}


@requirement("ARCH-middleware", "B-08")
async def test_a_middleware_refuses_ahead_of_hooks_and_validation_over_http_only() -> None:
    seen: list[str] = []
    auth = plain(Notes(seen=seen))
    browser = await signed_up(auth)
    seen.clear()
    assert await asked(browser, "ann", **{"x-day": "sunday", "x-mark": "1"}) == (
        403,
        {"message": "The shop is closed", "code": "CLOSED"},
    )
    assert seen == ["middleware"]
    await auth.api.notes.count(None)
    assert seen == ["middleware"]


@requirement("ARCH-hooks", "S-187")
async def test_a_hook_runs_only_when_its_header_or_cookie_is_there() -> None:
    seen: list[str] = []
    auth = plain(Notes(seen=seen))
    browser = await signed_up(auth)
    await browser.get("/get-session")
    await asked(browser, "ann")
    await asked(browser, "ann", **{"x-mark": "1"})
    assert seen == ["signed in ann@example.com", "middleware", "middleware", "before"]


@requirement("ARCH-hooks")
async def test_what_says_who_calls_runs_ahead_of_every_other_hook() -> None:
    seen: list[str] = []

    @dataclass(frozen=True, kw_only=True, eq=False)
    class Seals(Plugin):
        """Calls carry a seal."""

        id: ClassVar[str] = "seals"

        @before("*", header="x-seal", first=True)
        async def read_seal(self, ctx: Context) -> Context | None:
            """Replace the headers of a call with a seal."""
            seen.append("seal")
            return replace(ctx, headers=ctx.headers.replaced("x-mark", "sealed"))

    @before("/notes/*")
    async def look(ctx: Context) -> Context | None:
        seen.append(f"application {ctx.headers.get('x-mark')}")
        return None

    notes = Notes(seen=seen)
    auth = plain(notes, Seals(), hooks=[look])
    browser = await signed_up(auth)
    seen.clear()
    await asked(browser, "ann", **{"x-seal": "yes"})
    assert seen == ["middleware", "seal", "application sealed", "before"]


@requirement("ARCH-hooks", "B-08")
@pytest.mark.undescribed("an after hook may answer anything")
async def test_an_after_hook_may_turn_a_refusal_into_a_reply_and_a_reply_into_a_refusal() -> None:
    @after("/sign-in/email")
    async def turn(ctx: Context, outcome: object) -> object:
        return Status(status=False) if isinstance(outcome, ApiError) else ApiError(CLOSED)

    auth = plain(hooks=[turn])
    browser = await signed_up(auth)
    refused = await browser.post("/sign-in/email", {"email": "ann@example.com", "password": "wrong password"})
    assert (refused.status, content(refused)) == (200, {"status": False})
    accepted = await browser.post("/sign-in/email", {"email": "ann@example.com", "password": "password123"})
    assert (accepted.status, content(accepted)["code"]) == (403, "CLOSED")
    assert content(await browser.post("/sign-in/email", {})) == {"status": False}
    with pytest.raises(ApiError, match="closed"):
        await auth.api.sign_in_email(None, SignInEmail(email="ann@example.com", password="password123"))


@requirement("ARCH-hooks")
async def test_what_a_before_hook_puts_into_a_body_is_validated_and_what_it_mutates_is_seen() -> None:
    @before("/sign-in/*", when=lambda ctx: ctx.body.get("email") == "broken")
    async def break_it(ctx: Context) -> Context:
        return replace(ctx, body={**ctx.body, "email": 5})

    response = await Browser(plain(hooks=[break_it]), ORIGIN).post(
        "/sign-in/email", {"email": "broken", "password": "p"}
    )
    assert content(response)["message"] == "[body.email] Invalid input: expected string, received number"


@requirement("ARCH-hooks", "I01")
@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"5"])
async def test_a_hook_reads_an_object_or_does_not_run(body: bytes) -> None:
    seen: list[str] = []

    @before("*")
    async def look(ctx: Context) -> None:
        seen.append(f"{sorted(ctx.body)}")

    auth = plain(hooks=[look])
    headers = Headers([("content-type", "application/json")])
    sign_in = Request(method="POST", path="/api/auth/sign-in/email", headers=headers, body=body)
    assert (await auth.handler(sign_in)).status == 400
    assert seen == []
    assert (await auth.handler(replace(sign_in, path="/api/auth/revoke-sessions"))).status == 401
    assert (await Browser(auth, ORIGIN).post("/sign-in/email", {"b": 1, "a": 2})).status == 400
    assert seen == ["[]", "['a', 'b']"]


@requirement("CONF-hooks")
def test_a_hook_or_extension_for_a_path_that_nobody_serves_is_a_mistake() -> None:
    @before("/sign-inn/email")
    async def lost(ctx: Context) -> None:
        """Never run."""

    @before("/sign-inn/email", optional=True)
    async def patient(ctx: Context) -> None:
        """Run once somebody serves the path."""

    with pytest.raises(ConfigError, match="no endpoint has the path '/sign-inn/email'; the paths are /account-info"):
        plain(hooks=[lost])
    plain(hooks=[patient])

    @dataclass(frozen=True, kw_only=True, eq=False)
    class Extending(Plugin):
        id: ClassVar[str] = "extending"
        extensions = (extends("/sign-in/magic", body=FindNote),)

    with pytest.raises(ConfigError, match="'/sign-in/magic'"):
        plain(Extending())


class Brew(Wire):
    cup_size: Annotated[str, Also("size")]


@dataclass(frozen=True, kw_only=True, eq=False)
class Coffee(Plugin):
    id: ClassVar[str] = "coffee"

    @endpoint(
        Route("POST", "/coffee/brew"),
        Route("PUT", "/coffee/brew", deprecated=True),
        Route("GET", "/.well-known/coffee", root=True, input="query"),
    )
    async def brew(self, ctx: Context, body: Brew) -> Status:
        """Brew coffee."""
        return Status(status=body.cup_size == "large")


@requirement("ARCH-routes", "ARCH-messages")
async def test_a_field_may_have_another_name_and_its_own_one_wins() -> None:
    browser = Browser(plain(Coffee()), ORIGIN)
    assert content(await browser.post("/coffee/brew", {"size": "large"})) == {"status": True}
    assert content(await browser.post("/coffee/brew", {"size": "small", "cupSize": "large"})) == {"status": True}
    refused = content(await browser.post("/coffee/brew", {"cup_size": "large"}))
    assert refused["message"] == "[body.cupSize] Invalid input: expected string, received undefined"


@requirement("ARCH-routes")
async def test_a_root_document_lives_at_the_origin_and_a_verb_keeps_the_rules() -> None:
    auth = plain(Coffee())
    document = Request(method="GET", path="/.well-known/coffee", query="size=large")
    assert content(await auth.handler(document)) == {"status": True}
    assert (await auth.handler(replace(document, path="/api/auth/.well-known/coffee"))).status == 404
    put = Request(
        method="PUT",
        path="/api/auth/coffee/brew",
        headers=Headers([("content-type", "application/json"), ("cookie", "a=b"), ("origin", "https://evil.example")]),
        body=b'{"size":"large"}',
    )
    assert content(await auth.handler(put))["code"] == "INVALID_ORIGIN"
    disabled = plain(Coffee(), disabled_paths=["/coffee/brew"])
    for method in ("GET", "POST"):
        assert (await disabled.handler(replace(document, method=method))).body == b"Not Found"


@requirement("B-02", "B-01")
async def test_trailing_slashes_are_allowed_where_the_application_says_so() -> None:
    request = Request(method="GET", path="/api/auth/ok/")
    assert (await plain().handler(request)).status == 404
    lenient = plain(advanced=AdvancedOptions(skip_trailing_slashes=True))
    assert (await lenient.handler(request)).body == b'{"ok":true}'
    assert (await lenient.handler(replace(request, path="/api/auth/ok//"))).status == 404


@requirement("B-01", "I03")
@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "TRACE", "CONNECT", "PROPFIND", "get", "X", ""])
async def test_another_verb_is_an_empty_404(method: str) -> None:
    response = await plain().handler(Request(method=method, path="/api/auth/get-session"))
    assert (response.status, response.headers, response.body) == (404, (), b"")


@requirement("B-11")
async def test_the_service_says_that_it_answers() -> None:
    response = await Browser(plain(), ORIGIN).get("/ok")
    assert (response.status, response.headers, response.body) == (
        200,
        (("content-type", "application/json"),),
        b'{"ok":true}',
    )


@requirement("B-11", "C05", "C06")
@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("error=state_mismatch", "<code>state_mismatch</code>"),
        ("error=%3Cimg+src%3Dx%3E", "<code>UNKNOWN</code>"),
        ("", "<code>UNKNOWN</code>"),
        ("error=x&error_description=%3Cscript%3Ealert(1)%3C/script%3E", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("error=x&error_description=a%0d%0aSet-Cookie:%20a=b", "a\r\nSet-Cookie: a=b"),
    ],
)
async def test_the_error_page_shows_text_and_never_runs_it(query: str, shown: str) -> None:
    response = await Browser(plain(), ORIGIN).get("/error", query)
    page, headers = response.body.decode(), dict(response.headers)
    assert (response.status, headers["content-type"], headers["x-content-type-options"]) == (
        200,
        "text/html",
        "nosniff",
    )
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert shown in page
    assert "<script" not in page
    assert "<img" not in page
    assert set_cookies(response) == []


@requirement("B-62", "ARCH-callers")
async def test_endpoints_live_where_the_base_url_says() -> None:
    auth = plain(base_url="http://localhost:3000/own/path")
    assert (await auth.handler(Request(method="GET", path="/own/path/ok"))).status == 200
    assert (await auth.handler(Request(method="GET", path="/api/auth/ok"))).status == 404


@requirement("ARCH-values")
async def test_two_options_of_one_plugin_serve_two_auths() -> None:
    first: list[str] = []
    second: list[str] = []
    one = plain(Notes(seen=first))
    two = plain(Notes(seen=second), email_and_password=EmailAndPassword(enabled=True, password=CHEAP))
    await signed_up(one)
    await signed_up(two, "bob@example.com")
    assert (first, second) == (["signed in ann@example.com"], ["signed in bob@example.com"])


@requirement("S-126")
def test_every_endpoint_is_a_method_of_the_api() -> None:
    auth = make()
    for group in auth.api.groups():
        for declared in group.endpoints():
            assert callable(getattr(group, declared.name)), declared.path
            assert getattr(group, declared.name).__doc__, declared.path
