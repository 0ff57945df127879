"""What a user granted to a tool on a page of the server: kept, renewed before it ends, and ended."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from portico_client_runtime import BaseClient, CredentialStorage
from portico_client_runtime.authentication import Authentication
from portico_client_runtime.cli.authorization_server import Hint, Tokens, exchanged, offered, revoke
from portico_client_runtime.cli.errors import NotSignedInError
from portico_client_runtime.errors import OAuthError, StorageError
from portico_client_runtime.private_file import locked
from portico_client_runtime.replies import object_of
from portico_client_runtime.site import Site
from portico_client_runtime.steps import Conversation, Do

LEEWAY = 30.0
"""Seconds. A token that ends sooner is renewed: whoever gets it needs time to use it, and clocks differ."""
INVALID_TOKEN = "invalid_token"  # noqa: S105  # the name of an error


class Grant(BaseModel):
    """The tokens of one login, as JSON text wherever they are kept."""

    model_config = ConfigDict(frozen=True)

    client_id: str
    resource: str | None = None
    """What the access token is for, if the tool said so. See RFC 8707."""
    access_token: str = Field(repr=False)
    refresh_token: str | None = Field(default=None, repr=False)
    ends_at: float | None = None
    """When the access token ends, in seconds since 1970, if the server said so."""

    @property
    def text(self) -> str:
        """The form in which it is kept."""
        return self.model_dump_json(exclude_none=True)


def granted(
    tokens: Tokens, now: float, *, client_id: str, resource: str | None, refresh_token: str | None = None
) -> Grant:
    """Return the grant that tokens are; `refresh_token` is one that stays if they have none."""
    return Grant(
        client_id=client_id,
        resource=resource,
        access_token=tokens.access_token,
        refresh_token=tokens.refresh_token or refresh_token,
        ends_at=None if tokens.expires_in is None else now + tokens.expires_in,
    )


@dataclass(frozen=True, kw_only=True)
class KeptGrant:
    """A grant in its place, for all threads and processes.

    Servers take a refresh token once, and end the whole login when one comes again: whoever renews holds a lock, looks
    whether somebody else has just done it, and keeps what came before letting go.
    """

    storage: CredentialStorage
    """Of this grant alone."""
    lock: Path
    connect: Callable[[], BaseClient[Any]]
    """Makes a client of the grant's server, without credentials."""
    clock: Callable[[], float]
    """The time, in seconds since 1970."""
    missing: Callable[[], NotSignedInError]
    """What to raise if there is no grant."""
    ended: Callable[[], NotSignedInError]
    """What to raise if it cannot be renewed."""

    def load(self) -> Grant:
        """Return the grant.

        Raises:
            NotSignedInError: There is none.
            StorageError: There is something else, or it is out of reach.
        """
        text = self.storage.load("")
        if not text:
            raise self.missing()
        try:
            return Grant.model_validate_json(text)
        except ValidationError:
            # Without the text, which holds tokens.
            raise StorageError("what is kept of this login cannot be read: log in again") from None

    def access_token(self) -> str:
        """Return an access token that lives for some seconds at least.

        Raises:
            NotSignedInError: There is none, and no way to one.
            AuthError: The server refused for another reason, or did not answer; nothing has changed.
        """
        grant = self.load()
        if grant.ends_at is None or self.clock() + LEEWAY < grant.ends_at:
            return grant.access_token
        return self.renewed(grant.access_token)

    def renewed(self, spent: str) -> str:
        """Return another access token than the one that is spent. See RFC 6749 §6.

        Raises:
            NotSignedInError: The server gives none any more; the tokens are forgotten then.
            AuthError: The server refused for another reason, or did not answer; nothing has changed.
        """
        with locked(self.lock):
            grant = self.load()
            if grant.access_token != spent:
                return grant.access_token
            if grant.refresh_token is None:
                raise self.ended()
            try:
                tokens = self._asked(grant, grant.refresh_token)
            except OAuthError as refusal:
                if refusal.error != "invalid_grant":
                    raise
                self.storage.delete("")
                raise self.ended() from refusal
            found = granted(
                tokens,
                self.clock(),
                client_id=grant.client_id,
                resource=grant.resource,
                refresh_token=grant.refresh_token,
            )
            self.storage.save("", found.text)
            return tokens.access_token

    def revoke(self) -> None:
        """End the login on the server, tokens and all; whoever calls it holds the lock.

        Raises:
            AuthError: The server refused or did not answer.
        """
        grant = self.load()
        with self.connect() as client:
            server = offered(client)
            found: tuple[tuple[Hint, str | None], ...] = (
                ("refresh_token", grant.refresh_token),
                ("access_token", grant.access_token),
            )
            for hint, token in found:
                if token is not None:
                    revoke(client, server, client_id=grant.client_id, token=token, hint=hint)

    def _asked(self, grant: Grant, refresh_token: str) -> Tokens:
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token, "client_id": grant.client_id}
        if grant.resource is not None:
            form["resource"] = grant.resource
        with self.connect() as client:
            return exchanged(client, offered(client), form)


class GrantAuth(Authentication):
    """The access token of a grant. A request that is refused because the token has ended is sent again, once."""

    def __init__(self, grant: KeptGrant) -> None:
        self._grant = grant

    def converse(self, request: httpx.Request, site: Site) -> Conversation[httpx.Response]:
        """Send a request with a token that lives."""
        is_callers = "authorization" in request.headers
        token: str = "" if is_callers else (yield Do(self._grant.access_token))
        request.headers.setdefault("authorization", f"Bearer {token}")
        response: httpx.Response = yield request
        if not is_callers and _is_spent(response):
            token = yield Do(partial(self._grant.renewed, token))
            request.headers["authorization"] = f"Bearer {token}"
            response = yield request
        return response


def _is_spent(response: httpx.Response) -> bool:
    """Tell whether a request was refused because its token has ended, and for no other reason. See RFC 6750 §3.1."""
    if response.status_code != HTTPStatus.UNAUTHORIZED:
        return False
    said = object_of(response)
    return INVALID_TOKEN in response.headers.get("www-authenticate", "") or (
        said is not None and said.get("error") == INVALID_TOKEN
    )
