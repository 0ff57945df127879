from typing import Any

import anyio
import pytest

from app import ORIGIN, content, make, plain, set_cookies, signed_up
from portico import AccountLinking, AccountOptions, ApiError, Auth
from portico.endpoints.account import LinkedAccount, UnlinkAccount
from portico.models import Account
from portico.testing import Browser, Clock
from requirements import requirement

pytestmark = pytest.mark.anyio

DAY = 24 * 3600
LAST = (400, {"message": "You can't unlink your last account", "code": "FAILED_TO_UNLINK_LAST_ACCOUNT"})
UNKNOWN = (400, {"message": "Account not found", "code": "ACCOUNT_NOT_FOUND"})


async def linked(auth: Auth[Any], browser: Browser, provider: str, account: str, **values: Any) -> Account:
    """Add an account of a provider to the browser's user."""
    found = await auth.api.get_session(browser.headers)
    return await auth.accounts.create(
        auth.context(None), user_id=found.user.id, provider_id=provider, account_id=account, **values
    )


async def remaining(auth: Auth[Any]) -> list[tuple[str, str]]:
    accounts = await auth.accounts.find_many(auth.context(None))
    return sorted((each.provider_id, each.account_id) for each in accounts if each.provider_id != "credential") + [
        ("credential", "") for each in accounts if each.provider_id == "credential"
    ]


@requirement("S-018")
async def test_accounts_are_listed_without_their_secrets() -> None:
    clock = Clock()
    auth = make(clock)
    browser = await signed_up(auth)
    await signed_up(auth, "bob@example.com")
    clock.advance(1)
    secrets = dict.fromkeys(("access_token", "refresh_token", "id_token", "password"), "secret")
    github = await linked(auth, browser, "github", "42", scope="read:user, user:email,", **secrets)
    response = await browser.get("/list-accounts")
    first, second = content(response)
    assert b"secret" not in response.body
    assert list(first) == ["accountId", "providerId", "userId", "createdAt", "updatedAt", "id", "scopes"]
    assert (first["providerId"], first["accountId"], first["scopes"]) == ("credential", first["userId"], [])
    assert second == {
        "accountId": "42",
        "providerId": "github",
        "userId": first["userId"],
        "createdAt": "2030-01-02T03:04:06.678Z",
        "updatedAt": "2030-01-02T03:04:06.678Z",
        "id": github.id,
        "scopes": ["read:user", "user:email"],
    }
    [_, listed] = await auth.api.list_accounts(browser.headers)
    assert isinstance(listed, LinkedAccount)
    assert (listed.id, listed.scopes) == (github.id, ["read:user", "user:email"])


@requirement("S-018")
async def test_nobody_lists_or_unlinks_accounts_without_a_session() -> None:
    auth = make()
    await linked(auth, await signed_up(auth), "github", "42")
    nobody = Browser(auth, ORIGIN)
    for response in (
        await nobody.get("/list-accounts"),
        await nobody.post("/unlink-account", {"providerId": "github"}),
    ):
        assert (response.status, content(response)) == (401, {"message": "Unauthorized", "code": "UNAUTHORIZED"})
    for call in (auth.api.list_accounts(None), auth.api.unlink_account(None, UnlinkAccount(provider_id="github"))):
        with pytest.raises(ApiError, match="Unauthorized"):
            await call
    assert await remaining(auth) == [("github", "42"), ("credential", "")]


@requirement("S-021")
async def test_an_account_is_unlinked_by_the_id_of_its_row() -> None:
    auth = make()
    browser = await signed_up(auth)
    github = await linked(auth, browser, "github", "42")
    response = await browser.post("/unlink-account", {"accountId": github.id})
    assert (response.status, content(response), set_cookies(response)) == (200, {"status": True}, [])
    assert await remaining(auth) == [("credential", "")]


@requirement("S-021")
async def test_an_account_is_unlinked_by_its_provider_and_its_id_there() -> None:
    auth = make()
    browser = await signed_up(auth)
    for account in ("42", "43"):
        await linked(auth, browser, "github", account)
    row = await linked(auth, browser, "google", "42")
    for body in (
        {"providerId": "github"},
        {"providerId": "github", "accountId": "44"},
        {"providerId": "google", "accountId": row.id},
        {"providerId": "gitlab"},
        {"accountId": "42"},
    ):
        refused = await browser.post("/unlink-account", body)
        assert (refused.status, content(refused)) == UNKNOWN, body
    assert len(await remaining(auth)) == 4
    assert content(await browser.post("/unlink-account", {"providerId": "github", "accountId": "43"})) == {
        "status": True
    }
    assert content(await browser.post("/unlink-account", {"providerId": "github"})) == {"status": True}
    assert await remaining(auth) == [("google", "42"), ("credential", "")]


@requirement("S-021")
async def test_the_account_with_the_password_can_go_while_another_is_left() -> None:
    auth = make()
    browser = await signed_up(auth)
    await linked(auth, browser, "github", "42")
    assert content(await browser.post("/unlink-account", {"providerId": "credential"})) == {"status": True}
    again = await browser.post("/sign-in/email", {"email": "ann@example.com", "password": "password123"})
    assert (again.status, await remaining(auth)) == (401, [("github", "42")])


@requirement("S-021")
async def test_the_last_account_stays() -> None:
    auth = make()
    browser = await signed_up(auth)
    for body in ({"providerId": "credential"}, {"accountId": "nobody's"}):
        refused = await browser.post("/unlink-account", body)
        assert (refused.status, content(refused)) == LAST
    assert await remaining(auth) == [("credential", "")]


@requirement("S-021")
async def test_the_last_account_goes_where_that_is_allowed() -> None:
    auth = make(account=AccountOptions(account_linking=AccountLinking(allow_unlinking_all=True)))
    browser = await signed_up(auth)
    assert content(await browser.post("/unlink-account", {"providerId": "credential"})) == {"status": True}
    assert await remaining(auth) == []
    none_left = await browser.post("/unlink-account", {"providerId": "credential"})
    assert (none_left.status, content(none_left)) == UNKNOWN


@requirement("S-021", "S09")
async def test_another_users_account_is_not_found() -> None:
    auth = make()
    ann, bob = await signed_up(auth), await signed_up(auth, "bob@example.com")
    await linked(auth, ann, "google", "7")
    github = await linked(auth, bob, "github", "42")
    for body in ({"accountId": github.id}, {"providerId": "github", "accountId": "42"}):
        refused = await ann.post("/unlink-account", body)
        assert (refused.status, content(refused)) == UNKNOWN
    assert len(await remaining(auth)) == 4


@requirement("S-021", "B-36", "S08")
async def test_unlinking_needs_a_recent_sign_in() -> None:
    clock = Clock()
    auth = make(clock)
    browser = await signed_up(auth)
    await linked(auth, browser, "github", "42")
    clock.advance(DAY)
    refused = await browser.post("/unlink-account", {"providerId": "github"})
    assert (refused.status, content(refused)) == (403, {"message": "Session is not fresh", "code": "SESSION_NOT_FRESH"})
    assert len(await remaining(auth)) == 2


@requirement("S-021", "B-07")
@pytest.mark.parametrize(
    ("body", "issue"),
    [
        ({}, "[body.accountId] Invalid input: expected string, received undefined"),
        ({"providerId": None}, "[body.accountId] Invalid input: expected string, received undefined"),
        ({"accountId": None}, "[body.accountId] Invalid input: expected string, received null"),
        ({"accountId": 5}, "[body.accountId] Invalid input: expected string, received number"),
        ({"providerId": 5}, "[body.providerId] Invalid input: expected string, received number"),
        ([], "[body] Invalid input: expected object, received array"),
    ],
)
async def test_which_account_must_be_said(body: Any, issue: str) -> None:
    auth = make()
    browser = await signed_up(auth)
    await linked(auth, browser, "github", "42")
    refused = await browser.post("/unlink-account", body)
    assert (refused.status, content(refused)) == (400, {"message": issue, "code": "VALIDATION_ERROR"})
    assert len(await remaining(auth)) == 2


@requirement("S-021")
@pytest.mark.parametrize("database", ["memory", "sqlite"])
async def test_of_accounts_unlinked_at_once_one_is_left(database: str, tmp_path: Any) -> None:
    options = {} if database == "memory" else {"database": f"sqlite:///{tmp_path}/auth.db"}
    auth = plain(**options)
    await auth.create_schema()
    browser = await signed_up(auth)
    for number in range(9):
        await linked(auth, browser, f"provider-{number}", "42")
    statuses: list[int] = []

    async def unlink(provider: str) -> None:
        statuses.append((await browser.post("/unlink-account", {"providerId": provider})).status)

    with anyio.fail_after(30):
        async with anyio.create_task_group() as group:
            for provider in ("credential", *(f"provider-{number}" for number in range(9))):
                group.start_soon(unlink, provider)
    left = await remaining(auth)
    assert left
    assert statuses.count(200) == 10 - len(left)
    await auth.close()
