from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import anyio
import pytest

from app import ORIGIN, content, plain, set_cookies, signed_up
from openapi.lint import operations
from plugins.second_step import totp_of
from portico import (
    AdvancedOptions,
    AnyApi,
    ApiError,
    Auth,
    Column,
    ConfigError,
    Context,
    ErrorCode,
    RateLimitOptions,
    Redirect,
    Request,
    Response,
    UserInfo,
    UserInfoRefused,
    UserOptions,
    VerificationOptions,
    before_create,
)
from portico.errors import EMAIL_PASSWORD_DISABLED
from portico.openapi import document
from portico.plugins.magic_link import MagicLink, MagicLinkMail, SignInMagicLink, VerifyMagicLink
from portico.plugins.two_factor import TwoFactor
from portico.rate_limit import RateLimit
from portico.testing import Browser, Clock
from postbox import Postbox, follow, location, said_in
from postbox import request as asked
from requirements import requirement

pytestmark = pytest.mark.anyio

ANN = "ann@example.com"
TABLES = ("user", "account", "session", "verification")
INVALID = f"{ORIGIN}/?error=INVALID_TOKEN"


@dataclass
class Place:
    """An application that mails links, and what it mailed."""

    auth: Auth[AnyApi]
    postbox: Postbox
    clock: Clock

    @property
    def browser(self) -> Browser:
        """A new one."""
        return Browser(self.auth, ORIGIN)

    @property
    def mail(self) -> MagicLinkMail:
        mail = self.postbox.last
        assert isinstance(mail, MagicLinkMail)
        return mail

    async def ask(self, email: str = ANN, **fields: Any) -> MagicLinkMail:
        """Ask for a link, as somebody whose browser is not seen again."""
        response = await self.browser.post("/sign-in/magic-link", {"email": email, **fields})
        assert (response.status, content(response)) == (200, {"status": True}), response
        return self.mail

    async def verify(self, browser: Browser, token: str, **query: str) -> Response:
        return await browser.get("/magic-link/verify", urlencode({"token": token, **query}))

    async def user(self, email: str = ANN) -> Any:
        return await self.auth.users.find_by_email(self.auth.context(None), email)

    async def prove(self) -> None:
        """Let the address of everybody be proven."""
        ctx = self.auth.context(None)
        for user in await self.auth.users.find_many(ctx):
            await self.auth.users.update(ctx, {"id": user.id}, email_verified=True)

    async def counts(self, *tables: str) -> list[int]:
        return [await self.auth.store.count(self.auth.tables[name]) for name in tables or TABLES]


def place(*plugins: Any, options: dict[str, Any] | None = None, **of_link: Any) -> Place:
    postbox, clock = Postbox(), Clock()
    given = {**postbox.options(), "clock": clock, **(options or {})}
    of_link.setdefault("send_magic_link", postbox.keep)
    link = MagicLink[Any, Any](**of_link)
    return Place(plain(link, *plugins, **given), postbox, clock)


@requirement("S-105", "S-194", "B-82")
async def test_a_link_is_mailed_to_an_address_that_nobody_has() -> None:
    here = place()
    mail = await here.ask("New@Example.com", metadata={"theme": "dark"})
    assert (here.postbox.addresses, mail.email) == (["new@example.com"], "new@example.com")
    assert mail.metadata == {"theme": "dark"}
    assert (len(mail.token), mail.token.isalpha()) == (32, True)
    assert mail.url == f"{ORIGIN}/api/auth/magic-link/verify?token={mail.token}&callbackURL=%2F"
    assert mail.token not in repr(mail)
    [row] = await here.auth.verifications.find_many(here.auth.context(None))
    assert (row.identifier, row.value) == (
        f"magic-link:{mail.token}",
        '{"type":"magic-link","email":"New@Example.com"}',
    )
    assert (row.expires_at - row.created_at).total_seconds() == 300
    assert await here.counts("user", "session") == [0, 0]


@requirement("S-105")
async def test_a_link_says_where_it_leads() -> None:
    here = place(options={"trusted_origins": ["https://app.example.com"]})
    places = {
        "callbackURL": "https://app.example.com/home?a=b c~d",
        "newUserCallbackURL": "/welcome",
        "errorCallbackURL": "/oops",
    }
    mail = await here.ask(**places)
    assert dict(parse_qsl(urlsplit(mail.url).query)) == {"token": mail.token, **places}
    assert "a%3Db+c%7Ed" in mail.url


@requirement("S-106", "B-82")
async def test_the_link_creates_a_user_and_signs_them_in_once() -> None:
    here = place()
    mail = await here.ask("New@Example.com", name="Ann")
    browser = here.browser
    response = await here.verify(browser, mail.token)
    reply = content(response)
    assert (response.status, set(reply)) == (200, {"token", "user", "session"})
    user = reply["user"]
    assert (user["name"], user["email"], user["emailVerified"]) == ("Ann", "new@example.com", True)
    assert (reply["token"], reply["session"]["userId"]) == (reply["session"]["token"], user["id"])
    assert content(await browser.get("/get-session")) == {"session": reply["session"], "user": user}
    assert await here.counts() == [1, 0, 1, 0]
    again = here.browser
    assert location(await here.verify(again, mail.token)) == INVALID
    assert (again.cookies, await here.counts()) == ({}, [1, 0, 1, 0])


@requirement("S-106")
async def test_who_says_no_name_has_an_empty_one() -> None:
    here = place()
    assert content(await here.verify(here.browser, (await here.ask()).token))["user"]["name"] == ""


@requirement("S-106")
@pytest.mark.undescribed("what hooks raise is not known")
async def test_a_refusal_that_has_no_code_is_answered_as_it_is() -> None:
    @before_create("user")
    async def refuse(ctx: Context, values: dict[str, Any]) -> None:
        raise ApiError(ErrorCode(403, None, "not today"))

    here = place(options={"database_hooks": [refuse]})
    response = await here.verify(here.browser, (await here.ask()).token)
    assert (response.status, content(response)) == (403, {"message": "not today"})
    assert await here.counts("user", "session") == [0, 0]


@requirement("S-106")
async def test_a_known_user_keeps_name_and_password() -> None:
    here = place()
    await signed_up(here.auth)
    await here.prove()
    before = await here.user()
    browser = here.browser
    followed = await follow(browser, await here.ask(name="Other", callbackURL="/home"))
    assert location(followed) == f"{ORIGIN}/home"
    assert set_cookies(followed)[0].endswith("; Max-Age=604800; Path=/; HttpOnly; SameSite=Lax")
    *_, session = await here.auth.sessions.find_many(here.auth.context(None))
    assert (session.expires_at - session.created_at).total_seconds() == 604800
    assert content(await browser.get("/get-session"))["user"]["name"] == "Ann"
    assert await here.user() == before
    assert await here.counts("account", "session") == [1, 2]
    assert (await here.browser.post("/sign-in/email", {"email": ANN, "password": "password123"})).status == 200


@requirement("S-106")
@pytest.mark.parametrize(
    ("fields", "new", "known", "used"),
    [
        ({}, "/", "/", "/?error=INVALID_TOKEN"),
        ({"callbackURL": "/home"}, "/home", "/home", "/home?error=INVALID_TOKEN"),
        ({"newUserCallbackURL": "/new"}, "/new", "/", "/?error=INVALID_TOKEN"),
        ({"callbackURL": "/a", "errorCallbackURL": "/e?f=g"}, "/a", "/a", "/e?f=g&error=INVALID_TOKEN"),
        ({"callbackURL": "/a", "newUserCallbackURL": "/n"}, "/n", "/a", "/a?error=INVALID_TOKEN"),
    ],
)
async def test_a_link_leads_new_and_known_users_and_everybody_else_to_their_pages(
    fields: dict[str, str], new: str, known: str, used: str
) -> None:
    here = place()
    mail = await here.ask(**fields)
    assert location(await follow(here.browser, mail)) == ORIGIN + new
    assert location(await follow(here.browser, mail)) == ORIGIN + used
    assert location(await follow(here.browser, await here.ask(**fields))) == ORIGIN + known


@requirement("C04", "B-50")
@pytest.mark.parametrize("name", ["callbackURL", "newUserCallbackURL", "errorCallbackURL"])
async def test_a_link_leads_to_no_strange_place(name: str) -> None:
    here = place()
    sent = await here.browser.post("/sign-in/magic-link", {"email": ANN, name: "https://evil.test"})
    assert (sent.status, here.postbox.mails, await here.counts()) == (403, [], [0, 0, 0, 0])
    mail = await here.ask()
    browser = here.browser
    refused = await here.verify(browser, mail.token, **{name: "//evil.test"})
    assert (refused.status, content(refused)["code"]) == (403, "INVALID_CALLBACK_URL")
    assert (browser.cookies, await here.counts()) == ({}, [0, 0, 0, 1])
    assert (await here.verify(browser, mail.token)).status == 200


@requirement("S-194")
async def test_a_link_lives_as_long_as_the_option_says() -> None:
    for lifetime in (300, 1):
        here = place(expires_in=lifetime)
        early, late = await here.ask(), await here.ask("bob@example.com")
        here.clock.advance(lifetime - 0.01)
        assert (await here.verify(here.browser, early.token)).status == 200
        here.clock.advance(0.01)
        assert location(await here.verify(here.browser, late.token)) == INVALID
        assert await here.user("bob@example.com") is None


@requirement("E11", "S-106")
@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "POST", "DELETE"])
async def test_no_other_verb_uses_a_link_up(method: str) -> None:
    here = place()
    mail = await here.ask()
    request = Request(method=method, path="/api/auth/magic-link/verify", query=f"token={mail.token}")
    response = await here.auth.handler(request)
    assert (response.status, response.body, set_cookies(response)) == (404, b"", [])
    assert await here.counts() == [0, 0, 0, 1]
    assert (await here.verify(here.browser, mail.token)).status == 200


@requirement("S-105", "E02")
@pytest.mark.parametrize("of_link", [{}, {"disable_sign_up": True}])
async def test_the_answer_tells_nobody_who_is_a_user(of_link: dict[str, Any]) -> None:
    here = place(**of_link)
    await signed_up(here.auth)
    known = await here.browser.post("/sign-in/magic-link", {"email": ANN})
    unknown = await here.browser.post("/sign-in/magic-link", {"email": "nobody@example.com"})
    assert (known.status, known.headers, known.body) == (unknown.status, unknown.headers, unknown.body)
    assert here.postbox.addresses == [ANN, "nobody@example.com"]


@requirement("E02", "F07", "S-175")
async def test_a_mailer_that_hangs_holds_up_no_answer() -> None:
    async def hang(mail: MagicLinkMail, request: Request | None) -> None:
        await anyio.sleep_forever()

    here = place(send_magic_link=hang)
    with anyio.fail_after(5):
        response = await here.auth.handler(asked(here.browser, "/sign-in/magic-link", {"email": ANN}))
    assert (response.status, response.body, len(response.background)) == (200, b'{"status":true}', 1)


@requirement("F07", "F08")
async def test_a_mailer_that_fails_is_logged_without_the_link(caplog: pytest.LogCaptureFixture) -> None:
    async def fail(mail: MagicLinkMail, request: Request | None) -> None:
        raise ConnectionError("the mail server is down")

    here = place(send_magic_link=fail)
    response = await here.browser.post("/sign-in/magic-link", {"email": ANN})
    assert (response.status, response.body) == (200, b'{"status":true}')
    assert ["the mail server is down" in str(record.exc_info) for record in caplog.records] == [True]
    [row] = await here.auth.verifications.find_many(here.auth.context(None))
    assert row.identifier.removeprefix("magic-link:") not in caplog.text


@requirement("S-105", "C01")
async def test_no_foreign_page_asks_for_a_link() -> None:
    here = place()
    refused = await Browser(here.auth, "https://evil.test").post("/sign-in/magic-link", {"email": ANN})
    assert (refused.status, content(refused)["code"]) == (403, "INVALID_ORIGIN")
    assert (here.postbox.mails, await here.counts()) == ([], [0, 0, 0, 0])


@requirement("S-105")
@pytest.mark.parametrize("email", ["ann", "", None, "ann@", 1])
async def test_what_is_no_address_gets_no_link(email: object) -> None:
    here = place()
    refused = await here.browser.post("/sign-in/magic-link", {"email": email})
    assert (refused.status, content(refused)["code"]) == (400, "VALIDATION_ERROR")
    assert (here.postbox.mails, await here.counts()) == ([], [0, 0, 0, 0])


def backwards(token: str) -> str:
    return token[::-1]


async def later(token: str) -> str:
    return f"later-{token}"


@requirement("S-194")
@pytest.mark.parametrize("way", ["plain", "hashed", backwards, later])
@pytest.mark.parametrize("identifiers", ["plain", "hashed"])
async def test_what_is_stored_of_a_link_opens_nothing(way: Any, identifiers: Any) -> None:
    here = place(store_token=way, options={"verification": VerificationOptions(store_identifier=identifiers)})
    mail = await here.ask()
    [row] = await here.auth.verifications.find_many(here.auth.context(None))
    is_seen = way == "plain" and identifiers == "plain"
    assert (mail.token in row.identifier) is (is_seen or (way is later and identifiers == "plain"))
    if not is_seen:
        for stored in (row.identifier, row.identifier.removeprefix("magic-link:")):
            assert location(await here.verify(here.browser, stored)) == INVALID
    assert (await here.verify(here.browser, mail.token)).status == 200


def made_at_once(email: str) -> str:
    return f"for-{email}"


async def made_later(email: str) -> str:
    return f"for-{email}"


@requirement("S-194")
@pytest.mark.parametrize("make", [made_at_once, made_later])
async def test_an_application_makes_tokens_of_its_own(make: Any) -> None:
    here = place(generate_token=make)
    mail = await here.ask()
    assert mail.token == f"for-{ANN}"
    assert (await here.verify(here.browser, mail.token)).status == 200


@requirement("S-194")
async def test_nobody_becomes_a_user_where_that_is_not_wanted() -> None:
    here = place(disable_sign_up=True)
    mail = await here.ask(callbackURL="/home")
    browser = here.browser
    assert location(await follow(browser, mail)) == f"{ORIGIN}/home?error=new_user_signup_disabled"
    assert (browser.cookies, await here.counts()) == ({}, [0, 0, 0, 0])
    await signed_up(here.auth)
    assert location(await follow(browser, await here.ask(callbackURL="/home"))) == f"{ORIGIN}/home"
    assert content(await browser.get("/get-session"))["user"]["email"] == ANN


@requirement("S-194")
@pytest.mark.parametrize(("of_link", "allowed"), [({}, 5), ({"rate_limit": RateLimit(window=10, max=2)}, 2)])
async def test_both_endpoints_are_limited_each_for_itself(of_link: dict[str, Any], allowed: int) -> None:
    here = place(**of_link, options={"rate_limit": RateLimitOptions(enabled=True)})
    asks = [(await here.browser.post("/sign-in/magic-link", {"email": ANN})).status for _ in range(allowed + 1)]
    follows = [(await here.verify(here.browser, "wrong")).status for _ in range(allowed + 1)]
    assert (asks, follows) == ([200] * allowed + [429], [302] * allowed + [429])
    assert len(here.postbox.mails) == allowed


@requirement("S-194", "CONF-magic-link")
def test_options_that_make_no_sense_are_pointed_out(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ConfigError, match="a link must live for a second at least"):
        place(expires_in=0)
    with pytest.raises(ConfigError, match="'sha256'"):
        place(store_token="sha256")
    place(allowed_attempts=1)
    assert caplog.messages == []
    place(allowed_attempts=3)
    assert caplog.messages == ["MagicLink(allowed_attempts=3) changes nothing: a link works once"]


@requirement("ARCH-provisioning", "S-106")
@pytest.mark.parametrize(
    ("refused", "said"),
    [
        (
            UserInfoRefused(error="not_our_domain", error_description="Only people of example.org"),
            {"error": "not_our_domain", "error_description": "Only people of example.org"},
        ),
        (
            UserInfoRefused(error="not_our_domain"),
            {"error": "not_our_domain", "error_description": "not_our_domain"},
        ),
    ],
)
async def test_an_application_has_a_say_about_who_becomes_a_user(
    refused: UserInfoRefused, said: dict[str, str]
) -> None:
    seen: list[UserInfo] = []

    async def nobody(info: UserInfo, ctx: Context) -> UserInfoRefused:
        seen.append(info)
        return refused

    here = place(options={"user": UserOptions(validate_user_info=nobody)})
    browser = here.browser
    led = location(await follow(browser, await here.ask(name="Ann", callbackURL="/home?a=b")))
    assert said_in(led) == {"a": "b", **said}
    assert (browser.cookies, await here.counts()) == ({}, [0, 0, 0, 0])
    [info] = seen
    assert (info.source.method, info.source.action) == ("magic-link", "create-user")
    assert (info.user["email"], info.user["name"], info.user["email_verified"]) == (ANN, "Ann", True)


@requirement("S-106", "ARCH-provisioning")
@pytest.mark.parametrize(
    ("table", "answer", "said"),
    [
        ("user", False, {"error": "failed_to_create_user"}),
        ("session", False, {"error": "failed_to_create_session"}),
        (
            "user",
            ApiError(EMAIL_PASSWORD_DISABLED),
            {"error": "EMAIL_PASSWORD_DISABLED", "error_description": "Email and password is not enabled"},
        ),
    ],
)
async def test_where_a_hook_wants_no_row_nothing_is_left(
    table: str, answer: bool | ApiError, said: dict[str, str]
) -> None:
    @before_create(table)
    async def unwanted(ctx: Any, values: dict[str, Any]) -> bool:
        if isinstance(answer, ApiError):
            raise answer
        return answer

    here = place(options={"database_hooks": [unwanted]})
    browser = here.browser
    assert said_in(location(await follow(browser, await here.ask()))) == said
    assert (browser.cookies, await here.counts()) == ({}, [0, 0, 0, 0])


@requirement("S-106", "ARCH-provisioning")
@pytest.mark.parametrize("is_asked", [False, True])
async def test_a_column_that_no_link_can_fill_makes_no_user(is_asked: bool, caplog: pytest.LogCaptureFixture) -> None:
    async def approve(info: UserInfo, ctx: Context) -> None:
        return None

    fields = {"user": {"plan": Annotated[str, Column(input=True)]}}
    here = place(
        options={"additional_fields": fields, "user": UserOptions(validate_user_info=approve if is_asked else None)}
    )
    browser = here.browser
    assert said_in(location(await follow(browser, await here.ask()))) == {"error": "failed_to_create_user"}
    assert (browser.cookies, await here.counts()) == ({}, [0, 0, 0, 0])
    assert "give plan a default" in caplog.text


@requirement("S-106", "ARCH-provisioning")
async def test_a_hook_fills_what_no_link_can() -> None:
    @before_create("user")
    async def planned(ctx: Any, values: dict[str, Any]) -> dict[str, Any]:
        return {**values, "plan": "free"}

    fields = {"user": {"plan": Annotated[str, Column(input=True)]}}
    here = place(options={"additional_fields": fields, "database_hooks": [planned]})
    reply = content(await here.verify(here.browser, (await here.ask()).token))
    assert reply["user"]["plan"] == "free"


@requirement("E08", "S-106")
async def test_who_signed_up_with_the_address_of_another_loses_everything_when_its_owner_comes() -> None:
    here = place(TwoFactor[Any, Any]())
    attacker = await signed_up(here.auth)
    enabled = content(await attacker.post("/two-factor/enable", {"password": "password123"}))
    await attacker.post("/two-factor/verify-totp", {"code": totp_of(enabled).at(here.clock())})
    await here.browser.post("/request-password-reset", {"email": ANN})
    reset = here.postbox.last.token
    owner = here.browser
    reply = content(await here.verify(owner, (await here.ask()).token))
    assert (reply["user"]["emailVerified"], reply["user"]["twoFactorEnabled"]) == (True, False)
    assert content(await attacker.get("/get-session")) is None
    refused = await here.browser.post("/sign-in/email", {"email": ANN, "password": "password123"})
    assert (refused.status, content(refused)["code"]) == (401, "INVALID_EMAIL_OR_PASSWORD")
    late = await attacker.post("/reset-password", {"newPassword": "password456", "token": reset})
    assert (late.status, content(late)["code"]) == (400, "INVALID_TOKEN")
    assert await here.counts("user", "account", "session", "twoFactor") == [1, 0, 1, 0]
    assert content(await owner.get("/get-session"))["user"]["email"] == ANN


async def with_factor(here: Place) -> Any:
    """Sign somebody up whose address is proven and whose second factor is on; return their authenticator app."""
    browser = await signed_up(here.auth)
    await here.prove()
    enabled = content(await browser.post("/two-factor/enable", {"password": "password123"}))
    await browser.post("/two-factor/verify-totp", {"code": totp_of(enabled).at(here.clock())})
    here.clock.advance(30)
    return totp_of(enabled)


@requirement("M05", "S-106")
@pytest.mark.parametrize("fields", [{}, {"callbackURL": "/home?a=b"}])
async def test_a_link_is_no_way_round_the_second_factor(fields: dict[str, str]) -> None:
    here = place(TwoFactor[Any, Any]())
    totp, mail, browser = await with_factor(here), await here.ask(), here.browser
    before = await here.counts("session")
    response = await here.verify(browser, mail.token, **fields)
    if fields:
        led = location(response)
        assert led == f"{ORIGIN}/home?a=b&twoFactorRedirect=true&twoFactorMethods=totp"
    else:
        assert content(response) == {"twoFactorRedirect": True, "twoFactorMethods": ["totp"]}
    assert not any("session_token=" in line and "Max-Age=0" not in line for line in set_cookies(response))
    assert await here.counts("session") == before
    assert content(await browser.get("/get-session")) is None
    assert location(await here.verify(here.browser, mail.token)) == INVALID
    verified = await browser.post("/two-factor/verify-totp", {"code": totp.at(here.clock())})
    assert content(verified)["user"]["email"] == ANN
    assert content(await browser.get("/get-session"))["user"]["email"] == ANN


@requirement("S-131", "S-106")
async def test_a_browser_that_is_not_to_remember_does_not_remember_this_session_either() -> None:
    here = place()
    browser = await signed_up(here.auth, "bob@example.com", rememberMe=False)
    response = await here.verify(browser, (await here.ask()).token)
    [line] = [each for each in set_cookies(response) if "session_token=" in each]
    assert "Max-Age" not in line
    ends = (await here.auth.sessions.find_many(here.auth.context(None)))[-1].expires_at
    assert (ends - here.auth.context(None).now()).total_seconds() == 24 * 3600


@requirement("E12")
async def test_no_other_secret_opens_the_door_of_links_and_a_link_opens_no_other() -> None:
    here = place(TwoFactor[Any, Any]())
    await with_factor(here)
    challenged = here.browser
    await challenged.post("/sign-in/email", {"email": ANN, "password": "password123"})
    for path in ("/request-password-reset", "/send-verification-email"):
        await here.browser.post(path, {"email": ANN})
    ctx = here.auth.context(None)
    others = [row.identifier for row in await here.auth.verifications.find_many(ctx)]
    others += [mail.token for _, mail in here.postbox.mails]
    others += [session.token for session in await here.auth.sessions.find_many(ctx)]
    others += [
        text for each in others for text in (each.partition("-")[2], each.partition(":")[2], f"magic-link:{each}")
    ]
    rows = await here.counts()
    for each in others:
        browser = here.browser
        assert location(await here.verify(browser, each)) == INVALID, each
        assert browser.cookies == {}
    assert await here.counts() == rows
    mail = await here.ask()
    for form in (mail.token, f"magic-link:{mail.token}"):
        stranger = here.browser
        reset = await stranger.post("/reset-password", {"newPassword": "password456", "token": form})
        assert (reset.status, content(reset)["code"]) == (400, "INVALID_TOKEN")
        assert (await stranger.get("/verify-email", urlencode({"token": form}))).status == 401
        named = Browser(here.auth, ORIGIN, {"better-auth.two_factor": here.auth.signer.sign(form)})
        second = await named.post("/two-factor/verify-totp", {"code": "000000"})
        assert (second.status, content(second)["code"]) == (401, "INVALID_TWO_FACTOR_COOKIE")
    assert (await here.user()).email_verified


@requirement("S-106")
async def test_what_a_link_says_twice_is_refused_and_uses_nothing_up() -> None:
    here = place()
    token = (await here.ask()).token
    for query in (f"token=x&token={token}", f"token={token}&token=x", f"token={token}&callbackURL=/a&callbackURL=/b"):
        response = await here.browser.get("/magic-link/verify", query)
        assert (response.status, content(response)["code"]) == (400, "VALIDATION_ERROR")
        assert "expected string, received array" in content(response)["message"]
    twice = "callbackURL=https://evil.test&callbackURL=/a"
    posted = await here.browser.send("POST", "/sign-in/magic-link", {"email": ANN}, query=twice)
    assert (posted.status, content(posted)) == (400, {"message": "Invalid callbackURL: expected a string"})
    assert await here.counts() == [0, 0, 0, 1]
    assert (await here.verify(here.browser, token)).status == 200


@requirement("C03", "S-106")
async def test_a_scanner_that_opens_the_link_leaves_it_to_its_reader() -> None:
    options = {"advanced": AdvancedOptions(confirm_mailed_links=True), "trusted_origins": ["https://a.test", "app://"]}
    here = place(options=options)
    mail = await here.ask(callbackURL="https://a.test/home", newUserCallbackURL="app://new", errorCallbackURL="/oops")
    query = urlsplit(mail.url).query
    scanner = here.browser
    for _ in range(3):
        page = await scanner.get("/magic-link/verify", query)
        assert (page.status, dict(page.headers)["content-type"]) == (200, "text/html")
        assert b'<button type="submit">Sign in</button>' in page.body
        assert "form-action 'self' https://a.test app:;" in dict(page.headers)["content-security-policy"]
    assert (scanner.cookies, await here.counts()) == ({}, [0, 0, 0, 1])
    foreign = Browser(here.auth, "https://evil.test")
    assert (await foreign.send("POST", "/magic-link/verify", query=query)).status == 403
    reader = here.browser
    assert location(await reader.send("POST", "/magic-link/verify", query=query)) == "app://new"
    assert content(await reader.get("/get-session"))["user"]["email"] == ANN


@requirement("S-126", "S-106")
async def test_server_code_asks_for_links_and_follows_them() -> None:
    here = place()
    api: Any = here.auth.api.magic_link
    ctx = here.auth.context(None)
    assert (await api.sign_in(ctx, SignInMagicLink(email=ANN, name="Ann"))).status is True
    for work in ctx.reply.background:
        await work()
    verified = await api.verify(None, VerifyMagicLink(token=here.mail.token))
    assert (verified.user.name, verified.session.token) == ("Ann", verified.token)
    again = await api.verify(None, VerifyMagicLink(token=here.mail.token, callback_url="/home"))
    assert again == Redirect(f"{ORIGIN}/home?error=INVALID_TOKEN")


@requirement("ARCH-openapi", "S-105", "S-106")
def test_the_document_names_both_operations_as_upstream_does() -> None:
    named = {operation["operationId"] for _, operation in operations(document(place().auth))}
    assert {"signInWithMagicLink", "verifyMagicLink"} <= named
