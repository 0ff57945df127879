"""The device flow: a device is let in by its user, once, and by nobody else."""

import json
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import anyio
import pytest

from app import ORIGIN, content, plain, signed_up
from portico import (
    AnyApi,
    ApiError,
    Auth,
    ConfigError,
    Context,
    Headers,
    RateLimitOptions,
    Request,
    Response,
    after,
    before,
    before_create,
)
from portico.errors import EMAIL_PASSWORD_DISABLED, FAILED_TO_CREATE_SESSION
from portico.first_proof import prove_mailbox
from portico.plugins.bearer import Bearer
from portico.plugins.device_authorization import DeviceAuthorization
from portico.plugins.device_authorization.declarations import (
    GRANT_TYPE,
    POLLING_TOO_FREQUENTLY,
    DeviceCodeRequest,
    DeviceCodeRow,
    DeviceDecision,
    UserCode,
)
from portico.testing import Browser, Clock
from raced import raced
from requirements import requirement
from store.database_servers import database_on

pytestmark = [pytest.mark.anyio, requirement("P09")]

ASKED = {"client_id": "cli", "scope": "read write"}


def make(clock: Clock | None = None, *, options: dict[str, Any] | None = None, **rest: Any) -> Auth[AnyApi]:
    return plain(DeviceAuthorization(**(options or {})), Bearer(), clock=clock or Clock(), **rest)


async def asked(auth: Auth[Any], **fields: Any) -> dict[str, Any]:
    """Return the codes that a device was given."""
    response = await Browser(auth, ORIGIN).post("/device/code", {**ASKED, **fields})
    assert response.status == 200, response.body
    assert ("cache-control", "no-store") in response.headers
    found: dict[str, Any] = content(response)
    return found


async def polled(auth: Auth[Any], codes: dict[str, Any], client_id: str = "cli") -> Response:
    body = {"grant_type": GRANT_TYPE, "device_code": codes["device_code"], "client_id": client_id}
    return await Browser(auth, ORIGIN).post("/device/token", body)


async def looked(browser: Browser, user_code: str) -> dict[str, Any]:
    found: dict[str, Any] = content(await browser.get("/device", f"user_code={quote(user_code)}"))
    return found


async def decided(browser: Browser, verb: str, user_code: str) -> tuple[int, dict[str, Any]]:
    response = await browser.post(f"/device/{verb}", {"userCode": user_code})
    return response.status, content(response)


def refusal(response: Response) -> tuple[int, str]:
    found = content(response)
    assert list(found) == ["error", "error_description"]
    return response.status, found["error"]


async def rows(auth: Auth[Any]) -> list[Any]:
    return await auth.store.find_many(auth.tables["deviceCode"])


async def test_a_device_gets_a_session_of_whoever_approves_it() -> None:
    clock = Clock()
    auth = make(clock)
    ann, codes = await signed_up(auth), await asked(auth)
    assert codes["verification_uri"] == f"{ORIGIN}/device"
    assert codes["verification_uri_complete"] == f"{ORIGIN}/device?user_code={codes['user_code']}"
    assert (codes["expires_in"], codes["interval"], len(codes["device_code"])) == (1800, 5, 40)
    assert refusal(await polled(auth, codes)) == (400, "authorization_pending")
    shown = await looked(ann, codes["user_code"])
    assert shown == {"user_code": codes["user_code"], "status": "pending", "client_id": "cli", "scope": "read write"}
    assert await decided(ann, "approve", codes["user_code"]) == (200, {"success": True})
    clock.advance(5)
    response = await polled(auth, codes)
    # A device is no browser: its session is in the answer alone.
    assert [name for name, _ in response.headers if name in {"set-cookie", "set-auth-token"}] == []
    token = content(response)
    assert (token["token_type"], token["scope"]) == ("Bearer", "read write")
    assert token["expires_in"] == 7 * 24 * 3600
    session = await auth.api.get_session({"authorization": f"Bearer {token['access_token']}"})
    assert session is not None
    assert session.user.email == "ann@example.com"
    assert await rows(auth) == []
    clock.advance(5)
    assert refusal(await polled(auth, codes)) == (400, "invalid_grant")


async def test_of_two_devices_each_gets_a_session_of_its_own_user() -> None:
    @before("/device/token")
    async def sign(ctx: Context) -> None:
        ctx.reply.headers.append(("x-application", "ours"))

    @after("/device/token")
    async def note(ctx: Context, outcome: Any) -> Any:
        assert ctx.new_session is not None
        started.append((ctx.new_session.user.email, ctx.new_session.session.token))
        return outcome

    started = list[tuple[str, str]]()
    auth = make(hooks=[sign, note])
    people = [await signed_up(auth, f"{name}@example.com") for name in ("ann", "bob")]
    codes = [await asked(auth, scope=scope) for scope in ("read", "")]
    for browser, code in zip(people, codes, strict=True):
        await looked(browser, code["user_code"])
        assert (await decided(browser, "approve", code["user_code"]))[0] == 200
    told: list[tuple[str, str, str | None]] = []
    # The second one comes first, and says what it is.
    for code, agent in ((codes[1], {"user-agent": "tv/2"}), (codes[0], {})):
        body = {"grant_type": GRANT_TYPE, "device_code": code["device_code"], "client_id": "cli"}
        headers = Headers([("content-type", "application/json"), *agent.items()])
        sent = json.dumps(body).encode()
        response = await auth.handler(
            Request(method="POST", path="/api/auth/device/token", headers=headers, body=sent, peer="198.51.100.7")
        )
        expected = {("cache-control", "no-store"), ("pragma", "no-cache"), ("x-application", "ours")}
        assert expected <= set(response.headers)
        session = await auth.api.get_session({"authorization": f"Bearer {content(response)['access_token']}"})
        assert session is not None
        assert session.session.ip_address == "198.51.100.7"
        assert started[-1] == (session.user.email, content(response)["access_token"])
        told.append((session.user.email, content(response)["scope"], session.session.user_agent))
        assert len(await rows(auth)) == 2 - len(told)
    assert told == [("bob@example.com", "", "tv/2"), ("ann@example.com", "read", "")]


async def test_a_request_is_its_users_alone() -> None:
    auth = make()
    ann, bob, codes = await signed_up(auth), await signed_up(auth, "bob@example.com"), await asked(auth)
    user_code = codes["user_code"]
    # Nobody decides about what they have not seen.
    for verb in ("approve", "deny"):
        status, reply = await decided(ann, verb, user_code)
        assert (status, reply["error"]) == (400, "invalid_request")
    assert "client_id" not in await looked(Browser(auth, ORIGIN), user_code)
    assert (await rows(auth))[0]["user_id"] is None
    assert (await looked(bob, user_code))["client_id"] == "cli"
    assert "client_id" not in await looked(ann, user_code)
    before = await rows(auth)
    for verb in ("approve", "deny"):
        assert (await decided(ann, verb, user_code))[0] == 403
        assert (await decided(Browser(auth, ORIGIN), verb, user_code))[0] == 401
    assert await rows(auth) == before
    assert await decided(bob, "deny", user_code) == (200, {"success": True})
    assert (await decided(bob, "approve", user_code))[0] == 400
    assert refusal(await polled(auth, codes)) == (400, "access_denied")
    assert await rows(auth) == []


async def test_of_two_users_who_look_at_once_one_may_decide() -> None:
    auth = make()
    people = [await signed_up(auth, f"p{number}@example.com") for number in range(6)]
    codes = await asked(auth)
    seen: list[dict[str, Any]] = []

    async def look(browser: Browser) -> None:
        seen.append(await looked(browser, codes["user_code"]))

    async with anyio.create_task_group() as tasks:
        for browser in people:
            tasks.start_soon(look, browser)
    assert len([each for each in seen if "client_id" in each]) == 1


async def test_a_client_may_name_the_only_user_who_may_approve() -> None:
    auth = make()
    ann, bob = await signed_up(auth), await signed_up(auth, "bob@example.com")
    users = {user.email: user.id for user in await auth.users.find_many(auth.context(None))}
    codes = await asked(auth, user_id=users["bob@example.com"])
    assert "client_id" not in await looked(ann, codes["user_code"])
    assert (await decided(ann, "approve", codes["user_code"]))[0] == 403
    assert (await decided(bob, "approve", codes["user_code"]))[0] == 200


async def test_a_device_waits_between_its_questions() -> None:
    clock = Clock()
    auth = make(clock, options={"interval": 10})
    codes = await asked(auth)
    assert codes["interval"] == 10
    found: list[tuple[int, str]] = []

    async def ask() -> None:
        found.append(refusal(await polled(auth, codes)))

    async with anyio.create_task_group() as tasks:
        for _ in range(6):
            tasks.start_soon(ask)
    assert Counter(found) == {(400, "authorization_pending"): 1, (400, "slow_down"): 5}
    clock.advance(9.9)
    assert refusal(await polled(auth, codes)) == (400, "slow_down")
    clock.advance(0.1)
    assert refusal(await polled(auth, codes)) == (400, "authorization_pending")


async def test_what_has_expired_lets_nobody_in() -> None:
    clock = Clock()
    auth = make(clock, options={"expires_in": 60})
    ann, codes = await signed_up(auth), await asked(auth)
    await looked(ann, codes["user_code"])
    assert (await decided(ann, "approve", codes["user_code"]))[0] == 200
    clock.advance(61)
    assert (await looked(ann, codes["user_code"]))["error"] == "expired_token"
    assert (await decided(ann, "deny", codes["user_code"]))[1]["error"] == "expired_token"
    assert refusal(await polled(auth, codes)) == (400, "expired_token")
    assert await rows(auth) == []


async def test_another_client_gets_nothing_and_uses_nothing_up() -> None:
    clock = Clock()
    auth = make(clock, options={"validate_client": {"cli", "tv"}.__contains__})
    ann, codes = await signed_up(auth), await asked(auth)
    await looked(ann, codes["user_code"])
    await decided(ann, "approve", codes["user_code"])
    assert refusal(await polled(auth, codes, "tv")) == (400, "invalid_grant")
    assert refusal(await polled(auth, codes, "other")) == (400, "invalid_client")
    unknown = await Browser(auth, ORIGIN).post("/device/code", {"client_id": "other"})
    assert refusal(unknown) == (400, "invalid_client")
    assert len(await rows(auth)) == 1
    assert (await polled(auth, codes)).status == 200


async def test_server_code_asks_for_codes_whatever_its_caller_has_sent() -> None:
    auth = make()
    headers = Headers([("content-type", "application/x-www-form-urlencoded")])
    caller = Request(method="POST", path="/connect", headers=headers, body=b"client_id=other&scope=a&scope=b")
    codes = await auth.api.device_authorization.code(caller, DeviceCodeRequest(**ASKED))
    [row] = await rows(auth)
    assert (row["user_code"], row["client_id"], row["scope"]) == (codes.user_code, "cli", "read write")


async def test_a_form_may_say_everything_once() -> None:
    auth = make()

    async def sent(text: str) -> Response:
        headers = Headers([("content-type", "application/x-www-form-urlencoded")])
        return await auth.handler(
            Request(method="POST", path="/api/auth/device/code", headers=headers, body=text.encode())
        )

    assert (await sent("client_id=cli&scope=a+b")).status == 200
    assert (await rows(auth))[0]["scope"] == "a b"
    for text in ("client_id=", "scope=a", "client_id"):
        assert refusal(await sent(text)) == (400, "invalid_request"), text
    for name in ("client_id", "user_id", "scope"):
        response = await sent(f"client_id=cli&{name}=a&{name}=b")
        assert refusal(response) == (400, "invalid_request")
        assert content(response)["error_description"] == f"{name} must not be repeated"
    assert len(await rows(auth)) == 1


@pytest.mark.parametrize("body", [{}, {"client_id": ""}, {"client_id": 1}, [], "x", {"client_id": "cli", "scope": []}])
async def test_a_request_that_is_malformed_is_refused_in_the_words_of_oauth(body: Any) -> None:
    auth = make()
    assert refusal(await Browser(auth, ORIGIN).post("/device/code", body)) == (400, "invalid_request")
    assert await rows(auth) == []


@pytest.mark.parametrize("typed", ["{}", "{}-", " {} ", "{lower}", "{head}-{tail}", "{head} {tail}"])
async def test_a_user_code_may_be_typed_as_people_do(typed: str) -> None:
    auth = make()
    ann, codes = await signed_up(auth), await asked(auth)
    code = codes["user_code"]
    assert len(code) == 8
    text = typed.format(code, lower=code.lower(), head=code[:4], tail=code[4:])
    assert (await looked(ann, text))["client_id"] == "cli"
    assert (await decided(ann, "approve", text))[0] == 200


def made(*codes: str) -> Any:
    given: Iterator[str] = iter(codes)
    return lambda: next(given)


async def test_codes_of_ones_own_are_taken_as_they_are() -> None:
    told: list[tuple[str, str | None]] = []

    async def tell(client_id: str, scope: str | None) -> None:
        told.append((client_id, scope))

    numbers = count()
    auth = make(
        options={
            "generate_device_code": lambda: f"device-{next(numbers)}",
            "generate_user_code": made("blue horse", "blue horse", "red cow"),
            "on_device_auth_request": tell,
            "verification_uri": "https://example.com/enter?lang=en",
        }
    )
    ann, first = await signed_up(auth), await asked(auth)
    assert (first["device_code"], first["user_code"]) == ("device-0", "blue horse")
    assert first["verification_uri_complete"] == "https://example.com/enter?lang=en&user_code=blue+horse"
    # The second one is somebody's.
    second = await asked(auth, scope="")
    assert second["user_code"] == "red cow"
    assert told == [("cli", "read write"), ("cli", None)]
    assert (await looked(ann, "blue horse"))["scope"] == "read write"
    assert (await looked(ann, "BLUEHORSE"))["error"] == "invalid_request"


@pytest.mark.parametrize(
    ("page", "shown", "complete"),
    [
        ("https://example.com", "https://example.com/", "https://example.com/?user_code=blue"),
        ("/enter?a=&user_code=b", f"{ORIGIN}/enter?a=&user_code=b", f"{ORIGIN}/enter?a=&user_code=blue"),
    ],
)
async def test_a_page_of_ones_own_is_told_as_browsers_write_it(page: str, shown: str, complete: str) -> None:
    codes = await asked(make(options={"generate_user_code": made("blue"), "verification_uri": page}))
    assert (codes["verification_uri"], codes["verification_uri_complete"]) == (shown, complete)


async def test_a_code_that_nobody_else_has_may_not_be_found() -> None:
    auth = make(options={"generate_user_code": lambda: "same"})
    await asked(auth)
    response = await Browser(auth, ORIGIN).post("/device/code", ASKED)
    assert refusal(response) == (500, "server_error")
    assert len(await rows(auth)) == 1
    long = make(options={"generate_device_code": lambda: "x" * 192})
    assert refusal(await Browser(long, ORIGIN).post("/device/code", ASKED)) == (400, "invalid_request")


async def test_a_user_who_is_gone_lets_nobody_in() -> None:
    auth = make()
    ann, codes = await signed_up(auth), await asked(auth)
    await looked(ann, codes["user_code"])
    await decided(ann, "approve", codes["user_code"])
    await auth.users.delete(auth.context(None), email="ann@example.com")
    assert refusal(await polled(auth, codes)) == (400, "invalid_grant")
    assert await auth.store.count(auth.tables["session"]) == 0


@requirement("E08")
async def test_no_device_is_let_in_that_was_approved_before_the_mailbox_was_proven() -> None:
    auth = make()
    attacker = await signed_up(auth)
    approved, named, foreign = await asked(auth), await asked(auth), await asked(auth)
    for codes in (approved, named):
        await looked(attacker, codes["user_code"])
    await decided(attacker, "approve", approved["user_code"])
    bob = await signed_up(auth, "bob@example.com")
    await looked(bob, foreign["user_code"])
    await decided(bob, "approve", foreign["user_code"])
    ctx = auth.context(None)
    user = await auth.users.find_by_email(ctx, "ann@example.com")
    assert user is not None
    owner = await prove_mailbox(ctx, auth.users, user)
    assert owner is not None
    assert refusal(await polled(auth, approved)) == (400, "invalid_grant")
    assert await auth.sessions.live(ctx, owner) == []
    assert (await polled(auth, foreign)).status == 200
    # A device that nobody has decided about is the owner's to let in.
    session = await auth.sessions.start(ctx, owner, remember=True, address="", agent="")
    token = auth.signer.sign(session.token)
    browser = Browser(auth, ORIGIN, {"better-auth.session_token": token})
    assert await decided(browser, "approve", named["user_code"]) == (200, {"success": True})
    assert (await polled(auth, named)).status == 200


@pytest.mark.parametrize(
    ("said", "told", "why"),
    [
        (False, (400, "access_denied"), FAILED_TO_CREATE_SESSION.message),
        (ApiError(EMAIL_PASSWORD_DISABLED), (400, "access_denied"), EMAIL_PASSWORD_DISABLED.message),
        (ApiError(POLLING_TOO_FREQUENTLY), (400, "slow_down"), POLLING_TOO_FREQUENTLY.message),
    ],
    ids=["False", "a code", "a code of OAuth"],
)
async def test_a_device_understands_why_there_is_no_session(
    said: bool | ApiError, told: tuple[int, str], why: str
) -> None:
    @before_create("session")
    async def unwanted(ctx: Context, values: dict[str, Any]) -> bool | None:
        if ctx.route is None or ctx.route.path != "/device/token":
            return None
        if isinstance(said, ApiError):
            raise said
        return said

    auth = make(database_hooks=[unwanted])
    ann, codes = await signed_up(auth), await asked(auth)
    await looked(ann, codes["user_code"])
    await decided(ann, "approve", codes["user_code"])
    response = await polled(auth, codes)
    assert (refusal(response), content(response)["error_description"]) == (told, why)
    assert await auth.store.count(auth.tables["session"]) == 1


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"status": "odd"}, "Invalid device code status"),
        ({"user_id": None}, "Invalid device code status"),
        # Whose client nobody knows may be anybody's.
        ({"client_id": None}, "Invalid device code"),
        ({"client_id": ""}, "Invalid device code"),
    ],
)
async def test_a_row_that_nobody_of_us_wrote_lets_nobody_in(changed: dict[str, Any], told: str) -> None:
    auth = make()
    ann, codes = await signed_up(auth), await asked(auth)
    await looked(ann, codes["user_code"])
    await decided(ann, "approve", codes["user_code"])
    ctx = auth.context(None)
    await auth.rows(DeviceCodeRow).update(ctx, {"user_code": codes["user_code"]}, **changed)
    response = await polled(auth, codes)
    assert refusal(response) == (400, "invalid_grant")
    assert content(response)["error_description"] == told
    shown = await looked(ann, codes["user_code"])
    assert shown.get("error_description") == ("Invalid user code" if "status" in changed else None)
    assert await auth.store.count(auth.tables["session"]) == 1
    assert len(await rows(auth)) == 1


async def test_user_codes_are_not_guessed_at() -> None:
    clock = Clock()
    auth = make(clock, rate_limit=RateLimitOptions(enabled=True))
    mallory = await signed_up(auth)
    for path, method in (("/device", "GET"), ("/device/approve", "POST"), ("/device/deny", "POST")):
        found: list[int] = []
        for number in range(7):
            clock.advance(20)
            code = f"GUESS{number:03}"
            response = await mallory.get(path, f"user_code={code}") if method == "GET" else None
            response = response or await mallory.post(path, {"userCode": code})
            found.append(response.status)
        assert found == [400] * 5 + [429] * 2, path
    # Devices ask as often as they are told to.
    codes = await asked(auth)
    for _ in range(7):
        clock.advance(20)
        assert refusal(await polled(auth, codes)) == (400, "authorization_pending")
    clock.advance(1801)
    assert (await mallory.get("/device", "user_code=GUESS007")).status == 400


@pytest.mark.parametrize(
    "options",
    [{"device_code_length": 0}, {"user_code_length": 192}, {"expires_in": 0}, {"interval": 0}],
)
async def test_options_that_cannot_be_meant_are_mistakes(options: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match="DeviceAuthorization"):
        make(options=options)


@pytest.mark.parametrize("length", [1, 191])
async def test_codes_may_be_as_long_as_their_columns(length: int) -> None:
    codes = await asked(make(options={"device_code_length": length, "user_code_length": length}))
    assert (len(codes["device_code"]), len(codes["user_code"])) == (length, length)


async def test_a_code_may_live_for_a_second() -> None:
    codes = await asked(make(options={"expires_in": 1, "interval": 1}))
    assert (codes["expires_in"], codes["interval"]) == (1, 1)


async def test_server_code_decides_for_a_caller_as_over_http() -> None:
    auth = make()
    ann, codes = await signed_up(auth), await asked(auth)
    plugin = DeviceAuthorization.of(auth)
    shown = await plugin.verify(ann.headers, UserCode(user_code=codes["user_code"]))
    assert (shown.status, shown.client_id) == ("pending", "cli")
    assert (await plugin.approve(ann.headers, DeviceDecision(user_code=codes["user_code"]))).success
    with pytest.raises(ApiError, match="already processed"):
        await plugin.deny(ann.headers, DeviceDecision(user_code=codes["user_code"]))


@requirement("L02")
@pytest.mark.parametrize("kind", ["sqlite", "postgresql", "mysql"])
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_of_sixteen_questions_to_two_processes_one_gets_the_session(kind: Any, tmp_path: Path) -> None:
    async def race(database: str) -> None:
        auth = make(database=database)
        await auth.create_schema()
        ann, codes = await signed_up(auth), await asked(auth)
        await looked(ann, codes["user_code"])
        await decided(ann, "approve", codes["user_code"])
        said = await anyio.to_thread.run_sync(lambda: raced("polling.py", database, codes["device_code"]))
        assert len(said) == 16
        assert Counter(said)["token"] == 1
        assert set(said) <= {"token", "slow_down", "invalid_grant"}
        assert await auth.store.count(auth.tables["session"]) == 2
        assert await rows(auth) == []
        await auth.close()

    if kind == "sqlite":
        await race(f"sqlite:///{tmp_path}/auth.db")
    else:
        with database_on(kind) as server:
            await race(server.url)


async def test_the_row_of_a_device_shows_no_device_code() -> None:
    auth = make()
    codes = await asked(auth)
    row = await auth.rows(DeviceCodeRow).find(auth.context(None), user_code=codes["user_code"])
    assert row is not None
    assert codes["device_code"] not in json.dumps(row.to_wire())
