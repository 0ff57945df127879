"""A session is over: every way to end it, every credential that it gave, and every place that it is kept in."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from app import ORIGIN
from portico import CookieCacheOptions, Headers, MemorySecondaryStorage, Request, SessionOptions
from portico.testing import Browser, Clock
from requirements import requirement
from threats.everything import BASE, PASSWORD, Site, Visitor, everything

pytestmark = pytest.mark.anyio

TOKEN, COPY = "better-auth.session_token", "better-auth.session_data"
MAX_AGE = 300
"""In seconds: how long a cookie copy is believed."""


@dataclass(frozen=True)
class Credentials:
    """Everything that a sign-in handed out, as somebody kept it who looked on."""

    cookies: str
    signed: str
    token: str

    def headers(self) -> dict[str, tuple[str, str]]:
        """Return each way to present them, by its name."""
        return {
            "cookie": ("cookie", f"{TOKEN}={self.signed}"),
            "all cookies": ("cookie", self.cookies),
            "bearer": ("authorization", f"Bearer {self.token}"),
            "signed bearer": ("authorization", f"Bearer {self.signed}"),
        }


async def signed_in(site: Site, visitor: Visitor) -> tuple[Browser, Credentials]:
    """Sign a visitor in once more, elsewhere."""
    browser = Browser(site.auth, ORIGIN)
    body = {"email": visitor.email, "password": PASSWORD}
    assert (await browser.post("/sign-in/email", body)).status == 200
    # One that looks on has the copy, too.
    assert (await browser.get("/get-session")).status == 200
    signed = browser.cookies[TOKEN]
    return browser, Credentials(browser.headers["cookie"], signed, signed.partition(".")[0])


async def alive(site: Site, credentials: Credentials) -> set[str]:
    """Return the credentials that open a session still: where sessions are read, and where they are needed."""
    found: set[str] = set()
    for name, header in credentials.headers().items():
        fields = Headers([header, ("origin", ORIGIN), ("content-type", "application/json")])
        shown = await site.answer(Request(method="GET", path=f"{BASE}/get-session", headers=fields))
        assert shown.status == 200
        found |= {name} if shown.body != b"null" else set()
        changed = await site.answer(
            Request(method="POST", path=f"{BASE}/update-user", headers=fields, body=b'{"name":"Still"}')
        )
        found |= {f"{name} changes"} if changed.status != 401 else set()
    return found


async def sign_out(site: Site, visitor: Visitor, browser: Browser) -> None:
    await browser.post("/sign-out")


async def revoke(site: Site, visitor: Visitor, browser: Browser) -> None:
    token = browser.cookies[TOKEN].partition(".")[0]
    await visitor.browser.post("/revoke-session", {"token": token})


async def revoke_all(site: Site, visitor: Visitor, browser: Browser) -> None:
    await visitor.browser.post("/revoke-sessions")


async def revoke_others(site: Site, visitor: Visitor, browser: Browser) -> None:
    await visitor.browser.post("/revoke-other-sessions")


async def change_password(site: Site, visitor: Visitor, browser: Browser) -> None:
    body = {"currentPassword": PASSWORD, "newPassword": "password456", "revokeOtherSessions": True}
    assert (await visitor.browser.post("/change-password", body)).status == 200


async def reset_password(site: Site, visitor: Visitor, browser: Browser) -> None:
    await visitor.browser.post("/request-password-reset", {"email": visitor.email})
    body = {"newPassword": "password456", "token": site.postbox.last.token}
    assert (await visitor.browser.post("/reset-password", body)).status == 200


async def delete_user(site: Site, visitor: Visitor, browser: Browser) -> None:
    await visitor.browser.post("/delete-user")
    assert (await visitor.browser.post("/delete-user", {"token": site.postbox.last.token})).status == 200


async def delete_by_link(site: Site, visitor: Visitor, browser: Browser) -> None:
    await visitor.browser.post("/delete-user")
    query = f"token={site.postbox.last.token}"
    assert (await visitor.browser.send("POST", "/delete-user/callback", query=query)).status == 200


async def delete_row(site: Site, visitor: Visitor, browser: Browser) -> None:
    """As server code does, and as an administrator's or a directory's door will."""
    ctx = site.auth.context(None)
    user = await site.auth.users.find_by_email(ctx, visitor.email)
    assert user is not None
    await site.auth.sessions.delete(ctx, user_id=user.id)
    await site.auth.users.delete(ctx, id=user.id)


async def wait(site: Site, visitor: Visitor, browser: Browser) -> None:
    site.clock.advance(7 * 24 * 3600 + 1)


End = Callable[[Site, Visitor, Browser], Awaitable[None]]
ENDS: list[tuple[str, End]] = [
    ("S03", sign_out),
    ("S03", revoke),
    ("S03", revoke_all),
    ("S03", revoke_others),
    ("S03", wait),
    ("S05", change_password),
    ("S05", reset_password),
    ("S04", delete_user),
    ("S04", delete_by_link),
    ("S04", delete_row),
]


PLACES = ["database", "storage", "storage and database"]


class Places:
    """A site for each place that sessions are kept in, with copies that last for a while or for no moment."""

    def __init__(self) -> None:
        self._sites: dict[tuple[str, bool], tuple[Site, MemorySecondaryStorage]] = {}

    def get(self, place: str, *, at_once: bool) -> tuple[Site, MemorySecondaryStorage]:
        if (place, at_once) not in self._sites:
            self._sites[place, at_once] = self._made(place, at_once=at_once)
        return self._sites[place, at_once]

    def _made(self, place: str, *, at_once: bool) -> tuple[Site, MemorySecondaryStorage]:
        clock = Clock()
        storage = MemorySecondaryStorage(clock)
        cache = CookieCacheOptions(enabled=True, max_age=MAX_AGE, instant_revocation=at_once)
        kept = SessionOptions(cookie_cache=cache, store_session_in_database=place == PLACES[2])
        secondary: dict[str, Any] = {} if place == "database" else {"secondary_storage": storage}
        return everything(clock=clock, session=kept, **secondary), storage


@pytest.fixture(scope="module")
def places() -> Places:
    return Places()


@pytest.mark.parametrize("end", [pytest.param(end, marks=requirement(name), id=end.__name__) for name, end in ENDS])
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("at_once", [False, True], ids=["copies last", "at once"])
async def test_a_session_that_was_ended_opens_nothing_anywhere(
    end: End, place: str, at_once: bool, places: Places
) -> None:
    site, storage = places.get(place, at_once=at_once)
    visitor = await site.first_visitor()
    browser, credentials = await signed_in(site, visitor)
    opening = set(credentials.headers())
    assert await alive(site, credentials) == opening | {f"{name} changes" for name in opening}
    await end(site, visitor, browser)
    # A copy shows for a while who somebody was, and changes nothing.
    shown = set[str]() if at_once or end is wait else {"all cookies"}
    assert await alive(site, credentials) == shown
    site.clock.advance(MAX_AGE)
    assert await alive(site, credentials) == set()
    assert credentials.token not in str(await site.remembered())
    assert not any(credentials.token in key for key in storage.list_keys())
    held = [await storage.get(key) for key in storage.list_keys()]
    assert not any(credentials.token in value for value in held if value)
