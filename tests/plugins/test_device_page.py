"""The page for device codes: it works by forms alone, decides nothing by GET, and keeps to whose request it is."""

from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import anyio
import pytest

from app import ORIGIN, content, plain, signed_up
from markup import Markup, markup
from portico import AnyApi, Auth, ConfigError, Headers, RateLimitOptions, Request, Response
from portico.openapi import document
from portico.plugins.bearer import Bearer
from portico.plugins.device_authorization import DeviceAuthorization
from portico.plugins.device_authorization.declarations import GRANT_TYPE
from portico.testing import Browser, Clock
from requirements import requirement

pytestmark = [pytest.mark.anyio, requirement("P09", "ARCH-device-page")]

FORM = "application/x-www-form-urlencoded"
HOSTILE = """"><script>alert(1)</script>'&amp;{typed}"""


def make(clock: Clock | None = None, *, options: dict[str, Any] | None = None, **rest: Any) -> Auth[AnyApi]:
    plugin = DeviceAuthorization(page=True, **(options or {}))
    return plain(plugin, Bearer(), clock=clock or Clock(), **rest)


async def asked(auth: Auth[Any], **fields: Any) -> dict[str, Any]:
    """Return the codes that a device was given."""
    body = {"client_id": "cli", "scope": "read write", **fields}
    found: dict[str, Any] = content(await Browser(auth, ORIGIN).post("/device/code", body))
    return found


async def sent(browser: Browser, path: str, fields: dict[str, str] | bytes, **headers: str) -> Response:
    """Send a form as a browser does."""
    given = {**dict(browser.headers), "content-type": FORM, **headers}
    body = fields if isinstance(fields, bytes) else urlencode(fields).encode()
    return await browser.auth.handler(
        Request(method="POST", path=f"/api/auth{path}", headers=Headers(given.items()), body=body)
    )


async def looked(browser: Browser, user_code: str) -> Response:
    return await sent(browser, "/device/look", {"user_code": user_code})


async def decided(browser: Browser, user_code: str, decision: str) -> Response:
    return await sent(browser, "/device/decide", {"user_code": user_code, "decision": decision})


async def polled(auth: Auth[Any], codes: dict[str, Any]) -> Any:
    body = {"grant_type": GRANT_TYPE, "device_code": codes["device_code"], "client_id": "cli"}
    return content(await Browser(auth, ORIGIN).post("/device/token", body))


async def rows(auth: Auth[Any]) -> list[Any]:
    return await auth.store.find_many(auth.tables["deviceCode"])


def facts(page: Markup) -> dict[str, str]:
    names = [each.text for each in page.all("dt")]
    return dict(zip(names, [each.text for each in page.all("dd")], strict=True))


def actions(page: Markup) -> list[str]:
    return [each.attributes["action"] for each in page.all("form")]


async def entered(browser: Browser, response: Response, status: int, typed: str) -> str | None:
    """Return what a page to enter a code says was wrong."""
    page = markup(response)
    assert response.status == status, page.alert()
    assert (actions(page), page.fields()) == (["/api/auth/device/look"], {"user_code": typed})
    assert page.text("h1") == "Connect a device"
    problem, field = page.alert(), page.one("input").attributes
    described = "hint" if problem is None else "problem hint"
    assert (field["aria-describedby"], "aria-invalid" in field) == (described, problem is not None)
    assert page.text("title") == ("Connect a device" if problem is None else "Error: Connect a device")
    return problem


async def test_a_user_lets_a_device_in_by_forms_alone() -> None:
    auth = make()
    ann, codes = await signed_up(auth), await asked(auth)
    uri = urlsplit(str(codes["verification_uri_complete"]))
    assert codes["verification_uri"] == f"{ORIGIN}/api/auth/device/enter"
    before = await rows(auth)
    first = await ann.get(uri.path.removeprefix("/api/auth"), uri.query)
    assert await entered(ann, first, 200, codes["user_code"]) is None
    # To open a link is no look, and no decision.
    assert await rows(auth) == before
    question = await looked(ann, codes["user_code"])
    page = markup(question)
    assert (question.status, page.text("h1")) == (200, "Let this device in?")
    assert facts(page) == {
        "Code": codes["user_code"],
        "Who asks": "cli",
        "What for": "readwrite",
        "You are signed in as": "Ann (ann@example.com)",
    }
    assert [each.text for each in page.all("li")] == ["read", "write"]
    assert (actions(page), page.fields()) == (["/api/auth/device/decide"], {"user_code": codes["user_code"]})
    buttons = [(each.text, each.attributes["name"], each.attributes["value"]) for each in page.all("button")]
    assert buttons == [("Approve", "decision", "approve"), ("Deny", "decision", "deny")]
    assert [row["status"] for row in await rows(auth)] == ["pending"]
    done = await decided(ann, codes["user_code"], "approve")
    assert (done.status, markup(done).text("h1")) == (200, "Device approved")
    token = (await polled(auth, codes))["access_token"]
    session = await auth.api.get_session({"authorization": f"Bearer {token}"})
    assert session is not None
    assert session.user.email == "ann@example.com"


async def test_a_user_turns_a_device_away() -> None:
    auth = make()
    ann, codes = await signed_up(auth), await asked(auth)
    await looked(ann, codes["user_code"])
    done = await decided(ann, codes["user_code"], "deny")
    assert (done.status, markup(done).text("h1")) == (200, "Device denied")
    assert (await polled(auth, codes))["error"] == "access_denied"


async def test_without_the_option_there_is_no_page() -> None:
    auth = plain(DeviceAuthorization())
    ann = await signed_up(auth)
    for path in ("/device/enter", "/device/look", "/device/decide"):
        assert (await ann.get(path)).status == 404
        assert (await sent(ann, path, {"user_code": "x", "decision": "approve"})).status == 404
        assert path not in document(auth)["paths"]
    assert (await asked(auth))["verification_uri"] == f"{ORIGIN}/device"
    elsewhere = make(options={"verification_uri": "/connect"})
    assert (await asked(elsewhere))["verification_uri"] == f"{ORIGIN}/connect"


async def test_nothing_is_decided_by_get() -> None:
    auth = make()
    ann, codes = await signed_up(auth), await asked(auth)
    await looked(ann, codes["user_code"])
    before = await rows(auth)
    query = urlencode({"user_code": codes["user_code"], "decision": "approve"})
    for path in ("/device/enter", "/device/look", "/device/decide"):
        assert await entered(ann, await ann.get(path, query), 200, codes["user_code"]) is None
    assert await rows(auth) == before


@pytest.mark.parametrize("path", ["/device/look", "/device/decide"])
async def test_who_is_not_signed_in_is_told_so_and_changes_nothing(path: str) -> None:
    auth = make()
    codes = await asked(auth)
    before = await rows(auth)
    stranger = Browser(auth, ORIGIN)
    fields = {"user_code": codes["user_code"], "decision": "approve"}
    for response in (await stranger.get("/device/enter"), await sent(stranger, path, fields)):
        page = markup(response)
        assert (response.status, page.text("h1"), page.all("form")) == (401, "Sign in first", [])
        assert page.alert() == "You are not signed in. Sign in, then open this page again."
        assert dict(response.headers)["cache-control"] == "no-store"
    assert await rows(auth) == before


@pytest.mark.parametrize(
    ("sign_in", "back", "place"),
    [
        ("/sign-in?lang=en", "", ""),
        (f"{ORIGIN}/sign-in", "", f" {ORIGIN}"),
        ("https://app.example.com/in", ORIGIN, " https://app.example.com"),
    ],
)
async def test_who_is_not_signed_in_comes_back_with_the_code(sign_in: str, back: str, place: str) -> None:
    auth = make(options={"sign_in_page": sign_in})
    ann, codes = await signed_up(auth), await asked(auth)
    before = await rows(auth)
    stranger, code = Browser(auth, ORIGIN), "AB&C D"
    answers = [
        await stranger.get("/device/enter", urlencode({"user_code": code})),
        await looked(stranger, code),
        await decided(stranger, code, "approve"),
    ]
    for response in answers:
        assert (response.status, response.body) == (302, b"")
        target = urlsplit(dict(response.headers)["location"])
        assert target._replace(query="").geturl() == sign_in.partition("?")[0]
        query = parse_qs(target.query)
        assert query.pop("next") == [f"{back}/api/auth/device/enter?user_code=AB%26C+D"]
        assert query == ({"lang": ["en"]} if "?" in sign_in else {})
    plainly = dict((await stranger.get("/device/enter")).headers)["location"]
    assert parse_qs(urlsplit(plainly).query)["next"] == [f"{back}/api/auth/device/enter"]
    # A browser holds the redirect that a form leads to against the policy of its page.
    policy = dict((await ann.get("/device/enter", f"user_code={codes['user_code']}")).headers)
    assert f"form-action 'self'{place};" in policy["content-security-policy"]
    assert await rows(auth) == before


async def test_a_code_that_does_not_work_is_told_of_on_the_same_page() -> None:
    clock = Clock()
    auth = make(clock, options={"expires_in": 60})
    ann, bob = await signed_up(auth), await signed_up(auth, "bob@example.com")
    used, unseen = await asked(auth), await asked(auth)
    await looked(ann, used["user_code"])
    await decided(ann, used["user_code"], "approve")
    before = await rows(auth)

    async def problem(browser: Browser, code: str, decision: str | None, status: int) -> str | None:
        response = await (looked(browser, code) if decision is None else decided(browser, code, decision))
        return await entered(browser, response, status, code)

    gone = "This code was used. Ask the device for a new one."
    for decision in (None, "approve", "deny"):
        unknown = await problem(ann, "no-such code", decision, 400)
        assert unknown == "No device shows this code. Check it and try again."
        assert await problem(ann, used["user_code"], decision, 400) == gone
        assert await problem(bob, used["user_code"], decision, 400) == gone
        if decision is not None:
            assert await problem(ann, unseen["user_code"], decision, 400) == "Look at who asks before you decide."
    assert await rows(auth) == before
    clock.advance(61)
    for decision in (None, "approve", "deny"):
        late = await problem(ann, unseen["user_code"], decision, 400)
        assert late == "This code is too old. Ask the device for a new one."
    assert await rows(auth) == before


async def test_a_request_is_whose_who_looked_first() -> None:
    auth = make()
    ann, bob, codes = await signed_up(auth), await signed_up(auth, "bob@example.com"), await asked(auth)
    code = codes["user_code"]
    assert facts(markup(await looked(bob, code)))["You are signed in as"] == "Ann (bob@example.com)"
    before = await rows(auth)
    for response in (await looked(ann, code), await decided(ann, code, "approve"), await decided(ann, code, "deny")):
        problem = await entered(ann, response, 403, code)
        assert problem == "Somebody else has this code. Ask the device for a new one."
        assert b"cli" not in response.body
    assert await rows(auth) == before
    assert (await ann.post("/device/approve", {"userCode": code})).status == 403
    assert (await decided(bob, code, "approve")).status == 200


async def test_of_two_users_who_look_at_once_one_is_asked() -> None:
    auth = make()
    people = [await signed_up(auth, f"p{number}@example.com") for number in range(6)]
    codes, found = await asked(auth), list[int]()

    async def look(browser: Browser) -> None:
        found.append((await looked(browser, codes["user_code"])).status)

    async with anyio.create_task_group() as tasks:
        for browser in people:
            tasks.start_soon(look, browser)
    assert sorted(found) == [200] + [403] * 5


async def test_of_two_decisions_at_once_one_counts() -> None:
    auth = make()
    ann, codes = await signed_up(auth), await asked(auth)
    await looked(ann, codes["user_code"])
    found = dict[str, int]()

    async def decide(decision: str) -> None:
        found[decision] = (await decided(ann, codes["user_code"], decision)).status

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(decide, "approve")
        tasks.start_soon(decide, "deny")
    assert sorted(found.values()) == [200, 400]
    [row] = await rows(auth)
    assert row["status"] == ("approved" if found["approve"] == 200 else "denied")


@pytest.mark.parametrize("typed", ["{lower}", "{head}-{tail}", " {head} {tail} "])
async def test_a_code_is_taken_as_people_type_it_and_shown_as_the_device_does(typed: str) -> None:
    auth = make()
    ann, code = await signed_up(auth), (await asked(auth))["user_code"]
    text = typed.format(lower=code.lower(), head=code[:4], tail=code[4:])
    page = markup(await looked(ann, text))
    assert (facts(page)["Code"], page.fields()) == (code, {"user_code": code})


async def test_what_others_wrote_is_never_markup() -> None:
    auth = make(options={"generate_user_code": lambda: HOSTILE})
    ann = await signed_up(auth, name=HOSTILE)
    await asked(auth, client_id=HOSTILE, scope=f"read {HOSTILE.replace(' ', '')}")
    page = markup(await looked(ann, HOSTILE))
    assert facts(page) == {
        "Code": HOSTILE,
        "Who asks": HOSTILE,
        "What for": f"read{HOSTILE}",
        "You are signed in as": f"{HOSTILE} (ann@example.com)",
    }
    assert page.fields() == {"user_code": HOSTILE}
    quiet = make()
    bob = await signed_up(quiet)
    offered = await bob.get("/device/enter", urlencode({"user_code": HOSTILE}))
    assert await entered(bob, offered, 200, HOSTILE) is None
    assert await entered(bob, await looked(bob, HOSTILE), 400, HOSTILE) is not None
    assert await entered(bob, await decided(bob, HOSTILE, "approve"), 400, HOSTILE) is not None


@pytest.mark.parametrize("path", ["/device/look", "/device/decide"])
@pytest.mark.parametrize("origin", ["https://evil.example", "null", ""])
async def test_a_form_of_another_site_looks_at_nothing_and_decides_nothing(path: str, origin: str) -> None:
    auth = make()
    ann, codes = await signed_up(auth), await asked(auth)
    if path == "/device/decide":
        await looked(ann, codes["user_code"])
    before = await rows(auth)
    fields = {"user_code": codes["user_code"], "decision": "approve"}
    response = await sent(ann, path, fields, origin=origin)
    assert await entered(ann, response, 403, codes["user_code"]) is not None
    assert await rows(auth) == before


async def test_codes_are_not_guessed_at_on_the_page() -> None:
    clock = Clock()
    auth = make(clock, rate_limit=RateLimitOptions(enabled=True))
    mallory = await signed_up(auth)
    for path in ("/device/look", "/device/decide"):
        answers: list[Response] = []
        for number in range(7):
            clock.advance(20)
            fields = {"user_code": f"GUESS{number:03}", "decision": "approve"}
            answers.append(await sent(mallory, path, fields))
        assert [each.status for each in answers] == [400] * 5 + [429] * 2, path
        problem = await entered(mallory, answers[-1], 429, "")
        assert problem == "These were too many attempts. Wait a while and try again."
        assert int(dict(answers[-1].headers)["retry-after"]) > 0
    # To look at the page is no guess.
    assert (await mallory.get("/device/enter")).status == 200
    clock.advance(1801)
    assert (await looked(mallory, "GUESS007")).status == 400


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (b"", ""),
        (b"user_code", ""),
        (b"userCode=AB", ""),
        (b"user_code=", ""),
        (b"user_code=%00", "\0"),
        (b"user_code=%FF", "\ufffd"),
        (b"user_code=\xff", ""),
        (b"user_code=%ED%A0%80", "\ufffd\ufffd\ufffd"),
        (b"user_code=" + b"A" * 100_000, "A" * 191),
        (b"user_code=" + "🦊".encode() * 300, "🦊" * 191),
        (b"user_code=AB&decision=maybe", "AB"),
        (b"user_code=AB&user_code=CD&decision=approve", "CD"),
        (b'{"user_code": "AB", "decision": "approve"}', ""),
    ],
)
async def test_what_no_page_of_ours_sends_is_refused_on_the_page(body: bytes, kept: str) -> None:
    auth = make()
    ann = await signed_up(auth)
    await asked(auth)
    before = await rows(auth)
    for path in ("/device/look", "/device/decide"):
        assert await entered(ann, await sent(ann, path, body), 400, kept) is not None
    assert await rows(auth) == before


async def test_only_forms_are_read() -> None:
    auth = make()
    ann, codes = await signed_up(auth), await asked(auth)
    before = await rows(auth)
    for kind in ("application/json", "text/plain", "multipart/form-data; boundary=x", ""):
        response = await sent(ann, "/device/look", b'{"user_code": "x"}', **{"content-type": kind})
        assert await entered(ann, response, 415, "") is not None
    assert (await ann.post("/device/decide", {"user_code": codes["user_code"], "decision": "approve"})).status == 415
    assert await rows(auth) == before


@pytest.mark.parametrize("query", ["user_code=%00", "user_code=%FF", "user_code", "user_code=\ud800", "x=y", "&&="])
async def test_a_strange_link_leads_to_the_page(query: str) -> None:
    auth, leading = make(), make(options={"sign_in_page": "/sign-in"})
    ann = await signed_up(auth)
    assert (await ann.get("/device/enter", query)).status == 200
    assert (await Browser(leading, ORIGIN).get("/device/enter", query)).status == 302


@pytest.mark.parametrize("target", ["//evil.example", "javascript:alert(1)", "sign-in", ""])
def test_a_sign_in_page_that_is_no_place_is_a_mistake(target: str) -> None:
    with pytest.raises(ConfigError, match="sign_in_page"):
        make(options={"sign_in_page": target})
    with pytest.raises(ConfigError, match="page=True"):
        plain(DeviceAuthorization(sign_in_page="/sign-in"))
