import logging
from datetime import timedelta
from typing import Any

import anyio
import pytest

from app import content, make, plain, set_cookies, signed_up
from endpoints.test_account import linked
from oauth_server import OAuthServer, oauth_server
from portico import (
    AccountOptions,
    ApiError,
    Auth,
    GenericOAuth,
    OAuthError,
    OAuthProvider,
    OAuthTokens,
    ProviderUser,
    Response,
)
from portico.crypto.symmetric import is_sealed
from portico.endpoints.account_tokens import AccessToken, AccountSelection, RefreshedTokens
from portico.models import Account
from portico.testing import Browser, Clock
from requirements import requirement

pytestmark = [pytest.mark.anyio, requirement("S-024")]

GET, REFRESH, INFO = "/get-access-token", "/refresh-token", "/account-info"
INVALID = (400, {"message": "[body] Invalid input", "code": "VALIDATION_ERROR"})
UNKNOWN = (400, {"message": "Account not found", "code": "ACCOUNT_NOT_FOUND"})
ENCRYPTED = AccountOptions(encrypt_oauth_tokens=True)


def answer(response: Response) -> tuple[int, Any]:
    return response.status, content(response) if response.body else None


def providers(server: OAuthServer) -> list[OAuthProvider]:
    urls: dict[str, Any] = {"token_url": f"{server.url}/token", "user_info_url": f"{server.url}/userinfo"}
    return [GenericOAuth(id="acme", client_id="client", client_secret="secret", **urls)]


class Fixed:
    """A provider that gives no new tokens."""

    id = "fixed"

    async def user_info(self, tokens: OAuthTokens) -> ProviderUser | None:
        if tokens.access_token == "unreadable":
            raise OAuthError("no profile")
        return ProviderUser(email=None, data={"seen": tokens.access_token})


async def with_account(auth: Auth[Any], browser: Browser, lasts: float | None = 3600, **values: Any) -> Account:
    """Add an account of the provider whose tokens are as they would be stored."""
    tokens = {"access_token": "access", "refresh_token": "refresh", "id_token": "id"}
    ends = None if lasts is None else auth.context(None).now() + timedelta(seconds=lasts)
    sealed = {
        name: value and auth.stored_tokens.seal(value) for name, value in {**tokens, **values}.items() if name in tokens
    }
    rest = {name: value for name, value in values.items() if name not in tokens and name != "provider"}
    given = {"scope": "openid,email", "access_token_expires_at": ends, **sealed, **rest}
    return await linked(auth, browser, values.get("provider", "acme"), "42", **given)


@pytest.mark.parametrize("options", [AccountOptions(), ENCRYPTED])
async def test_a_token_that_lasts_is_handed_out_as_it_is(options: AccountOptions) -> None:
    with oauth_server() as server:
        auth = make(Clock(), social_providers=providers(server), account=options)
        browser = await signed_up(auth)
        account = await with_account(auth, browser, lasts=5)
        expected = {
            "accessToken": "access",
            "accessTokenExpiresAt": "2030-01-02T03:04:10.678Z",
            "scopes": ["openid", "email"],
            "idToken": "id",
        }
        response = await browser.post(GET, {"accountId": account.id})
        assert answer(response) == (200, expected)
        assert list(content(response)) == ["accessToken", "accessTokenExpiresAt", "scopes", "idToken"]
        by_alias = await browser.get(GET, f"accountId={account.id}")
        assert (answer(by_alias), ("cache-control", "no-store") in by_alias.headers) == ((200, expected), True)
        assert answer(await browser.post(GET, {"providerId": "acme"})) == (200, expected)
        assert answer(await browser.post(GET, {"providerId": "acme", "accountId": "42"})) == (200, expected)
        assert answer(await browser.post(GET, {"providerId": "acme", "accountId": "43"})) == UNKNOWN
    assert server.forms == []


@pytest.mark.parametrize("options", [AccountOptions(), ENCRYPTED])
async def test_a_token_that_ends_within_five_seconds_is_refreshed(options: AccountOptions) -> None:
    with oauth_server() as server:
        auth = make(Clock(), social_providers=providers(server), account=options)
        browser = await signed_up(auth)
        account = await with_account(auth, browser, lasts=4.999)
        response = await browser.post(GET, {"accountId": account.id})
        assert answer(response) == (
            200,
            {
                "accessToken": "access for refresh",
                "accessTokenExpiresAt": "2030-01-02T04:04:05.678Z",
                "scopes": ["openid", "email"],
                "idToken": "id for refresh",
            },
        )
        again = await browser.post(GET, {"accountId": account.id})
        assert content(again) == content(response)
    assert [form["refresh_token"] for form in server.forms] == ["refresh"]
    stored = await auth.accounts.find(auth.context(None), id=account.id)
    assert stored is not None
    held = auth.stored_tokens.open(stored)
    assert (held.access_token, held.refresh_token, held.id_token) == (
        "access for refresh",
        "refresh+",
        "id for refresh",
    )
    # Granted scopes never shrink, though the answer names fewer.
    assert stored.scope == "openid,email"
    kept = [stored.access_token, stored.refresh_token, stored.id_token]
    assert [is_sealed(token or "") for token in kept] == [options is ENCRYPTED] * 3
    # What a refresh takes turns by is gone.
    assert await auth.store.count(auth.tables["verification"]) == 0


async def test_what_a_provider_does_not_say_stays_as_it_was() -> None:
    with oauth_server() as server:
        auth = make(Clock(), social_providers=providers(server))
        browser = await signed_up(auth)
        account = await with_account(auth, browser, refresh_token="lasting endless", scope=None)
        response = await browser.post(REFRESH, {"accountId": account.id})
        assert answer(response) == (
            200,
            {
                "accessToken": "access for lasting endless",
                "refreshToken": "lasting endless",
                "refreshTokenExpiresAt": None,
                "scope": None,
                "idToken": "id",
                "providerId": "acme",
                "accountId": account.id,
            },
        )


async def test_refreshing_answers_with_everything_and_stores_it() -> None:
    with oauth_server() as server:
        auth = make(Clock(), social_providers=providers(server), account=ENCRYPTED)
        browser = await signed_up(auth)
        account = await with_account(auth, browser)
        first = await browser.post(REFRESH, {"accountId": account.id})
        second = await browser.post(REFRESH, {"accountId": account.id})
    assert answer(first) == (
        200,
        {
            "accessToken": "access for refresh",
            "refreshToken": "refresh+",
            "accessTokenExpiresAt": "2030-01-02T04:04:05.678Z",
            "refreshTokenExpiresAt": "2030-01-03T03:04:05.678Z",
            "scope": "openid,email",
            "idToken": "id for refresh",
            "providerId": "acme",
            "accountId": account.id,
        },
    )
    assert list(content(first))[:3] == ["accessToken", "refreshToken", "accessTokenExpiresAt"]
    assert content(second)["refreshToken"] == "refresh++"


@pytest.mark.parametrize("token", ["refused", "page", "nothing", "moved"])
async def test_a_provider_that_refuses_changes_nothing_and_tells_the_log_no_token(
    token: str, caplog: pytest.LogCaptureFixture
) -> None:
    with oauth_server() as server:
        auth = make(Clock(), social_providers=providers(server))
        browser = await signed_up(auth)
        account = await with_account(auth, browser, lasts=0, refresh_token=f"{token} 7d1f")
        with caplog.at_level(logging.DEBUG):
            refreshed = await browser.post(REFRESH, {"accountId": account.id})
            got = await browser.post(GET, {"accountId": account.id})
    assert answer(refreshed) == (
        400,
        {"message": "Failed to refresh access token", "code": "FAILED_TO_REFRESH_ACCESS_TOKEN"},
    )
    assert answer(got) == (
        400,
        {"message": "Failed to get a valid access token", "code": "FAILED_TO_GET_ACCESS_TOKEN"},
    )
    assert "7d1f" not in caplog.text
    assert await auth.accounts.find(auth.context(None), id=account.id) == account
    assert await auth.store.count(auth.tables["verification"]) == 0


async def test_what_cannot_be_refreshed_is_told_apart() -> None:
    with oauth_server() as server:
        auth = make(Clock(), social_providers=[*providers(server), Fixed()])
        browser = await signed_up(auth)
        fixed = await with_account(auth, browser, lasts=0, provider="fixed", id_token=None)
        gone = await with_account(auth, browser, provider="gone")
        without = await with_account(auth, browser, lasts=0, refresh_token=None, access_token=None)
        answers = {
            path: [answer(await browser.post(path, {"accountId": each.id})) for each in (fixed, gone, without)]
            for path in (GET, REFRESH)
        }
    ended = "2030-01-02T03:04:05.678Z"
    scopes = ["openid", "email"]
    missing = (400, {"message": "Provider gone is not supported.", "code": "PROVIDER_NOT_SUPPORTED"})
    assert answers[GET] == [
        (200, {"accessToken": "access", "accessTokenExpiresAt": ended, "scopes": scopes}),
        missing,
        (200, {"accessToken": "", "accessTokenExpiresAt": ended, "scopes": scopes, "idToken": "id"}),
    ]
    unsupported = "Provider fixed does not support token refreshing."
    assert answers[REFRESH] == [
        (400, {"message": unsupported, "code": "TOKEN_REFRESH_NOT_SUPPORTED"}),
        missing,
        (400, {"message": "Refresh token not found", "code": "REFRESH_TOKEN_NOT_FOUND"}),
    ]


async def test_the_provider_tells_who_the_user_is() -> None:
    with oauth_server() as server:
        auth = make(Clock(), social_providers=[*providers(server), Fixed()], account=ENCRYPTED)
        browser = await signed_up(auth)
        account = await with_account(auth, browser, lasts=0)
        response = await browser.get(INFO, f"accountId={account.id}")
        assert answer(response) == (
            200,
            {
                "user": {
                    "email": "ann@provider.test",
                    "emailVerified": True,
                    "image": "https://provider.test/ann.png",
                    "name": "Ann at the provider",
                },
                "data": {
                    "sub": "42",
                    "name": "Ann at the provider",
                    "email": "ann@provider.test",
                    "email_verified": True,
                    "picture": "https://provider.test/ann.png",
                    "groups": ["staff"],
                    "emailVerified": True,
                    "image": "https://provider.test/ann.png",
                },
                "account": {"id": account.id, "providerId": "acme", "accountId": "42"},
            },
        )
        assert server.bearers == ["access for refresh"]
        fixed = await with_account(auth, browser, provider="fixed")
        assert content(await browser.get(INFO, f"accountId={fixed.id}")) == {
            "user": {"emailVerified": False},
            "data": {"seen": "access"},
            "account": {"id": fixed.id, "providerId": "fixed", "accountId": "42"},
        }


async def test_a_profile_that_is_not_to_be_had_is_refused() -> None:
    with oauth_server() as server:
        auth = make(Clock(), social_providers=[*providers(server), Fixed()])
        browser = await signed_up(auth)
        given: tuple[dict[str, Any], ...] = (
            {"provider": "gone"},
            {"access_token": None},
            {"access_token": "revoked"},
            {"provider": "fixed", "access_token": "unreadable"},
        )
        accounts = [await with_account(auth, browser, **each) for each in given]
        answers = [answer(await browser.get(INFO, f"accountId={each.id}")) for each in accounts]
    unconfigured = "Account is not associated with a configured social provider."
    no_info = (401, {"message": "Failed to get user info", "code": "FAILED_TO_GET_USER_INFO"})
    assert answers == [
        (400, {"message": unconfigured, "code": "PROVIDER_NOT_CONFIGURED"}),
        (400, {"message": "Access token not found", "code": "ACCESS_TOKEN_NOT_FOUND"}),
        no_info,
        no_info,
    ]


@requirement("S-185")
async def test_tokens_that_no_secret_opens_are_not_handed_out() -> None:
    with oauth_server() as server:
        clock = Clock()
        auth = make(clock, social_providers=providers(server), account=ENCRYPTED)
        browser = await signed_up(auth)
        account = await with_account(auth, browser)
        await auth.accounts.update(auth.context(None), {"id": account.id}, access_token="ab" * 60)
        refused = answer(await browser.post(GET, {"accountId": account.id}))
        assert refused[1]["code"] == "FAILED_TO_GET_ACCESS_TOKEN"
        await auth.accounts.update(auth.context(None), {"id": account.id}, access_token="stored in the clear")
        assert content(await browser.post(GET, {"accountId": account.id}))["accessToken"] == "stored in the clear"


@requirement("B-09")
async def test_who_is_not_signed_in_gets_an_empty_refusal() -> None:
    auth = make()
    browser = await signed_up(auth)
    await auth.sessions.delete(auth.context(None), user_id=content(await browser.get("/get-session"))["user"]["id"])
    for response in (
        await browser.post(GET, {"accountId": "x", "userId": "y"}),
        await browser.post(REFRESH, {"useAccountCookie": True}),
        await browser.get(INFO, "accountId=x"),
    ):
        assert (response.status, response.body) == (401, b"")


@requirement("B-38")
async def test_a_session_that_was_ended_gets_no_tokens_from_its_cookie_copy() -> None:
    from portico import CookieCacheOptions, SessionOptions  # noqa: PLC0415  # nothing else here needs them

    with oauth_server() as server:
        cached = SessionOptions(cookie_cache=CookieCacheOptions(enabled=True))
        auth = make(Clock(), social_providers=providers(server), session=cached)
        browser = await signed_up(auth)
        account = await with_account(auth, browser)
        await auth.sessions.delete(auth.context(None), user_id=account.user_id)
        assert answer(await browser.post(GET, {"accountId": account.id})) == (401, None)


async def test_the_account_of_another_user_is_nobodys() -> None:
    with oauth_server() as server:
        auth = make(Clock(), social_providers=providers(server))
        ann, bob = await signed_up(auth), await signed_up(auth, "bob@example.com")
        account = await with_account(auth, ann)
        for body in (
            {"accountId": account.id},
            {"accountId": account.id, "userId": account.user_id},
            {"accountId": "42"},
        ):
            for path in (GET, REFRESH):
                assert answer(await bob.post(path, body)) == UNKNOWN
        assert answer(await bob.get(INFO, f"accountId={account.id}&userId={account.user_id}")) == UNKNOWN
    assert (server.forms, server.bearers) == ([], [])


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"accountId": 1},
        {"accountId": None},
        {"accountId": "x", "userId": 1},
        {"accountId": "x", "useAccountCookie": True},
        {"useAccountCookie": False},
        {"useAccountCookie": "true"},
        {"userId": "x"},
    ],
)
async def test_a_body_of_another_shape_is_refused_as_a_whole(body: Any) -> None:
    auth = make()
    browser = await signed_up(auth)
    for path in (GET, REFRESH):
        assert answer(await browser.post(path, body)) == INVALID


async def test_what_else_is_sent_is_named() -> None:
    browser = await signed_up(make())
    for more, text in (({"more": 1}, 'key: "more"'), ({"b": 1, "a": 2}, 'keys: "b", "a"')):
        for body in ({"accountId": "x"}, {"useAccountCookie": True}):
            refused = {"message": f"[body] Unrecognized {text}", "code": "VALIDATION_ERROR"}
            assert answer(await browser.post(GET, {**body, **more})) == (400, refused)
    # Names of Python are none on the wire.
    assert (await browser.post(GET, {"account_id": "x"})).status == 400
    assert answer(await browser.get(INFO, "useAccountCookie=true"))[0] == 400


async def test_server_code_names_the_user() -> None:
    with oauth_server() as server:
        auth = make(Clock(), social_providers=providers(server))
        browser = await signed_up(auth)
        account = await with_account(auth, browser, lasts=0)
        selection = AccountSelection(account_id=account.id, user_id=account.user_id)
        token = await auth.api.get_access_token(None, selection)
        assert isinstance(token, AccessToken)
        assert token.access_token == "access for refresh"
        tokens = await auth.api.refresh_token(None, selection)
        assert isinstance(tokens, RefreshedTokens)
        assert tokens.refresh_token == "refresh++"
        info = await auth.api.account_info(None, selection)
        assert info.account.id == account.id
        for caller, code in ((None, "USER_ID_OR_SESSION_REQUIRED"), ({"cookie": ""}, None)):
            with pytest.raises(ApiError) as refused:
                await auth.api.get_access_token(caller, AccountSelection(account_id=account.id))
            assert refused.value.error.code == code


async def test_of_many_refreshes_at_once_one_asks_the_provider() -> None:
    with oauth_server() as server:
        auth = make(Clock(), social_providers=providers(server))
        browser = await signed_up(auth)
        account = await with_account(auth, browser, lasts=0)
        seen: list[str] = []

        async def one(path: str) -> None:
            response = await Browser(auth, browser.origin, dict(browser.cookies)).post(path, {"accountId": account.id})
            seen.append(content(response)["accessToken"])

        with anyio.fail_after(30):
            async with anyio.create_task_group() as group:
                for path in (GET, REFRESH) * 5:
                    group.start_soon(one, path)
    assert seen == ["access for refresh"] * 10
    assert len(server.forms) == 1


async def test_who_leaves_meanwhile_takes_no_tokens_away() -> None:
    class Slow(Fixed):
        id = "slow"

        def __init__(self) -> None:
            self.is_asked, self.may_answer = anyio.Event(), anyio.Event()

        async def refresh(self, refresh_token: str) -> OAuthTokens:
            self.is_asked.set()
            await self.may_answer.wait()
            return OAuthTokens(access_token="given", refresh_token="next")

    provider = Slow()
    auth = make(Clock(), social_providers=[provider])
    browser = await signed_up(auth)
    account = await with_account(auth, browser, provider="slow")
    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            group.start_soon(browser.post, REFRESH, {"accountId": account.id})
            await provider.is_asked.wait()
            group.cancel_scope.cancel()
            provider.may_answer.set()
    stored = await auth.accounts.find(auth.context(None), id=account.id)
    assert stored is not None
    assert (stored.access_token, stored.refresh_token) == ("given", "next")
    assert await auth.store.count(auth.tables["verification"]) == 0


async def test_an_account_that_is_unlinked_meanwhile_gets_no_tokens() -> None:
    class Unlinking(Fixed):
        id = "unlinking"
        auth: Auth[Any]

        async def refresh(self, refresh_token: str) -> OAuthTokens:
            await self.auth.accounts.delete(self.auth.context(None), provider_id="unlinking")
            return OAuthTokens(access_token="given")

    provider = Unlinking()
    auth = provider.auth = make(Clock(), social_providers=[provider])
    browser = await signed_up(auth)
    account = await with_account(auth, browser, provider="unlinking")
    assert answer(await browser.post(REFRESH, {"accountId": account.id})) == UNKNOWN
    assert await auth.accounts.find(auth.context(None), id=account.id) is None


@requirement("B-71")
async def test_without_an_account_cookie_none_is_used() -> None:
    auth = plain()
    browser = await signed_up(auth)
    assert answer(await browser.post(GET, {"useAccountCookie": True})) == UNKNOWN
    assert set_cookies(await browser.post("/sign-out")) == [
        line for line in set_cookies(await browser.post("/sign-out")) if "account_data" not in line
    ]
