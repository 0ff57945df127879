"""People who sign up and look at their session while something breaks, and a ledger of what they were told."""

from time import monotonic
from typing import Any

import anyio

from app import ORIGIN, content
from portico import Auth, Response
from portico.testing import Browser

BUSY = {"message": "The service is busy. Please try again.", "code": "SERVICE_UNAVAILABLE"}
PAUSE = 0.02
"""Seconds after which somebody who was told to come later does."""
EVERYBODY = 100_000


class Ledger:
    """Who was acknowledged, who only tried, and when each of those who try was last served."""

    def __init__(self, auth: Auth[Any]) -> None:
        self._auth = auth
        self._over = anyio.Event()
        self._news = anyio.Event()
        self.attempted: set[str] = set()
        self.acknowledged: set[str] = set()
        self.refusals = 0
        self.served: dict[int, float] = {}
        """Times of the last success, by the number of the person."""

    async def keep(self, number: int) -> None:
        """Sign up under one new address after the other, each with a look at its session, until `end`."""
        attempt = 0
        while not self._over.is_set():
            attempt += 1
            email = f"{number}-{attempt}@example.com"
            browser = Browser(self._auth, ORIGIN)
            self.attempted.add(email)
            body = {"name": "Ann", "email": email, "password": "password123"}
            if await self._was_served(await browser.post("/sign-up/email", body)):
                self.acknowledged.add(email)
                await self._look(browser, email)
                self.served[number] = monotonic()
                self._tell()

    async def _look(self, browser: Browser, email: str) -> None:
        response = await browser.get("/get-session")
        while not await self._was_served(response):
            response = await browser.get("/get-session")
        # Nobody is told that a session is over because the database is.
        assert content(response)["user"]["email"] == email

    async def _was_served(self, response: Response) -> bool:
        if response.status == 200:
            return True
        assert (response.status, content(response)) == (503, BUSY)
        assert dict(response.headers)["content-type"] == "application/json"
        self.refusals += 1
        self._tell()
        with anyio.move_on_after(PAUSE):
            await self._over.wait()
        return False

    async def all_served(self, people: int, since: float) -> float:
        """Wait until so many people were served after `since`, and return how many seconds later that was."""
        while len(times := [each for each in self.served.values() if each > since]) < people:
            await self._news.wait()
        return max(times) - since

    async def refuses(self, count: int) -> None:
        """Wait until so many more requests were refused."""
        wanted = self.refusals + count
        while self.refusals < wanted:
            await self._news.wait()

    def _tell(self) -> None:
        self._news.set()
        self._news = anyio.Event()

    def end(self) -> None:
        self._over.set()

    async def check(self, people: int) -> None:
        """Hold the database against the ledger: all that was acknowledged is there, whole, and nothing else.

        One sign-up of each of `people` at a time may have been committed although nobody could be told any more.
        """
        ctx = self._auth.context(None)
        users = {user.email: user.id for user in await self._auth.users.find_many(ctx, limit=EVERYBODY)}
        assert self.acknowledged <= users.keys() <= self.attempted
        assert len(users.keys() - self.acknowledged) <= people
        for name in ("account", "session"):
            rows = await self._auth.store.find_many(self._auth.tables[name], limit=EVERYBODY)
            assert sorted(row["user_id"] for row in rows) == sorted(users.values()), name
        for email in sorted(self.acknowledged)[:10]:
            response = await Browser(self._auth, ORIGIN).post(
                "/sign-in/email", {"email": email, "password": "password123"}
            )
            assert (response.status, content(response)["user"]["id"]) == (200, users[email])
