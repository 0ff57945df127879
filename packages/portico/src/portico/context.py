"""One call: on whose behalf it runs, what it reads and what it adds to the response."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, cast

from portico.cookie_cache import CachedSession
from portico.http import Background, Headers, Reply, Request, SupportsItems
from portico.messages import SessionData
from portico.models import Session, User
from portico.schema import Table
from portico.store.adapter import Adapter
from portico.wire import Encodable, constructor

if TYPE_CHECKING:
    from portico.account_cookie import AccountCookie
    from portico.auth import Auth
    from portico.base_url import Place
    from portico.configuration import Site
    from portico.cookies import Cookies
    from portico.endpoint import Endpoint, Route
    from portico.origin import Origins


_session_data = constructor(SessionData[Any, Any])


def session_data(session: Session, user: User, *, needs_refresh: bool | None = None) -> SessionData[Any, Any]:
    """Make a SessionData of trusted rows, without validating them."""
    return _session_data({"session": session, "user": user, "needs_refresh": needs_refresh})


@dataclass(frozen=True, slots=True)
class SessionCopy(Encodable):
    """A session as its cookie copy holds it: sent on as it is, and decoded when somebody looks."""

    sessions: Table[Any]
    users: Table[Any]
    cached: CachedSession

    def to_wire(self) -> dict[str, Any]:
        """Return both rows ready for JSON."""
        cached = self.cached
        return {"session": self.sessions.shown_of(cached.session), "user": self.users.shown_of(cached.user)}

    def to_json(self) -> bytes:
        """Return both rows as JSON, which is made once for all requests that bring the same copy."""
        if self.cached.reply is None:
            self.cached.reply = super(SessionCopy, self).to_json()
        return self.cached.reply

    def opened(self) -> SessionData[Any, Any]:
        """Return the session with its dates and types."""
        session = self.sessions.from_wire(self.cached.session)
        return session_data(session, self.users.from_wire(self.cached.user))


class HasHeaders(Protocol):
    """Any framework's request object."""

    @property
    def headers(self) -> SupportsItems: ...


def _no_query() -> Mapping[str, str]:
    return {}


@dataclass(slots=True, kw_only=True, eq=False)
class Context:
    """One call: the Auth it runs on, whose credentials it carries, and what it adds to the response."""

    auth: "Auth[Any]"
    store: Adapter
    headers: Headers = field(default_factory=Headers)
    is_trusted: bool = False
    """The caller is None: our own code, without anybody's credentials."""
    request: Request | None = None
    """Set when the call came over HTTP."""
    endpoint: "Endpoint | None" = None
    route: "Route | None" = None
    """By which route the call came over HTTP; None in a server call, whatever request its caller is."""
    body: Any = None
    """The body as on the wire; a before hook reads it as a dict and replaces it."""
    query: Mapping[str, str] = field(default_factory=_no_query)
    place: "Place | None" = None
    """Where the call was sent, if the base URL depends on it; read it from `site`, `cookies` and `origins`."""
    found: SessionData[Any, Any] | SessionCopy | None = None
    """The caller's session as it was found; read it from `session`."""
    new_session: SessionData[Any, Any] | None = None
    """The session that this call started or changed."""
    reply: Reply = field(default_factory=Reply)
    committed: list[Background] | None = None
    """What waits for the end of the transaction; None outside of one."""

    @property
    def session(self) -> SessionData[Any, Any] | None:
        """The caller's session, if the endpoint's session rule asked for it."""
        if isinstance(self.found, SessionCopy):
            self.found = self.found.opened()
        return self.found

    @property
    def site(self) -> "Site":
        """Where the endpoints live, as the caller knows it."""
        return self.auth.site if self.place is None else self.place.site

    @property
    def cookies(self) -> "Cookies":
        """The cookies of that site."""
        return self.auth.cookies if self.place is None else self.place.cookies

    @property
    def account_cookie(self) -> "AccountCookie | None":
        """The account cookie of that site, if browsers hold accounts."""
        cookie = self.auth.account_cookie
        return cookie if cookie is None or self.place is None else cookie.at(self.place.cookies)

    @property
    def origins(self) -> "Origins":
        """The origins that it trusts."""
        return self.auth.origins if self.place is None else self.place.origins

    @property
    def has_object(self) -> bool:
        """Whether the body is an object, as all that endpoints read are."""
        return isinstance(self.body, dict)

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of the body as on the wire; none if it is no object."""
        return cast("dict[str, Any]", self.body) if self.has_object else {}

    def now(self) -> datetime:
        """Return the present in whole milliseconds, the precision of upstream's dates."""
        now = self.auth.clock()
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def child(self) -> "Context":
        """Return the same caller with a reply of its own, for calling another endpoint without its cookies."""
        return replace(self, reply=Reply(), found=None, new_session=None)

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator["Context", None]:
        """Run calls on the yielded context together or, after an exception, not at all; the reply forgets them, too."""
        committed: list[Background] = []
        before = self.reply.copy()
        try:
            async with self.store.transaction() as store:
                inside = replace(self, store=store, committed=committed)
                yield inside
        except BaseException:
            # A cookie must not name a session that was taken back.
            self.reply.become(before)
            raise
        self.new_session = inside.new_session

        async def go_on() -> None:
            # Hooks that run after the commit have the inner context, and may write with it.
            inside.store, inside.committed = self.store, self.committed

        await self.after_commit(go_on)
        for work in committed:
            await self.after_commit(work)

    async def after_commit(self, work: Background) -> None:
        """Run `work` when what was written is committed: now, or when the transaction ends."""
        if self.committed is None:
            await self.auth.handler.settle(work)
        else:
            self.committed.append(work)

    def set_cookie(self, name: str, value: str, max_age: int | None) -> None:
        """Send a signed cookie that lasts `max_age` seconds, or until the browser closes."""
        self.reply.headers.append(self.cookies.write(name, value, max_age))
        self.reply.cookies[name] = value

    def expire_cookie(self, name: str) -> None:
        """Make the browser forget a cookie."""
        self.drop_cookie(name)
        self.reply.headers.append(self.cookies.expire(name))

    def drop_cookie(self, name: str) -> None:
        """Take back what this reply said about a cookie so far, so that no value of it leaves with its end."""
        self.reply.cookies.pop(name, None)
        start = self.cookies.name_of(name)
        self.reply.headers = [
            header
            for header in self.reply.headers
            if header[0] != "set-cookie" or not header[1].startswith((f"{start}=", f"{start}."))
        ]


Caller = Context | HasHeaders | Mapping[str, str] | None
"""On whose behalf a server-side call runs; None is our own code, without anybody's credentials."""
