"""What needs a session asks the store: a session that only its cookie copy remembers opens and changes nothing."""

from typing import Any

import pytest

from app import ORIGIN, content, make, signed_up
from portico import Auth, CookieCacheOptions, MemorySecondaryStorage, SessionOptions
from portico.testing import Browser, Clock
from postbox import Postbox
from requirements import requirement

pytestmark = [pytest.mark.anyio, requirement("B-38", "S-165")]

PASSWORD = "password123"
CODE = {"code": "123456"}
SENSITIVE: dict[tuple[str, str], Any] = {
    ("POST", "/update-user"): {"name": "New"},
    ("PUT", "/update-user"): {"name": "New"},
    ("PATCH", "/update-user"): {"name": "New"},
    ("POST", "/update-session"): {"theme": "dark"},
    ("PUT", "/update-session"): {"theme": "dark"},
    ("PATCH", "/update-session"): {"theme": "dark"},
    ("POST", "/change-email"): {"newEmail": "bob@example.com"},
    ("PUT", "/change-email"): {"newEmail": "bob@example.com"},
    ("PATCH", "/change-email"): {"newEmail": "bob@example.com"},
    ("POST", "/change-password"): {"currentPassword": PASSWORD, "newPassword": "password456"},
    ("PUT", "/change-password"): {"currentPassword": PASSWORD, "newPassword": "password456"},
    ("PATCH", "/change-password"): {"currentPassword": PASSWORD, "newPassword": "password456"},
    ("POST", "/set-password"): {"newPassword": "password456"},
    ("POST", "/verify-password"): {"password": PASSWORD},
    ("POST", "/delete-user"): {"password": PASSWORD},
    ("GET", "/list-sessions"): None,
    ("POST", "/revoke-session"): {"token": "t"},
    ("POST", "/revoke-sessions"): {},
    ("POST", "/revoke-other-sessions"): {},
    ("GET", "/list-accounts"): None,
    ("POST", "/unlink-account"): {"providerId": "credential"},
    ("POST", "/two-factor/enable"): {"password": PASSWORD},
    ("POST", "/two-factor/disable"): {"password": PASSWORD},
    ("POST", "/two-factor/get-totp-uri"): {"password": PASSWORD},
    ("GET", "/two-factor/get-totp-uri"): None,
    ("POST", "/two-factor/generate-backup-codes"): {"password": PASSWORD},
    ("GET", "/two-factor/view-backup-codes"): None,
}


class Setting:
    """A server with the cookie cache on, and a browser whose session was ended behind its back."""

    def __init__(self, *, is_secondary: bool = False) -> None:
        self.clock, self.postbox = Clock(), Postbox()
        cache = CookieCacheOptions(enabled=True)
        storage: dict[str, Any] = {"secondary_storage": MemorySecondaryStorage(self.clock)} if is_secondary else {}
        self.auth: Auth[Any] = make(
            self.clock, **self.postbox.options(), **storage, session=SessionOptions(cookie_cache=cache)
        )

    async def revoked(self) -> Browser:
        browser = await signed_up(self.auth)
        other = Browser(self.auth, ORIGIN)
        body = {"email": "ann@example.com", "password": PASSWORD}
        assert (await other.post("/sign-in/email", body)).status == 200
        assert (await other.post("/revoke-other-sessions")).status == 200
        # The copy is believed still where nothing is at stake.
        assert content(await browser.get("/get-session"))["user"]["name"] == "Ann"
        self.postbox.mails.clear()
        return browser

    async def rows(self) -> dict[str, Any]:
        return {name: await self.auth.store.find_many(table) for name, table in self.auth.tables.items()}


async def sent(browser: Browser, method: str, path: str, body: Any) -> Any:
    return await (browser.get(path) if method == "GET" else browser.send(method, path, body))


@requirement("S03", "S04", "S05", "S08")
@pytest.mark.parametrize("is_secondary", [False, True], ids=["database", "secondary"])
@pytest.mark.parametrize(("method", "path"), SENSITIVE, ids=" ".join)
async def test_a_revoked_session_is_refused_and_changes_nothing(method: str, path: str, is_secondary: bool) -> None:
    here = Setting(is_secondary=is_secondary)
    browser = await here.revoked()
    before = await here.rows()
    assert "better-auth.session_data" in browser.cookies
    refused = await sent(browser, method, path, SENSITIVE[method, path])
    assert (refused.status, content(refused)) == (401, {"message": "Unauthorized", "code": "UNAUTHORIZED"})
    assert await here.rows() == before
    assert here.postbox.mails == []
    assert browser.cookies == {}


@requirement("S04")
async def test_a_link_that_deletes_needs_a_live_session() -> None:
    here = Setting()
    browser = await here.revoked()
    before = await here.rows()
    refused = await browser.get("/delete-user/callback", "token=x")
    assert (refused.status, content(refused)["code"]) == (404, "FAILED_TO_GET_USER_INFO")
    assert await here.rows() == before


def test_every_endpoint_that_needs_a_session_is_in_the_table() -> None:
    required = [
        (route, rules)
        for compiled in make().handler.compiled.values()
        for route, rules in compiled.needs.items()
        if route is not None and rules.required
    ]
    assert {(route.method, route.path) for route, _ in required} == set(SENSITIVE)
    assert all(rules.authoritative for _, rules in required)
