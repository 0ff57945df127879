"""A client as the generator would write it, with few operations, and both of its faces behind one."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from typing import Any, ClassVar, Literal

import httpx
from anyio import to_thread
from pydantic import BaseModel, ConfigDict, Field

from portico import Auth
from portico.hosts import asgi, wsgi
from portico_client_runtime import (
    OMIT,
    AsyncBaseClient,
    AsyncResource,
    BaseClient,
    Omit,
    Operation,
    RequestOptions,
    Resource,
)

ORIGIN = "http://localhost:3000"
PASSWORD = "password123"


class Model(BaseModel):
    model_config = ConfigDict(extra="allow", populate_by_name=True)


class User(Model):
    id: str
    name: str
    email: str


class Session(Model):
    token: str
    expires_at: datetime = Field(alias="expiresAt")


class SessionData(Model):
    session: Session
    user: User


class SignedIn(Model):
    redirect: Literal[False] = False
    token: str | None
    user: User


class TwoFactorRequired(Model):
    two_factor_redirect: Literal[True] = Field(alias="twoFactorRedirect")


class Enabled(Model):
    totp_uri: str = Field(alias="totpURI")


class Done(Model):
    success: bool


class Status(Model):
    status: bool


GET_SESSION: Operation[SessionData | None] = Operation(
    "GET", "/get-session", SessionData | None, signals=(), idempotent=True
)
LIST_SESSIONS: Operation[list[Session]] = Operation("GET", "/list-sessions", list[Session])
SIGN_UP: Operation[SignedIn] = Operation("POST", "/sign-up/email", SignedIn, signals=("session",))
SIGN_IN: Operation[SignedIn | TwoFactorRequired] = Operation(
    "POST", "/sign-in/email", SignedIn | TwoFactorRequired, signals=("session",)
)
SIGN_OUT: Operation[Done] = Operation("POST", "/sign-out", Done, signals=("session",))
UPDATE_USER: Operation[Status] = Operation("POST", "/update-user", Status, signals=("session",))
REVOKE_SESSIONS: Operation[Status] = Operation(
    "POST", "/revoke-sessions", Status, signals=("session",), idempotent=True
)
ENABLE: Operation[Enabled] = Operation("POST", "/two-factor/enable", Enabled, "two-factor", signals=("session",))
VERIFY: Operation[SignedIn] = Operation("POST", "/two-factor/verify-totp", SignedIn, "two-factor", signals=("session",))
READ: Operation[Any] = Operation("GET", "/read/{id}", Any)
WRITE: Operation[Any] = Operation("POST", "/write", Any)
DELETE: Operation[None] = Operation("POST", "/delete", type(None))
CODES = frozenset({"INVALID_EMAIL_OR_PASSWORD", "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL", "UNAUTHORIZED"})


class AsyncTwoFactor(AsyncResource):
    async def enable(self, *, password: str, options: RequestOptions | None = None) -> Enabled:
        return await self._client.send(ENABLE, body={"password": password}, options=options)

    async def verify_totp(
        self, *, code: str, trust_device: bool | Omit = OMIT, options: RequestOptions | None = None
    ) -> SignedIn:
        return await self._client.send(VERIFY, body={"code": code, "trustDevice": trust_device}, options=options)


class TwoFactor(Resource):
    def enable(self, *, password: str, options: RequestOptions | None = None) -> Enabled:
        return self._client.send(ENABLE, body={"password": password}, options=options)

    def verify_totp(
        self, *, code: str, trust_device: bool | Omit = OMIT, options: RequestOptions | None = None
    ) -> SignedIn:
        return self._client.send(VERIFY, body={"code": code, "trustDevice": trust_device}, options=options)


class AsyncAcme(AsyncBaseClient[SessionData]):
    _session_reply: ClassVar[Operation[SessionData | None]] = GET_SESSION
    _codes: ClassVar[frozenset[str]] = CODES

    @cached_property
    def two_factor(self) -> AsyncTwoFactor:
        return AsyncTwoFactor(self)

    async def get_session(self, *, options: RequestOptions | None = None) -> SessionData | None:
        return await self.send(GET_SESSION, options=options)


class Acme(BaseClient[SessionData]):
    _session_reply: ClassVar[Operation[SessionData | None]] = GET_SESSION
    _codes: ClassVar[frozenset[str]] = CODES

    @cached_property
    def two_factor(self) -> TwoFactor:
        return TwoFactor(self)

    def get_session(self, *, options: RequestOptions | None = None) -> SessionData | None:
        return self.send(GET_SESSION, options=options)


@dataclass(frozen=True)
class Face:
    """One face of the client; tests await either, the sync one in a thread."""

    name: Literal["async", "sync"]

    def open(self, base_url: str | None = ORIGIN, **options: Any) -> Any:
        """Return a client."""
        return (AsyncAcme if self.name == "async" else Acme)(base_url, **options)

    def to(self, server: Auth[Any], **options: Any) -> Any:
        """Return a client of a server in this process."""
        return self.open(transport=self.transport(server), **options)

    def transport(self, server: Auth[Any]) -> Any:
        if self.name == "async":
            return httpx.ASGITransport(app=asgi.app(server))
        return httpx.WSGITransport(app=wsgi.app(server))

    def http(self, transport: Any) -> Any:
        """Return a client of httpx, as an application has one of its own."""
        return (httpx.AsyncClient if self.name == "async" else httpx.Client)(transport=transport)

    async def do(self, function: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """Call a method of a client and wait for what it returns."""
        if self.name == "async":
            returned: Awaitable[Any] = function(*args, **options)
            return await returned
        return await to_thread.run_sync(partial(function, *args, **options))

    async def sign_up(self, client: Any, email: str = "ann@example.com") -> SignedIn:
        signed_in: SignedIn = await self.do(
            client.send, SIGN_UP, body={"name": "Ann", "email": email, "password": PASSWORD}
        )
        return signed_in

    async def sign_in(
        self, client: Any, email: str = "ann@example.com", **options: Any
    ) -> SignedIn | TwoFactorRequired:
        answered: SignedIn | TwoFactorRequired = await self.do(
            client.send, SIGN_IN, body={"email": email, "password": PASSWORD}, **options
        )
        return answered
